"""Jobs that have ended are queued again for pictures that they lack."""

from typing import Any

import pytest

from modules.errors import InvalidRequest, QueueFull
from modules.jobs.rows import QueueLimits, RequestAnswer
from modules.jobs.store.job_store import JobStore
from tests.jobs.store.test_control import run
from tests.jobs.store.test_job_store import get, submit


def drawn(store: JobStore, status: Any = "done", **pictures: bool) -> None:
    """Draw pictures of a job, `_0=False` a whole one and `_1=True` a partial one, and end it."""
    run(store, "a")
    for name, partial in pictures.items():
        index = int(name[1:])
        store.claims.begin_image("a", index)
        store.images.reserve("a", index, seed=index, width=64, height=64, save=True)
        store.images.complete("a", index, "x", partial=partial)
    store.claims.finish("a", status)


def test_a_job_that_is_done_waits_again_for_what_it_lacks_alone(store: JobStore) -> None:
    drawn(store, _0=False, _1=True, _3=True)
    assert store.queue.redraw("a", [0, 1, 2]) == RequestAnswer(True, "done", "a")
    job = get(store, "a")
    assert (job.status, job.wanted, job.image_index, job.progress, job.finished_at) == ("queued", (1, 2), None, 0, None)
    assert [image.index for image in store.jobs.images("a")] == [0, 3]  # 1 is drawn whole; nobody wants 3
    assert store.claims.claim("engine-1") is not None
    assert store.claims.requeue("a").wanted == (1, 2)  # an engine that dies changes nothing of it
    store.claims.claim("engine-1")
    store.claims.finish("a", "interrupted")
    assert [image.index for image in store.jobs.images("a")] == [0, 1, 3]  # the partial one comes back
    assert store.queue.retry("a").accepted
    assert get(store, "a").wanted is None


def test_a_job_that_lacks_none_of_them_or_has_not_ended_is_not_drawn_again(store: JobStore) -> None:
    drawn(store, _0=False)
    with pytest.raises(InvalidRequest) as refused:
        store.queue.redraw("a", [0])
    assert refused.value.field == "images" and get(store, "a").status == "done"
    store.queue.redraw("a", [1])
    assert store.queue.redraw("a", [1]) == RequestAnswer(False, "queued", "a")


def test_a_job_that_is_drawn_again_is_followed_by_no_other_and_waits_only_where_there_is_room(store: JobStore) -> None:
    submit(store, "a")
    store.control.set_forever("a", True)
    store.claims.claim("engine-1")
    store.claims.finish("a", "done")
    store.queue.limits = lambda: QueueLimits(total=1, per_owner=1)
    with pytest.raises(QueueFull):
        store.queue.redraw("a", [0])
    store.queue.limits = QueueLimits
    assert store.queue.redraw("a", [0]).accepted
    for _ in range(2):
        job = store.claims.claim("engine-1")
        assert job is not None
        followed = [one.id for one in store.jobs.page()[0]]
        store.claims.finish(job.id, "done")
        if job.id == "a":
            assert [one.id for one in store.jobs.page()[0]] == followed
