"""The messages of the live stream, built from the database. Call in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.api.answers import json_bytes
from modules.api.live.subscription import Message
from modules.jobs.rows import TERMINAL, Event, Job
from modules.jobs.serialization import job_answer
from modules.jobs.store.job_store import JobStore, Moment

MOST_EVENTS_AT_ONCE = 500
MOST_QUEUED_IDS = 200
LONGEST_BATCH_WITH_ALL_JOBS = 20
CHANGE_THE_QUEUE = ("job", "removed", "queue")


@dataclass(frozen=True)
class QueueNow:
    """How many jobs wait, the ids of the first of them in order, how many run, and whether no job is taken."""

    total: int
    ids: tuple[str, ...]
    running: int
    paused: bool

    @property
    def told(self) -> dict[str, Any]:
        """As the messages have it."""
        return {"queued": self.total, "queue": self.ids, "queue_paused": self.paused}

    @property
    def counts(self) -> dict[str, Any]:
        """As the topic "queue" has it, by which the launcher knows whether anything is about to be drawn."""
        return {"queued": self.total, "running": self.running, "paused": self.paused}


@dataclass(frozen=True)
class Delivery:
    """An event, its message, and, when it closes a job, how that ended ("removed" is an end too)."""

    event: Event
    message: Message
    ended: str | None


@dataclass(frozen=True)
class News:
    """Events in order, and the queue as it is after them; None: they leave it as it was."""

    deliveries: tuple[Delivery, ...]
    queue: QueueNow | None


@dataclass(frozen=True)
class Beginning:
    """What a new reader is told first. `reset`, when there is one, comes before it; missed events follow it.

    `replay` is the number after which they begin; None: nothing is to be replayed.
    """

    number: int
    job: dict[str, Any] | None
    running: dict[str, Any] | None
    queue: QueueNow
    replay: int | None
    reset: Message | None


def answer_for(now: Moment, job: Job | None) -> dict[str, Any] | None:
    """Return the REST form of a job with its outputs."""
    return None if job is None else job_answer(job, now.jobs.images(job.id))


def read_queue(store: JobStore) -> QueueNow:
    """Return who waits and runs at one moment: a job that is claimed meanwhile is one or the other."""
    with store.moment() as now:
        return queue_at(now)


def queue_at(now: Moment) -> QueueNow:
    """Return who waits and runs."""
    running = int(now.jobs.running() is not None)
    return QueueNow(
        now.jobs.queued_count(), tuple(now.jobs.queued_ids(MOST_QUEUED_IDS)), running, now.jobs.queue_paused()
    )


def read_news(store: JobStore, after: int, limit: int = MOST_EVENTS_AT_ONCE) -> News:
    """Return the events after number `after`, each with its job as it is now.

    An event of an image carries that image alone, since a job may have a thousand of them. Of the others only a job's
    last one carries the job when the batch is long.
    """
    with store.moment() as now:
        return _news_at(now, now.events.after(after, limit))


def _news_at(now: Moment, events: list[Event]) -> News:
    jobs = now.jobs.by_ids(list({event.job_id for event in events if event.job_id is not None}))
    last = {event.job_id: event.number for event in events if event.kind != "image"}
    queue = queue_at(now) if any(event.kind in CHANGE_THE_QUEUE for event in events) else None
    answers: dict[str, dict[str, Any] | None] = {}
    deliveries = []
    for event in events:
        id, job = event.job_id, jobs.get(event.job_id or "")
        if event.kind == "image":
            deliveries.append(Delivery(event, _image_message(event, job), None))
            continue
        carries = len(events) <= LONGEST_BATCH_WITH_ALL_JOBS or last[id] == event.number
        if carries and job is not None and job.id not in answers:
            answers[job.id] = answer_for(now, job)
        answer = answers.get(id or "") if carries else None
        deliveries.append(Delivery(event, _event_message(event, job, answer, queue), _ended(event)))
    return News(tuple(deliveries), queue)


def read_beginning(store: JobStore, owner: str | None, after: int | None, *, only_own: bool = False) -> Beginning:
    """Return the start of a reader's stream: where things stand, and whether what it missed is still known."""
    with store.moment() as now:
        number = now.events.last()
        running = now.jobs.running()
        job = now.jobs.newest_of(owner) if owner else None
        if job is None:  # who draws nothing sees his last picture, and what others draw only where he has none
            job = (now.jobs.last_of(owner) if owner else None) or (None if only_own else running)
        reset = None if after is None else _reset(now, after, number)
        missed = after is not None and after < number and reset is None
        return Beginning(
            number=number,
            job=answer_for(now, job),
            running=answer_for(now, running),
            queue=queue_at(now),
            replay=after if missed else None,
            reset=reset,
        )


def read_missed(store: JobStore, after: int, until: int) -> tuple[Message, ...]:
    """Return the messages of events above `after` up to `until`, a part of them: none is the end."""
    limit = min(MOST_EVENTS_AT_ONCE, until - after)
    return tuple(one.message for one in read_news(store, after, limit).deliveries) if limit > 0 else ()


def _reset(now: Moment, after: int, last: int) -> Message | None:
    """Return what a reader is told whose last number leads nowhere: what came after it is gone, or never was here."""
    following = now.events.after(after, 1)
    first = following[0].number if following else None
    if after > last:
        reason = f"There is no event {after} yet, the last is {last}: it was the number of another database."
    elif after < last and first != after + 1:
        reason = f"The events after {after} are not kept any more."
    else:
        return None
    content = {"type": "reset", "asked": after, "first": first, "events": last, "reason": reason}
    return Message(text_of(content))


def text_of(message: dict[str, Any]) -> str:
    """Return a message as it goes out."""
    return json_bytes(message).decode()


def _ended(event: Event) -> str | None:
    if event.kind == "removed":
        return "removed"
    status = event.payload.get("status") if event.kind == "job" else None
    return status if status in TERMINAL else None


def _event_message(event: Event, job: Job | None, answer: dict[str, Any] | None, queue: QueueNow | None) -> Message:
    content = _content(event) | {"job": answer, "payload": event.payload}
    if queue is not None and event.kind in CHANGE_THE_QUEUE:
        content |= queue.told
    return Message(text_of(content), event.number, None if job is None else job.owner)


def _image_message(event: Event, job: Job | None) -> Message:
    content = _content(event) | {"output": event.payload}
    content |= {"progress": job and job.progress, "image_index": job and job.image_index}
    return Message(text_of(content), event.number, None if job is None else job.owner)


def _content(event: Event) -> dict[str, Any]:
    return {"type": "event", "number": event.number, "at": event.at, "kind": event.kind, "job_id": event.job_id}
