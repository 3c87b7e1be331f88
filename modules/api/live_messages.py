"""The messages of the live stream, built from the database. Call in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.api.answers import json_bytes
from modules.api.subscription import Message
from modules.jobs.answers import job_answer
from modules.jobs.rows import TERMINAL, Event, Job
from modules.jobs.store import JobStore

MOST_EVENTS_AT_ONCE = 500
MOST_QUEUED_IDS = 200
LONGEST_BATCH_WITH_ALL_JOBS = 20


@dataclass(frozen=True)
class Queue:
    """How many jobs wait, and the ids of the first of them in order."""

    total: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Delivery:
    """An event, its message, and, when it closes a job, how that ended ("removed" is an end too)."""

    event: Event
    message: Message
    ended: str | None


@dataclass(frozen=True)
class Batch:
    """Events in order, and the queue as it is after them."""

    deliveries: tuple[Delivery, ...]
    queue: Queue


@dataclass(frozen=True)
class Beginning:
    """What a new reader is told first."""

    number: int
    job: dict[str, Any] | None
    running: dict[str, Any] | None
    queue: Queue
    missed: tuple[Message, ...]


def answer_for(store: JobStore, job: Job | None) -> dict[str, Any] | None:
    """Return the REST form of a job with its outputs."""
    return None if job is None else job_answer(job, store.images(job.id))


def read_queue(store: JobStore) -> Queue:
    """Return who waits."""
    return Queue(store.queued_count(), tuple(store.queued_ids(MOST_QUEUED_IDS)))


def read_batch(store: JobStore, after: int, limit: int = MOST_EVENTS_AT_ONCE) -> Batch:
    """Return the events after number `after`, each with its job as it is now.

    In a long batch only a job's last event carries the job, which may have a thousand outputs.
    """
    events = store.events_after(after, limit)
    queue = read_queue(store)
    last = {event.job_id: event.number for event in events}
    answers: dict[str | None, dict[str, Any] | None] = {}
    deliveries = []
    for event in events:
        carries = len(events) <= LONGEST_BATCH_WITH_ALL_JOBS or last[event.job_id] == event.number
        if event.job_id is not None and event.job_id not in answers and event.kind != "removed":
            answers[event.job_id] = answer_for(store, store.get(event.job_id))
        message = _event_message(event, answers.get(event.job_id) if carries else None, queue)
        deliveries.append(Delivery(event, message, _ended(event)))
    return Batch(tuple(deliveries), queue)


def read_beginning(store: JobStore, owner: str | None, after: int | None) -> Beginning:
    """Return the start of a reader's stream: where things stand, and the events that it missed after `after`."""
    number = store.last_event()
    running = store.running()
    job = store.newest_for_owner(owner) if owner else None
    if job is None:
        job = running or (store.last_for_owner(owner) if owner else None)
    missed: tuple[Message, ...] = ()
    if after is not None and after < number:
        batch = read_batch(store, after, min(MOST_EVENTS_AT_ONCE, number - after))
        missed = tuple(delivery.message for delivery in batch.deliveries)
    return Beginning(number, answer_for(store, job), answer_for(store, running), read_queue(store), missed)


def text_of(message: dict[str, Any]) -> str:
    """Return a message as it goes out."""
    return json_bytes(message).decode()


def _ended(event: Event) -> str | None:
    if event.kind == "removed":
        return "removed"
    status = event.payload.get("status") if event.kind == "job" else None
    return status if status in TERMINAL else None


def _event_message(event: Event, answer: dict[str, Any] | None, queue: Queue) -> Message:
    content: dict[str, Any] = {"type": "event", "number": event.number, "at": event.at, "kind": event.kind}
    content |= {"job_id": event.job_id, "job": answer, "queued": queue.total, "queue": queue.ids}
    if event.kind == "image":
        content["output"] = event.payload
    else:
        content["payload"] = event.payload
    return Message(text_of(content), event.number)
