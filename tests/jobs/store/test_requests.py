"""Interrupt, skip, stop and remove: no click hits the wrong job, and none is lost when the engine dies."""

import threading

import pytest

from modules.errors import UnknownJob
from modules.jobs.rows import Death, Pending, RequestAnswer, RequestKind
from modules.jobs.store.job_store import JobStore
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import DIED, get, story, submit


@pytest.mark.parametrize("kind", ["skip", "interrupt", "stop"])
def test_with_nothing_to_act_on_it_says_so(store: JobStore, kind: RequestKind) -> None:
    assert store.control.ask(kind) == RequestAnswer(False, None, None, None)
    submit(store, "waiting")
    assert store.control.ask(kind) == RequestAnswer(False, None, None, None)
    with pytest.raises(UnknownJob):
        store.control.ask(kind, "unknown")


@pytest.mark.parametrize("kind", ["interrupt", "stop"])
def test_a_waiting_job_ends_at_once(store: JobStore, kind: RequestKind) -> None:
    submit(store, "a")
    assert store.control.ask(kind, "a") == RequestAnswer(True, "queued", "a", None)
    assert (get(store, "a").status, get(store, "a").stopped_after_seconds) == ("interrupted", 0.0)
    assert store.claims.claim("engine") is None
    assert story(store)[-1] == ("job", "a", "interrupted")


def test_a_waiting_job_has_no_image_to_skip(store: JobStore) -> None:
    submit(store, "a")
    assert store.control.ask("skip", "a") == RequestAnswer(False, "queued", "a", None)
    assert get(store, "a").status == "queued"


