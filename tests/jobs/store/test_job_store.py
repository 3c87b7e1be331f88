"""The life of a job in the database, from submission to its end."""

from typing import Any

import pytest

from modules.errors import InvalidRequest, UnknownJob
from modules.jobs.answers import job_answer
from modules.jobs.rows import Death, Job, RequestAnswer
from modules.jobs.store.job_store import JobStore
from tests.jobs.conftest import Clock

DIED = Death(ordered=False, reason="killed by SIGKILL", log=("loading", "Out of memory"))


def submit(store: JobStore, id: str | None = None, **arguments: Any) -> Job:
    return store.submit("txt2img", {"prompt": "ein ❤"}, **({"owner": "me"} | arguments), id=id)


def get(store: JobStore, id: str) -> Job:
    job = store.get(id)
    assert job is not None
    return job


def story(store: JobStore) -> list[tuple[str, str | None, object]]:
    """All events as (kind, job, status)."""
    return [(event.kind, event.job_id, event.payload.get("status")) for event in store.events_after(0)]


def test_a_new_job_waits_with_nothing_known(store: JobStore, clock: Clock) -> None:
    job = submit(store)
    assert job == store.get(job.id)
    assert (job.status, job.position, job.request, job.created_at) == ("queued", 1, {"prompt": "ein ❤"}, clock.now)
    assert (job.resolved, job.started_at, job.finished_at, job.phase, job.error) == (None, None, None, None, None)
    assert (job.attempts, job.deaths, job.progress, job.finished) == (0, 0, 0.0, False)


def test_submitting_twice_is_once(store: JobStore) -> None:
    first = submit(store, "task(abc)")
    assert store.submit("txt2img", {"prompt": "other"}, "else", id="task(abc)") == first
    assert store.jobs()[1] == 1
    assert story(store) == [("job", "task(abc)", "queued")]


@pytest.mark.parametrize("id", ["", "..", "../x", "a/b", "a\\b", "a:b", "a b", "a\0", "ü", ".hidden", "x" * 101, "a\n"])
def test_an_id_that_could_be_a_path_is_refused(store: JobStore, id: str) -> None:
    with pytest.raises(InvalidRequest, match="is not possible: use up to 100 of") as caught:
        submit(store, id)
    assert caught.value.field == "id"
    assert store.jobs() == ([], 0)


def test_the_queue_goes_by_priority_then_submission(store: JobStore) -> None:
    for id, priority in (("a", 0), ("b", 0), ("urgent", 5), ("c", 0), ("idle", -1)):
        submit(store, id, priority=priority)
    order = ["urgent", "a", "b", "c", "idle"]
    assert store.queued_ids() == order
    assert store.queued_ids(limit=2) == order[:2]
    assert [job.id for job in store.jobs(status="queued")[0]] == order
    assert [job.position for job in store.jobs(status="queued")[0]] == [1, 2, 3, 4, 5]
    claimed = [store.claim("engine") for _ in range(6)]
    assert [job.id if job else None for job in claimed] == [*order, None]
    assert store.queued_count() == 0


