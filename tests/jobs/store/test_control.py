"""Pausing, resuming, retrying, giving back, going on for ever: what people and engines do to a job amid its life."""

from typing import Any

import pytest

from modules.errors import QueueFull, UnknownJob
from modules.jobs.rows import Job, Note, Pending, QueueLimits, RequestAnswer
from modules.jobs.serialization import job_answer
from modules.jobs.store.job_store import JobStore
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import DIED, get, story, submit


def run(store: JobStore, id: str, **arguments: Any) -> Job:
    """Submit and claim a job."""
    submit(store, id, **arguments)
    job = store.claims.claim("engine-1")
    assert job is not None
    assert job.id == id
    return job


# --- Pause and resume -------------------------------------------------------------------------------------------------


def test_a_waiting_job_is_paused_at_once_and_waits_again_when_resumed(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    assert store.control.ask("pause", "a") == RequestAnswer(True, "queued", "a", None)
    assert (get(store, "a").status, get(store, "a").paused_at, get(store, "a").position) == ("paused", clock.now, None)
    assert not get(store, "a").finished
    assert store.claims.claim("engine") is None
    assert store.control.ask("pause", "a") == RequestAnswer(False, "paused", "a", None)
    assert store.control.resume("a") == RequestAnswer(True, "paused", "a", None)
    assert (get(store, "a").status, get(store, "a").position) == ("queued", 1)
    assert story(store) == [("job", "a", status) for status in ("queued", "paused", "queued")]


def test_a_running_job_is_paused_by_its_engine(store: JobStore, clock: Clock) -> None:
    run(store, "a")
    store.claims.record_progress("a", "sample", 0.4)
    store.claims.begin_image("a", 2)
    assert store.control.ask("pause") == RequestAnswer(True, "running", "a", 2)
    assert store.claims.pending("a") == Pending("pause", None)
    clock.now += 0.5
    job = store.claims.pause_now("a")
    assert (job.status, job.requested, job.progress, job.phase, job.engine) == ("paused", None, 0.4, None, None)
    assert (job.stopped_after_seconds, job.paused_at, job.image_index) == (0.5, clock.now, 2)
    assert store.claims.pause_now("a") == job  # it does not run any more
    assert store.jobs.running() is None
    with pytest.raises(UnknownJob):
        store.claims.pause_now("?")


def test_a_resumed_job_is_the_first_of_its_owner_and_takes_no_ones_turn(store: JobStore) -> None:
    run(store, "a1", owner="a")
    for id in ("a2", "a3", "b1", "b2"):
        submit(store, id, owner=id[0])
    store.control.ask("pause", "a1")
    store.claims.pause_now("a1")
    store.control.ask("pause", "a3")
    assert store.jobs.queued_ids() == ["b1", "a2", "b2"]
    store.control.resume("a3")
    assert store.jobs.queued_ids() == ["b1", "a3", "b2", "a2"]
    store.control.resume("a1")
    assert store.jobs.queued_ids() == ["b1", "a1", "b2", "a3", "a2"]
    job = store.claims.claim("engine-2") and store.claims.claim("engine-2")
    assert job is not None
    assert (job.id, job.attempts, job.requested, job.stopped_after_seconds) == ("a1", 2, None, None)


def test_the_job_that_was_resumed_last_goes_first(store: JobStore) -> None:
    for id in ("a1", "a2", "a3"):
        submit(store, id)
    for id in ("a1", "a3"):
        store.control.ask("pause", id)
        store.control.resume(id)
    assert store.jobs.queued_ids() == ["a3", "a1", "a2"]


@pytest.mark.parametrize("status", ["queued", "running", "done", "interrupted", "failed"])
def test_only_a_paused_job_is_resumed(store: JobStore, status: str) -> None:
    submit(store, "a")
    if status != "queued":
        store.claims.claim("engine")
    if status not in ("queued", "running"):
        store.claims.finish("a", status)  # type: ignore[arg-type]
    events = store.events.last()
    assert store.control.resume("a") == RequestAnswer(False, status, "a", None)
    assert store.events.last() == events
    with pytest.raises(UnknownJob):
        store.control.resume("?")


def test_a_pause_is_taken_back_before_the_engine_obeys(store: JobStore) -> None:
    run(store, "a")
    submit(store, "b")
    store.control.ask("pause", "a")
    assert store.control.resume("a") == RequestAnswer(True, "running", "a", None)
    assert store.claims.pending("a").requested is None
    job = store.claims.pause_now("a")  # the engine had begun to pause: the job is the next
    assert (job.status, job.position, job.deaths) == ("queued", 1, 0)
    store.claims.claim("engine-1")
    assert store.claims.finish("a", "done").stopped_after_seconds is None


def test_an_engine_that_had_not_begun_to_pause_just_goes_on(store: JobStore) -> None:
    run(store, "a")
    store.control.ask("pause", "a")
    store.control.resume("a")
    assert store.claims.finish("a", "done").stopped_after_seconds is None


def test_a_stop_is_stronger_than_a_pause(store: JobStore) -> None:
    run(store, "a")
    store.control.ask("pause", "a")
    assert store.control.ask("interrupt", "a").accepted
    assert store.claims.pending("a").requested == "interrupt"
    assert store.control.ask("pause", "a") == RequestAnswer(False, "running", "a", None)
    assert store.claims.pause_now("a").status == "interrupted"
    run(store, "b")
    store.control.ask("stop", "b")
    assert not store.control.ask("pause", "b").accepted
    assert store.claims.pending("b").requested == "stop"


@pytest.mark.parametrize("kind", ["interrupt", "stop"])
def test_a_paused_job_is_ended_at_once(store: JobStore, kind: Any) -> None:
    run(store, "a")
    store.control.ask("pause", "a")
    store.claims.pause_now("a")
    assert store.control.ask("skip", "a") == RequestAnswer(False, "paused", "a", None)
    assert store.control.ask(kind, "a") == RequestAnswer(True, "paused", "a", None)
    assert (get(store, "a").status, get(store, "a").stopped_after_seconds) == ("interrupted", 0.0)


@pytest.mark.parametrize("death", [None, DIED])
def test_a_job_that_was_to_be_paused_is_paused_after_the_death_too(store: JobStore, clock: Clock, death: Any) -> None:
    run(store, "a")
    store.control.ask("pause", "a")
    clock.now += 2
    (job,) = store.claims.recover(death)
    assert (job.status, job.deaths, job.requested, job.stopped_after_seconds) == ("paused", bool(death), None, 2.0)
    store.control.resume("a")
    store.claims.claim("engine-2")
    (job,) = store.claims.recover(DIED)
    assert job.status == ("quarantined" if death else "queued")


def test_a_pause_that_came_too_late_does_no_harm(store: JobStore) -> None:
    run(store, "a")
    store.control.ask("pause", "a")
    assert store.claims.finish("a", "done").status == "done"
    assert store.control.ask("pause", "a") == RequestAnswer(False, "done", "a", None)


# --- Interrupts that are repeated -------------------------------------------------------------------------------------


def test_interrupts_are_counted_while_the_job_runs(store: JobStore) -> None:
    run(store, "a")
    assert store.control.ask("stop", "a").times == 0
    assert [store.control.ask("interrupt", id).times for id in ("a", None, "a")] == [1, 2, 3]
    assert get(store, "a").stop_requests == 3
    store.claims.finish("a", "interrupted")
    assert store.control.ask("interrupt", "a") == RequestAnswer(False, "interrupted", "a", None, 0)
    store.queue.retry("a")
    store.claims.claim("engine-1")
    assert store.control.ask("interrupt", "a").times == 1


# --- Retry ------------------------------------------------------------------------------------------------------------


def test_a_quarantined_job_is_tried_again_where_it_ended(store: JobStore) -> None:
    run(store, "a")
    store.claims.set_resolved("a", {"seed": 7})
    for index in range(3):
        store.images.reserve("a", index, seed=7 + index, width=64, height=64, save=True)
    store.images.complete("a", 0, "whole")
    store.claims.recover(DIED)
    store.claims.claim("engine-2")
    store.claims.begin_image("a", 1)
    store.claims.recover(DIED)
    assert get(store, "a").log == ("loading", "Out of memory")
    assert store.queue.retry("a") == RequestAnswer(True, "quarantined", "a", None)
    job = get(store, "a")
    assert (job.status, job.deaths, job.error, job.log, job.finished_at, job.attempts) == (
        "queued", 0, None, None, None, 2,
    )  # fmt: skip
    assert (job.resolved, job.image_index, job.progress) == ({"seed": 7}, None, 0.0)
    assert [image.index for image in store.jobs.images("a")] == [0]
    store.claims.claim("engine-3")
    (job,) = store.claims.recover(DIED)
    assert (job.status, job.deaths) == ("queued", 1)


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_job_that_did_not_succeed_is_tried_again(store: JobStore, status: Any) -> None:
    run(store, "a")
    store.control.ask("interrupt", "a")
    store.control.ask("skip", "a")
    store.claims.finish("a", status, "words")
    assert store.queue.retry("a").accepted
    assert (get(store, "a").error, store.claims.pending("a")) == (None, Pending(None, None))
    job = store.claims.claim("engine-1")
    assert job is not None
    assert store.claims.finish("a", "done").stopped_after_seconds is None


def test_a_partial_picture_and_one_that_expired_are_drawn_again(store: JobStore, clock: Clock) -> None:
    run(store, "a")
    for index, partial in ((0, False), (1, True), (2, False)):
        store.claims.begin_image("a", index)
        store.images.reserve("a", index, seed=index, width=64, height=64, save=index != 2)
        store.images.complete("a", index, "x", partial=partial)
    names = [image.name for image in store.jobs.images("a")]
    store.claims.finish("a", "interrupted")
    clock.now += 48 * 3600
    assert store.images.expire_results(24) == 1
    store.queue.retry("a")
    assert [image.index for image in store.jobs.images("a")] == [0]
    assert get(store, "a").image_index is None  # the engine looks for what is missing from the first on
    again = [store.images.reserve("a", index, seed=index, width=64, height=64, save=True) for index in range(3)]
    assert [image.status for image in again] == ["complete", "reserved", "reserved"]
    assert [image.name for image in again] == names
    assert store.images.complete("a", 1, "whole").partial is False


@pytest.mark.parametrize("claimed", [False, True])
def test_a_partial_picture_comes_back_when_its_job_ends_before_it_is_drawn_again(
    store: JobStore, clock: Clock, claimed: bool
) -> None:
    run(store, "a")
    for index, save in ((0, True), (1, True), (2, False)):
        store.images.reserve("a", index, seed=index, width=64, height=64, save=save)
        store.images.complete("a", index, f"Partial: {index}/30", partial=True)
    store.claims.finish("a", "interrupted")
    clock.now += 48 * 3600
    assert store.images.expire_results(24) == 1
    before = [image for image in store.jobs.images("a") if image.index == 1]
    assert store.queue.retry("a").accepted
    assert store.jobs.images("a") == []
    if claimed:
        store.claims.claim("engine-1")
        store.images.complete("a", 0, "whole")
        store.control.ask("interrupt", "a")
        store.claims.finish("a", "interrupted")
    else:
        store.control.ask("interrupt", "a")
    partial = [(image.index, image.infotext) for image in store.jobs.images("a") if image.partial]
    assert partial == [(index, f"Partial: {index}/30") for index in ((1,) if claimed else (0, 1))]
    assert [image.name for image in store.jobs.images("a") if image.index == 1] == [image.name for image in before]
    assert [image.infotext for image in store.jobs.images("a") if not image.partial] == (["whole"] if claimed else [])


def test_what_runs_or_succeeded_is_not_retried_and_limits_hold(store: JobStore) -> None:
    run(store, "a")
    assert store.queue.retry("a") == RequestAnswer(False, "running", "a", None)
    store.claims.finish("a", "done")
    assert store.queue.retry("a") == RequestAnswer(False, "done", "a", None)
    submit(store, "b")
    assert store.queue.retry("b") == RequestAnswer(False, "queued", "b", None)
    store.control.ask("interrupt", "b")
    store.queue.limits = lambda: QueueLimits(total=1, per_owner=1)
    submit(store, "c")
    with pytest.raises(QueueFull):
        store.queue.retry("b")
    assert get(store, "b").status == "interrupted"
    with pytest.raises(UnknownJob):
        store.queue.retry("?")


# --- Giving back, economy, notes --------------------------------------------------------------------------------------


def test_a_job_is_given_back_without_a_death(store: JobStore, clock: Clock) -> None:
    run(store, "a")
    submit(store, "b", owner="you")
    store.claims.set_economy("a", {"vae_tiling": True, "batch_size": 1})
    job = store.claims.requeue("a", "Out of memory at 1024x1024: tried again with VAE tiling.", kind="economy")
    assert (job.status, job.position, job.deaths) == ("queued", 1, 0)
    assert job.economy == {"vae_tiling": True, "batch_size": 1}
    assert job.notes == (Note(clock.now, "economy", "Out of memory at 1024x1024: tried again with VAE tiling."),)
    assert store.claims.requeue("a") == job  # it does not run
    claimed = store.claims.claim("engine-2")
    assert claimed is not None
    assert (claimed.id, claimed.economy) == ("a", job.economy)


@pytest.mark.parametrize(
    ("kind", "status"), [("interrupt", "interrupted"), ("stop", "interrupted"), ("pause", "paused")]
)
def test_what_was_asked_meanwhile_is_done_when_a_job_is_given_back(store: JobStore, kind: Any, status: str) -> None:
    run(store, "a")
    store.control.ask(kind, "a")
    assert store.claims.requeue("a").status == status


def test_notes_are_told_once_and_to_everyone(store: JobStore, clock: Clock) -> None:
    run(store, "a")
    events = store.events.last()
    for text in ("Continued at step 12 of 30.", "Continued at step 12 of 30.", "Größe ✓"):
        clock.now += 1
        store.claims.note("a", "resumed", text)
    job = get(store, "a")
    assert [note.text for note in job.notes] == ["Continued at step 12 of 30.", "Größe ✓"]
    assert store.events.last() == events + 2
    assert job_answer(job, [])["notes"][1] == {"at": clock.now, "kind": "resumed", "text": "Größe ✓"}
    for number in range(100):
        store.claims.note("a", "resumed", f"Note {number}")
    assert [note.text for note in get(store, "a").notes] == [f"Note {number}" for number in range(50, 100)]
    with pytest.raises(UnknownJob):
        store.claims.note("?", "resumed", "x")


def test_an_edited_job_names_the_one_that_it_came_from(store: JobStore) -> None:
    job = store.queue.submit("txt2img", {}, "me", retry_of="old")
    assert job.retry_of == "old"
    answer = job_answer(job, [])
    assert (answer["retry_of"], answer["forever"], answer["notes"], answer["log"]) == ("old", False, [], None)