def test_a_running_job_keeps_the_request_until_its_engine_obeys(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.claims.begin_image("a", 2)
    assert store.control.ask("interrupt") == RequestAnswer(True, "running", "a", 2, times=1)
    assert store.claims.pending("a") == Pending("interrupt", None)
    assert get(store, "a").status == "running"
    clock.now += 1.5
    assert store.claims.finish("a", "interrupted").stopped_after_seconds == 1.5


def test_a_skip_means_the_image_drawn_at_the_click(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.claims.begin_image("a", 1)
    assert store.control.ask("skip", "a") == RequestAnswer(True, "running", "a", 1)
    store.claims.begin_image("a", 2)
    store.claims.clear_skip("a", 2)
    assert store.claims.pending("a") == Pending(None, 1)
    store.claims.clear_skip("a", 1)
    assert store.claims.pending("a") == Pending(None, None)
    assert store.claims.pending("unknown") == Pending(None, None)


def test_the_stronger_request_stays(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.control.ask("stop", "a")
    clock.now += 10
    store.control.ask("interrupt", "a")
    clock.now += 1
    store.control.ask("stop", "a")
    store.control.ask("interrupt", "a")
    assert store.claims.pending("a").requested == "interrupt"
    assert store.claims.finish("a", "interrupted").stopped_after_seconds == 1.0


def test_a_clock_that_goes_back_gives_no_negative_time(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.control.ask("interrupt", "a")
    clock.now -= 100
    assert store.claims.finish("a", "interrupted").stopped_after_seconds == 0.0


def test_a_clock_that_is_set_back_a_year_at_every_moment_loses_nothing(store: JobStore, clock: Clock) -> None:
    """Orders and endings go by numbers; only what is shown of times is that of the clock."""

    def back() -> None:
        clock.now -= 365 * 86400

    for id in ("a", "b", "c"):
        submit(store, id)
        back()
    assert store.jobs.queued_ids() == ["a", "b", "c"]
    store.claims.claim("engine-1")
    back()
    store.images.reserve("a", 0, seed=1, width=64, height=64, save=False)
    store.images.complete("a", 0, "x")
    back()
    store.control.ask("pause", "a")
    back()
    assert store.claims.pause_now("a").stopped_after_seconds == 0.0
    back()
    assert store.control.resume("a").accepted
    assert store.claims.claim("engine-1") == get(store, "a")
    back()
    assert [job.status for job in store.claims.recover(DIED)] == ["queued"]
    store.claims.claim("engine-2")
    back()
    assert store.claims.finish("a", "done").status == "done"
    back()
    assert store.control.ask("interrupt", "b").accepted
    back()
    assert (get(store, "b").stopped_after_seconds, store.queue.retry("b").accepted) == (0.0, True)
    assert store.images.expire_results(hours=1) == 0, "its hours have not begun yet by this clock"
    assert [image.status for image in store.jobs.images("a")] == ["complete"]
    assert [job.id for job in store.jobs.page()[0]] == ["c", "b", "a"], "the newest first"
    numbers = [event.number for event in store.events.after(0)]
    assert numbers == list(range(1, store.events.last() + 1))


def test_one_death_queues_the_job_again_at_its_place(store: JobStore) -> None:
    submit(store, "a")
    submit(store, "b")
    store.claims.claim("1/the-first")
    assert store.claims.recover(DIED, living={"1"}) == []
    recovered = store.claims.recover(DIED)
    assert [(job.id, job.status, job.deaths, job.position, job.engine) for job in recovered] == [
        ("a", "queued", 1, 1, None)
    ]
    assert store.jobs.queued_ids() == ["a", "b"]
    claimed = store.claims.claim("engine-2")
    assert claimed is not None
    assert (claimed.id, claimed.attempts, claimed.deaths) == ("a", 2, 1)


def test_two_deaths_quarantine_the_job_with_the_reason(store: JobStore) -> None:
    submit(store, "a")
    for engine in ("engine-1", "engine-2"):
        store.claims.claim(engine)
        store.claims.recover(DIED)
    job = get(store, "a")
    assert (job.status, job.deaths, job.position) == ("quarantined", 2, None)
    assert job.error == (
        "The engine died 2 times while it drew this job, last: killed by SIGKILL. It is not tried again by itself: "
        "retry it, or send it with a smaller size or batch, or another model."
    )
    assert job.log == ("loading", "Out of memory")
    assert store.claims.claim("engine-3") is None


def test_a_quarantine_without_a_log_has_none(store: JobStore) -> None:
    submit(store, "a")
    for number in range(2):
        store.claims.claim(f"engine-{number}")
        store.claims.recover(Death(ordered=False, reason="exit code 1"))
    assert (get(store, "a").status, get(store, "a").log) == ("quarantined", None)


@pytest.mark.parametrize("death", [None, Death(ordered=True, reason="exit code 0")])
def test_ordered_and_unknown_ends_do_not_count(store: JobStore, death: Death | None) -> None:
    submit(store, "a")
    for number in range(5):
        store.claims.claim(f"engine-{number}")
        store.claims.recover(death)
    assert (get(store, "a").status, get(store, "a").deaths, get(store, "a").attempts) == ("queued", 0, 5)


@pytest.mark.parametrize("kind", ["interrupt", "stop"])
def test_a_click_before_the_death_is_obeyed_after_it(store: JobStore, clock: Clock, kind: RequestKind) -> None:
    submit(store, "a")
    store.claims.claim("engine-1")
    store.control.ask(kind, "a")
    clock.now += 3
    (job,) = store.claims.recover(DIED)
    assert (job.status, job.deaths, job.stopped_after_seconds) == ("interrupted", 0, 3.0)


def test_a_skip_before_the_death_is_obeyed_after_it(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine-1")
    store.claims.begin_image("a", 3)
    store.control.ask("skip", "a")
    store.claims.recover(DIED)
    store.claims.claim("engine-2")
    assert store.claims.pending("a") == Pending(None, 3)


def test_a_waiting_job_can_be_taken_out(store: JobStore) -> None:
    submit(store, "a")
    assert store.queue.remove("a") is True
    assert store.jobs.get("a") is None
    assert story(store)[-1] == ("removed", "a", None)
    assert store.queue.remove("a") is False


def test_a_running_job_cannot_be_taken_out(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    assert store.queue.remove("a") is False
    assert get(store, "a").status == "running"


def test_a_waiting_job_that_has_pictures_is_not_forgotten(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine-1")
    store.images.reserve("a", 0, seed=1, width=64, height=64, save=True)
    store.images.complete("a", 0, "x")
    store.claims.recover(DIED)
    assert store.queue.remove("a") is True
    assert get(store, "a").status == "interrupted"
    assert len(store.jobs.images("a")) == 1


def test_a_click_that_comes_too_late_waits_for_nobody_who_writes(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.claims.finish("a", "done")
    answers: list[RequestAnswer] = []
    late = threading.Thread(target=lambda: answers.append(store.control.ask("interrupt", "a")))
    with store.database.write():
        late.start()
        late.join(10)
        assert answers == [RequestAnswer(False, "done", "a")]
