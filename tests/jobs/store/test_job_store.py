"""The life of a job in the database, from submission to its end."""

from typing import Any

import pytest

from modules.errors import InvalidRequest, UnknownJob
from modules.jobs.outputs import output_answer
from modules.jobs.rows import Death, Job, RequestAnswer
from modules.jobs.serialization import job_answer
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from tests.jobs.conftest import Clock
from tests.jobs.made_jobs import flat_row

DIED = Death(ordered=False, reason="killed by SIGKILL", log=("loading", "Out of memory"))


def submit(store: JobStore, id: str | None = None, **arguments: Any) -> Job:
    return store.queue.submit("txt2img", {"prompt": "ein ❤"}, **({"owner": "me"} | arguments), id=id)


def get(store: JobStore, id: str) -> Job:
    job = store.jobs.get(id)
    assert job is not None
    return job


def story(store: JobStore) -> list[tuple[str, str | None, object]]:
    """All events as (kind, job, status)."""
    return [(event.kind, event.job_id, event.payload.get("status")) for event in store.events.after(0)]


def test_a_new_job_waits_with_nothing_known(store: JobStore, clock: Clock) -> None:
    job = submit(store)
    assert job == store.jobs.get(job.id)
    assert (job.status, job.position, job.request, job.created_at) == ("queued", 1, {"prompt": "ein ❤"}, clock.now)
    assert (job.resolved, job.started_at, job.finished_at, job.phase, job.error) == (None, None, None, None, None)
    assert (job.attempts, job.deaths, job.progress, job.finished) == (0, 0, 0.0, False)


def test_submitting_twice_is_once(store: JobStore) -> None:
    first = submit(store, "task(abc)")
    assert store.queue.submit("txt2img", {"prompt": "other"}, "else", id="task(abc)") == first
    assert store.jobs.page()[1] == 1
    assert story(store) == [("job", "task(abc)", "queued")]


@pytest.mark.parametrize("id", ["", "..", "../x", "a/b", "a\\b", "a:b", "a b", "a\0", "ü", ".hidden", "x" * 101, "a\n"])
def test_an_id_that_could_be_a_path_is_refused(store: JobStore, id: str) -> None:
    with pytest.raises(InvalidRequest, match="is not possible: use up to 100 of") as caught:
        submit(store, id)
    assert caught.value.field == "id"
    assert store.jobs.page() == ([], 0)


def test_the_queue_goes_by_priority_then_submission(store: JobStore) -> None:
    for id, priority in (("a", 0), ("b", 0), ("urgent", 5), ("c", 0), ("idle", -1)):
        submit(store, id, priority=priority)
    order = ["urgent", "a", "b", "c", "idle"]
    assert store.jobs.queued_ids() == order
    assert store.jobs.queued_ids(limit=2) == order[:2]
    assert [job.id for job in store.jobs.page(JobFilter(("queued",)))[0]] == order
    assert [job.position for job in store.jobs.page(JobFilter(("queued",)))[0]] == [1, 2, 3, 4, 5]
    claimed = [store.claims.claim("engine") for _ in range(6)]
    assert [job.id if job else None for job in claimed] == [*order, None]
    assert store.jobs.queued_count() == 0