def test_a_claimed_job_runs_at_position_0(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    submit(store, "b")
    clock.now += 5
    job = store.claim("engine-1")
    assert job == store.running() == store.get("a")
    assert job is not None
    assert (job.status, job.position, job.attempts, job.engine) == ("running", 0, 1, "engine-1")
    assert job.started_at == clock.now
    assert get(store, "b").position == 1


def test_jobs_are_listed_newest_first_by_page_status_and_owner(store: JobStore) -> None:
    for number in range(5):
        submit(store, f"job-{number}", owner="me" if number % 2 else "you")
    store.claim("engine")
    assert [job.id for job in store.jobs(limit=2, offset=1)[0]] == ["job-3", "job-2"]
    assert store.jobs(limit=2)[1] == 5
    assert [job.id for job in store.jobs(owner="me")[0]] == ["job-3", "job-1"]
    assert [job.id for job in store.jobs(status="running")[0]] == ["job-0"]
    assert store.jobs(status=("running", "queued"), owner="you")[1] == 3
    assert store.jobs(status="done") == ([], 0)
    assert [job.id for job in store.jobs(limit=0)[0]] == []


def test_an_owner_sees_the_newest_unfinished_job_else_the_last(store: JobStore) -> None:
    assert store.newest_for_owner("me") is None
    assert store.last_for_owner("me") is None
    submit(store, "a")
    submit(store, "b")
    submit(store, "c", owner="you")
    assert getattr(store.newest_for_owner("me"), "id", None) == "b"
    store.request("interrupt", "b")
    assert getattr(store.newest_for_owner("me"), "id", None) == "a"
    store.request("interrupt", "a")
    assert store.newest_for_owner("me") is None
    assert getattr(store.last_for_owner("me"), "id", None) == "b"


def test_what_a_job_draws_is_frozen_the_first_time(store: JobStore) -> None:
    submit(store, "a")
    store.claim("engine")
    assert store.set_resolved("a", {"seed": 1}).resolved == {"seed": 1}
    assert store.set_resolved("a", {"seed": 2}).resolved == {"seed": 1}
    with pytest.raises(UnknownJob):
        store.set_resolved("b", {})


def test_progress_never_falls_and_ends_at_1(store: JobStore) -> None:
    submit(store, "a")
    store.record_progress("a", "load", 0.5)  # it does not run yet
    assert get(store, "a").progress == 0.0
    store.claim("engine")
    for progress in (0.2, 0.6, 0.4, 7.0):
        store.record_progress("a", "sample", progress)
        assert get(store, "a").progress == max(0.2, min(1.0, progress), 0.6 if progress == 0.4 else 0)
    assert get(store, "a").phase == "sample"
    job = store.finish("a", "done")
    assert (job.status, job.progress, job.phase, job.position, job.finished) == ("done", 1.0, None, None, True)


def test_a_failure_keeps_its_words_and_its_progress(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claim("engine")
    store.record_progress("a", "sample", 0.25)
    clock.now += 2
    job = store.finish("a", "failed", "Out of memory: use a smaller size.")
    assert (job.status, job.error, job.progress) == ("failed", "Out of memory: use a smaller size.", 0.25)
    assert (job.finished_at, job.stopped_after_seconds) == (clock.now, None)


def test_what_has_ended_stays_ended(store: JobStore) -> None:
    submit(store, "a")
    store.claim("engine")
    ended = store.finish("a", "interrupted")
    events = store.last_event()
    assert store.finish("a", "done") == ended
    assert store.request("interrupt", "a") == RequestAnswer(False, "interrupted", "a", None)
    assert store.remove("a") is False
    assert store.recover("other", DIED) == []
    assert store.last_event() == events
    with pytest.raises(UnknownJob, match="There is no job 'zzz'"):
        store.finish("zzz", "done")


def test_events_tell_the_whole_story_once(store: JobStore) -> None:
    announced: list[int] = []
    store.announce = announced.append
    submit(store, "a")
    submit(store, "b")
    store.claim("engine")
    store.set_resolved("a", {"seed": 1})
    store.reserve_image("a", 0, seed=1, width=64, height=64, save=True)
    store.complete_image("a", 0, "infotext")
    store.complete_image("a", 0, "infotext")
    store.request("stop", "a")
    store.finish("a", "interrupted")
    store.remove("b")
    store.note_settings(("theme",))
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
    assert announced == [event.number for event in store.events_after(0)] == list(range(1, 10))
    image_event = store.events_after(4, limit=1)[0]
    assert image_event.payload == job_answer(get(store, "a"), store.images("a"))["outputs"][0]
    assert store.events_after(5)[0].payload == {"kind": "stop", "image": 0}
    assert store.events_after(8)[0].payload == {"changed": ["theme"]}
    assert store.last_event() == 9
    assert store.events_after(9) == []


def test_the_answer_has_all_that_clients_read(store: JobStore) -> None:
    submit(store, "task(1)")
    store.claim("engine")
    store.reserve_image("task(1)", 0, seed=7, width=64, height=32, save=False)
    store.complete_image("task(1)", 0, "heart\nSteps: 1", partial=True)
    answer = job_answer(get(store, "task(1)"), store.images("task(1)"))
    assert answer["outputs"] == [
        {
            "index": 0, "name": "00000-7.png", "url": "/sdapi/v1/jobs/task(1)/images/0.png", "width": 64, "height": 32,
            "seed": 7, "infotext": "heart\nSteps: 1", "partial": True,
        }
    ]  # fmt: skip
    names = {"id", "kind", "status", "phase", "progress", "attempts", "error", "request", "owner", "position"}
    assert set(answer) >= names | {"created_at", "started_at", "finished_at", "resolved", "stopped_after_seconds"}


def test_data_version_changes_with_every_change_of_anyone(store: JobStore) -> None:
    seen = {store.data_version()}
    assert store.data_version() in seen
    submit(store, "a")
    assert store.data_version() not in seen
    seen.add(store.data_version())
    other = JobStore(store._database.path)
    other.claim("engine")
    other.close()
    assert store.data_version() not in seen
