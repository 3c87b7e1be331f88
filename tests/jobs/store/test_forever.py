"""Jobs that are made again and again: what follows what, and how a chain ends."""

from typing import Any

import pytest

from modules.errors import UnknownJob
from modules.jobs.rows import SEED_HIGHEST, QueueLimits, RequestAnswer
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from modules.jobs.store.transitions import next_request
from tests.jobs.store.test_control import run
from tests.jobs.store.test_job_store import get, story, submit


def forever(store: JobStore, id: str, **request: Any) -> None:
    store.queue.submit("txt2img", request, "me", id=id, priority=3, forever=True)
    store.claims.claim("engine-1")


def test_a_forever_job_is_followed_by_another_like_it(store: JobStore) -> None:
    forever(store, "a", prompt="x", seed=-1)
    store.claims.finish("a", "done")
    (follower,), _ = store.jobs.page(JobFilter(("queued",)))
    assert (follower.request, follower.owner, follower.priority) == ({"prompt": "x", "seed": -1}, "me", 3)
    assert (follower.forever, follower.follows, follower.resolved, follower.id != "a") == (True, "a", None, True)
    assert story(store)[-2:] == [("job", "a", "done"), ("job", follower.id, "queued")]
    assert store.claims.finish("a", "done").status == "done"  # a second time queues no second one
    assert store.jobs.queued_count() == 1


def test_a_fixed_seed_goes_on_after_the_last_one_used() -> None:
    assert next_request({"seed": 10, "batch_size": 4, "n_iter": 3})["seed"] == 22
    assert next_request({"seed": 10})["seed"] == 11
    assert next_request({"seed": 0, "batch_size": None, "n_iter": 2})["seed"] == 2
    assert next_request({"seed": SEED_HIGHEST - 5, "n_iter": 5})["seed"] == 0  # the last of five would be beyond
    assert next_request({"seed": SEED_HIGHEST - 9, "n_iter": 5})["seed"] == SEED_HIGHEST - 4
    for request in ({"seed": -1, "n_iter": 2}, {"prompt": "x"}):
        assert next_request(request) == request


@pytest.mark.parametrize("ending", ["interrupt", "stop", "failed", "off", "waiting"])
def test_a_chain_ends_when_it_is_stopped(store: JobStore, ending: str) -> None:
    forever(store, "a")
    if ending == "off":
        assert store.control.set_forever("a", False) == RequestAnswer(True, "running", "a", None)
        store.claims.finish("a", "done")
    elif ending == "failed":
        store.claims.finish("a", "failed", "words")
    elif ending == "waiting":
        store.claims.finish("a", "done")
        store.control.ask("interrupt", store.jobs.queued_ids()[0])
    else:
        store.control.ask(ending, "a")  # type: ignore[arg-type]
        store.claims.finish(
            "a", "done" if ending == "stop" else "interrupted"
        )  # a stop in the last picture comes too late
    assert store.jobs.queued_ids() == []


def test_a_chain_that_was_retried_is_no_chain_any_more_when_it_had_been_stopped(store: JobStore) -> None:
    forever(store, "a")
    store.claims.finish("a", "interrupted")
    assert get(store, "a").forever is False
    store.queue.retry("a")
    store.claims.claim("engine-1")
    store.claims.finish("a", "done")
    assert store.jobs.queued_ids() == []


def test_a_click_on_a_link_of_the_chain_that_is_done_means_the_newest(store: JobStore) -> None:
    forever(store, "a")
    for _ in range(2):
        store.claims.finish(getattr(store.jobs.running(), "id", "?"), "done")
        store.claims.claim("engine-1")
    running = store.jobs.running()
    assert running is not None
    assert store.control.set_forever("a", False) == RequestAnswer(True, "running", running.id, None)
    store.claims.finish(running.id, "done")
    assert store.jobs.queued_ids() == []
    assert store.control.set_forever("a", False) == RequestAnswer(False, "done", running.id, None)


@pytest.mark.parametrize("kind", ["interrupt", "stop", "pause"])
def test_a_stop_that_comes_when_its_job_is_done_ends_the_chain_all_the_same(store: JobStore, kind: Any) -> None:
    forever(store, "a")
    store.claims.finish("a", "done")
    (follower,) = store.jobs.queued_ids()
    assert store.control.ask("skip", "a") == RequestAnswer(False, "done", "a", None)
    assert store.control.ask(kind, "a") == RequestAnswer(True, "queued", follower, None)
    assert get(store, follower).status == ("paused" if kind == "pause" else "interrupted")
    assert store.control.ask("stop", "a").accepted is (kind == "pause")
    assert store.control.ask(kind, "a") == RequestAnswer(False, "done", "a", None)  # the chain has ended
    run(store, "b")
    store.claims.finish("b", "done")
    submit(store, "c")
    assert store.control.ask(kind, "b") == RequestAnswer(
        False, "done", "b", None
    )  # no chain: the next job is not meant


def test_any_job_can_become_a_chain(store: JobStore) -> None:
    run(store, "a")
    assert store.control.set_forever("a", True).accepted
    assert store.events.after(store.events.last() - 1)[0].payload == {"kind": "forever", "on": True, "image": 0}
    store.claims.finish("a", "done")
    assert store.jobs.queued_count() == 1
    with pytest.raises(UnknownJob):
        store.control.set_forever("?", True)


def test_a_pause_that_came_too_late_for_a_link_of_a_chain_pauses_the_next(store: JobStore) -> None:
    forever(store, "a")
    store.control.ask("pause", "a")
    store.claims.finish("a", "done")
    (follower,), _ = store.jobs.page(JobFilter(("paused",)))
    assert (follower.follows, store.jobs.queued_count()) == ("a", 0)
    store.control.resume(follower.id)
    assert store.jobs.queued_ids() == [follower.id]


def test_a_chain_goes_on_in_a_full_queue_and_waits_in_a_paused_one(store: JobStore) -> None:
    forever(store, "a")
    store.queue.limits = lambda: QueueLimits(1, 1)
    submit(store, "b")
    store.queue.pause()
    store.claims.finish("a", "done")
    assert store.jobs.queued_count() == 2
    assert store.claims.claim("engine-1") is None