def test_a_claimed_job_runs_at_position_0(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    submit(store, "b")
    clock.now += 5
    job = store.claims.claim("engine-1")
    assert job == store.jobs.running() == store.jobs.get("a")
    assert job is not None
    assert (job.status, job.position, job.attempts, job.engine) == ("running", 0, 1, "engine-1")
    assert job.started_at == clock.now
    assert get(store, "b").position == 1


def test_jobs_are_listed_newest_first_by_page_status_and_owner(store: JobStore) -> None:
    for number in range(5):
        submit(store, f"job-{number}", owner="me" if number % 2 else "you")
    store.claims.claim("engine")
    assert [job.id for job in store.jobs.page(limit=2, offset=1)[0]] == ["job-3", "job-2"]
    assert store.jobs.page(limit=2)[1] == 5
    assert [job.id for job in store.jobs.page(JobFilter(owner="me"))[0]] == ["job-3", "job-1"]
    assert [job.id for job in store.jobs.page(JobFilter(("running",)))[0]] == ["job-0"]
    assert store.jobs.page(JobFilter(("running", "queued"), owner="you"))[1] == 3
    assert store.jobs.page(JobFilter(("done",))) == ([], 0)
    assert [job.id for job in store.jobs.page(limit=0)[0]] == []


def test_an_owner_sees_the_newest_unfinished_job_else_the_last(store: JobStore) -> None:
    assert store.jobs.newest_of("me") is None
    assert store.jobs.last_of("me") is None
    submit(store, "a")
    submit(store, "b")
    submit(store, "c", owner="you")
    assert getattr(store.jobs.newest_of("me"), "id", None) == "b"
    store.control.ask("interrupt", "b")
    assert getattr(store.jobs.newest_of("me"), "id", None) == "a"
    store.control.ask("interrupt", "a")
    assert store.jobs.newest_of("me") is None
    assert getattr(store.jobs.last_of("me"), "id", None) == "b"


def test_what_a_job_draws_is_frozen_the_first_time(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    for seed in (1, 2):
        store.claims.set_resolved("a", {"seed": seed})
        assert get(store, "a").resolved == {"seed": 1}
    with pytest.raises(UnknownJob):
        store.claims.set_resolved("b", {})


def test_progress_never_falls_and_ends_at_1(store: JobStore) -> None:
    submit(store, "a")
    store.claims.record_progress("a", "load", 0.5)  # it does not run yet
    assert get(store, "a").progress == 0.0
    store.claims.claim("engine")
    for progress in (0.2, 0.6, 0.4, 7.0):
        store.claims.record_progress("a", "sample", progress)
        assert get(store, "a").progress == max(0.2, min(1.0, progress), 0.6 if progress == 0.4 else 0)
    assert get(store, "a").phase == "sample"
    job = store.claims.finish("a", "done")
    assert (job.status, job.progress, job.phase, job.position, job.finished) == ("done", 1.0, None, None, True)


def test_a_failure_keeps_its_words_and_its_progress(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.claims.record_progress("a", "sample", 0.25)
    clock.now += 2
    job = store.claims.finish("a", "failed", "Out of memory: use a smaller size.")
    assert (job.status, job.error, job.progress) == ("failed", "Out of memory: use a smaller size.", 0.25)
    assert (job.finished_at, job.stopped_after_seconds) == (clock.now, None)


def test_what_has_ended_stays_ended(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    ended = store.claims.finish("a", "interrupted")
    events = store.events.last()
    assert store.claims.finish("a", "done") == ended
    assert store.control.ask("interrupt", "a") == RequestAnswer(False, "interrupted", "a", None)
    assert store.queue.remove("a") is False
    assert store.claims.recover(DIED) == []
    assert store.events.last() == events
    with pytest.raises(UnknownJob, match="There is no job 'zzz'"):
        store.claims.finish("zzz", "done")


def test_events_tell_the_whole_story_once(store: JobStore) -> None:
    announced: list[int] = []
    store.database.announce = announced.append
    submit(store, "a")
    submit(store, "b")
    store.claims.claim("engine")
    store.claims.set_resolved("a", {"seed": 1})
    store.images.reserve("a", 0, seed=1, width=64, height=64, save=True)
    store.images.complete("a", 0, "infotext")
    store.images.complete("a", 0, "infotext")
    store.control.ask("stop", "a")
    store.claims.finish("a", "interrupted")
    store.queue.remove("b")
    store.audit.note_settings(("theme",))
    assert story(store) == [
        ("job", "a", "queued"),
        ("job", "b", "queued"),
        ("job", "a", "running"),
        ("job", "a", "running"),
        ("image", "a", None),
        ("request", "a", None),
        ("job", "a", "interrupted"),
        ("removed", "b", None),
        ("settings", None, None),
    ]
    assert announced == [event.number for event in store.events.after(0)] == list(range(1, 10))
    image_event = store.events.after(4, limit=1)[0]
    assert image_event.payload == output_answer(store.jobs.images("a")[0])
    assert store.events.after(5)[0].payload == {"kind": "stop", "image": 0}
    assert store.events.after(8)[0].payload == {"changed": ["theme"]}
    assert store.events.last() == 9
    assert store.events.after(9) == []


def test_the_answer_has_all_that_clients_read(store: JobStore) -> None:
    submit(store, "task(1)")
    store.claims.claim("engine")
    store.images.reserve("task(1)", 0, seed=7, width=64, height=32, save=False)
    store.images.complete("task(1)", 0, "heart\nSteps: 1", partial=True)
    answer = job_answer(get(store, "task(1)"), store.jobs.images("task(1)"))
    assert answer["outputs"] == [
        {
            "index": 0, "name": "00000-7.png", "url": "/sdapi/v1/jobs/task(1)/images/0.png", "width": 64, "height": 32,
            "seed": 7, "infotext": "heart\nSteps: 1", "partial": True,
        }
    ]  # fmt: skip
    names = {"id", "kind", "status", "phase", "progress", "attempts", "error", "request", "owner", "position"}
    assert set(answer) >= names | {"created_at", "started_at", "finished_at", "resolved", "stopped_after_seconds"}


def test_a_row_of_another_version_is_told_without_what_cannot_be_read(store: JobStore) -> None:
    submit(store, "a")
    store.queue.submit("dream", {"prompt": "a secret of another kind"}, "me", id="b")
    for id, values in (("a", {"seed": 1}), ("b", flat_row())):
        store.claims.set_resolved(id, values)
    assert job_answer(get(store, "a"), [])["resolved"] is None
    assert [job_answer(get(store, "b"), [])[name] for name in ("kind", "request", "resolved")] == ["dream", {}, None]
    submit(store, "c")
    store.claims.set_resolved("c", flat_row(steps=7))
    assert job_answer(get(store, "c"), [])["resolved"]["steps"] == 7


def test_data_version_changes_with_every_change_of_anyone(store: JobStore) -> None:
    seen = {store.database.data_version()}
    assert store.database.data_version() in seen
    submit(store, "a")
    assert store.database.data_version() not in seen
    seen.add(store.database.data_version())
    other = JobStore(store.database.path)
    other.claims.claim("engine")
    other.close()
    assert store.database.data_version() not in seen
