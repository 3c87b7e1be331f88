"""Who is next, by hand and by turns; how many may wait; what can be found again."""

import pytest

from modules.errors import InvalidRequest, QueueFull, UnknownJob
from modules.jobs.rows import Actor, QueueLimits, RequestAnswer
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import DIED, get, story, submit


def submit_all(store: JobStore, jobs: str) -> None:
    """Submit jobs such as "a1 a2 b1": the letter is the owner."""
    for id in jobs.split():
        submit(store, id, owner=id[0])


def queue(store: JobStore) -> str:
    """The waiting jobs in order. Every way of asking for the order gives the same one."""
    ids = store.jobs.queued_ids()
    listed, total = store.jobs.page(JobFilter(("queued",)), limit=1000)
    assert [job.id for job in listed] == ids
    assert [job.position for job in listed] == [get(store, id).position for id in ids] == list(range(1, total + 1))
    return " ".join(ids)


def claim(store: JobStore) -> str:
    job = store.claims.claim("engine")
    assert job is not None
    store.claims.finish(job.id, "done")
    return job.id


def claim_all(store: JobStore) -> str:
    claimed = [claim(store) for _ in range(store.jobs.queued_count())]
    assert store.claims.claim("engine") is None
    return " ".join(claimed)


def test_owners_take_turns_however_many_jobs_they_have(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3 a4 b1 b2 c1")
    order = "a1 b1 c1 a2 b2 a3 a4"
    assert queue(store) == order
    assert claim_all(store) == order


def test_who_comes_late_waits_for_one_job_of_each_other_owner(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3 b1 b2 b3")
    assert claim(store) == "a1"
    submit_all(store, "c1 c2")
    assert claim_all(store) == "b1 c1 a2 b2 c2 a3 b3"
    submit_all(store, "a4 b4 c3")
    assert queue(store) == "c3 a4 b4"  # by whose last claim is longest ago


def test_turns_go_by_counting_so_a_clock_that_goes_back_changes_nothing(store: JobStore, clock: Clock) -> None:
    submit_all(store, "a1 a2 b1 b2 c1 c2")
    claimed = []
    for _ in range(6):
        claimed.append(claim(store))
        clock.now -= 1000
    assert claimed == ["a1", "b1", "c1", "a2", "b2", "c2"]
    assert all(get(store, id).stopped_after_seconds is None for id in claimed)


def test_a_turn_is_had_also_when_the_job_that_had_it_is_removed(store: JobStore) -> None:
    submit_all(store, "a1 a2 b1")
    assert store.claims.claim("engine-1")
    store.claims.recover()
    assert queue(store) == "a1 b1 a2"
    assert store.queue.remove("a1")
    assert queue(store) == "b1 a2"
    submit_all(store, "c1")
    assert claim_all(store) == "b1 c1 a2"


def test_turns_are_within_one_priority(store: JobStore) -> None:
    submit(store, "a1", owner="a", priority=5)
    submit(store, "a2", owner="a", priority=5)
    submit_all(store, "a3 b1")
    submit(store, "b2", owner="b", priority=-1)
    order = "a1 a2 b1 a3 b2"  # a had two turns when b had none
    assert queue(store) == order
    assert claim_all(store) == order


def test_a_job_moved_to_the_front_is_next_and_turns_go_on_behind_it(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3 b1 b2")
    assert store.queue.move("a3", "front") == RequestAnswer(True, "queued", "a3", None)
    assert queue(store) == "a3 b1 a1 b2 a2"
    assert store.events.after(5)[0].payload == {"moved": "front"}
    store.queue.move("b2", "front")
    assert queue(store) == "b2 a3 b1 a1 a2"
    assert claim_all(store) == "b2 a3 b1 a1 a2"


@pytest.mark.parametrize(
    ("to", "order"),
    [
        (1, "a5 a1 a2 a3 a4"),
        (3, "a1 a2 a5 a3 a4"),
        (5, "a1 a2 a3 a4 a5"),
        (99, "a1 a2 a3 a4 a5"),
        (-7, "a5 a1 a2 a3 a4"),
        ("back", "a1 a2 a3 a4 a5"),
    ],
)
def test_a_job_stands_where_it_was_put(store: JobStore, to: int, order: str) -> None:
    submit_all(store, "a1 a2 a3 a4 a5")
    store.queue.move("a5", to)
    assert queue(store) == order
    assert claim_all(store) == order


def test_later_jobs_and_leaving_ones_do_not_move_what_was_put_somewhere(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3 a4 a5")
    store.queue.move("a1", 4)
    assert queue(store) == "a2 a3 a4 a1 a5"
    submit_all(store, "b1 c1")
    assert queue(store) == "a2 b1 c1 a1 a3 a4 a5"
    store.control.ask("interrupt", "b1")
    store.control.ask("pause", "a3")
    assert queue(store) == "a2 c1 a1 a4 a5"  # one of the three before it went: it moved up
    assert claim(store) == "a2"
    assert queue(store) == "c1 a1 a4 a5"
    assert store.queue.remove("c1")
    assert claim_all(store) == "a1 a4 a5"


def test_the_last_place_is_reached_however_many_come_later(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3")
    store.queue.move("a1", "back")
    claimed = []
    for number in range(3):
        submit(store, f"b{number}", owner="b")
        claimed.append(claim(store))
    assert claimed[2] == "a1"


def test_between_jobs_of_another_priority_a_job_takes_theirs(store: JobStore) -> None:
    for id, priority in (("h1", 5), ("h2", 5), ("m1", 0), ("m2", 0), ("l1", -5)):
        submit(store, id, priority=priority)
    store.queue.move("l1", 2)
    assert queue(store) == "h1 l1 h2 m1 m2"
    assert get(store, "l1").priority == 5
    store.queue.move("l1", 3)
    assert (queue(store), get(store, "l1").priority) == ("h1 h2 l1 m1 m2", 5)
    store.queue.move("h1", "back")
    assert (queue(store), get(store, "h1").priority) == ("h2 l1 m1 m2 h1", 0)
    assert claim_all(store) == "h2 l1 m1 m2 h1"


def test_a_priority_can_be_changed(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3")
    store.queue.move("a3", "front")
    assert store.queue.prioritise("a2", 7).accepted
    assert (queue(store), get(store, "a2").priority) == ("a2 a3 a1", 7)
    assert story(store)[-1] == ("queue", "a2", None)
    store.queue.prioritise("a3", 0)  # its place is forgotten
    assert queue(store) == "a2 a1 a3"
    with pytest.raises(InvalidRequest, match="Priority 1001 is not possible: use -1000 to 1000") as caught:
        store.queue.prioritise("a1", 1001)
    assert caught.value.field == "priority"
    with pytest.raises(InvalidRequest):
        submit(store, "x", priority=-(2**70))


def test_what_does_not_wait_cannot_be_moved(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3")
    store.claims.claim("engine")
    store.control.ask("pause", "a2")
    store.control.ask("interrupt", "a3")
    events = store.events.last()
    for id, status in (("a1", "running"), ("a2", "paused"), ("a3", "interrupted")):
        assert store.queue.move(id, "front") == RequestAnswer(False, status, id, None)
    assert store.queue.prioritise("a3", 1) == RequestAnswer(False, "interrupted", "a3", None)
    assert store.events.last() == events
    for deed in (store.queue.move, store.queue.prioritise):
        with pytest.raises(UnknownJob):
            deed("?", 1)


def test_a_job_whose_engine_died_is_the_next_of_its_priority(store: JobStore) -> None:
    submit_all(store, "a1 b1 c1")
    assert store.claims.claim("engine-1") == get(store, "a1")
    store.queue.move("c1", "front")
    store.claims.recover(DIED)
    assert queue(store) == "a1 c1 b1"
    submit(store, "urgent", priority=1)
    assert claim_all(store) == "urgent a1 c1 b1"


def test_a_paused_queue_gives_nothing_until_it_goes_on(store: JobStore, clock: Clock) -> None:
    submit_all(store, "a1 a2")
    assert not store.jobs.queue_paused()
    assert (store.queue.pause(), store.queue.pause()) == (True, False)
    assert store.events.after(2)[0].payload == {"paused": True}
    other = JobStore(store.database.path, clock=clock)
    assert (other.jobs.queue_paused(), other.claims.claim("engine"), other.jobs.queued_count()) == (True, None, 2)
    assert (other.queue.resume(), other.queue.resume()) == (True, False)
    other.close()
    assert claim_all(store) == "a1 a2"
    assert [event.payload for event in store.events.after(0) if event.kind == "queue"] == [
        {"paused": True},
        {"paused": False},
    ]


def test_what_runs_goes_on_while_the_queue_is_paused(store: JobStore) -> None:
    submit_all(store, "a1")
    store.claims.claim("engine")
    store.queue.pause()
    assert store.claims.finish("a1", "done").status == "done"


def test_too_many_jobs_are_refused_with_number_and_remedy(store: JobStore) -> None:
    store.queue.limits = lambda: QueueLimits(total=5, per_owner=3)
    submit_all(store, "a1 a2 a3")
    store.control.ask("pause", "a1")  # it is still kept
    with pytest.raises(QueueFull) as caught:
        submit_all(store, "a4")
    assert str(caught.value) == (
        "3 of your jobs wait, the setting queue_limit_per_owner allows 3. "
        "Send it again when some are done, cancel some, or raise the setting."
    )
    assert caught.value.retry_after_seconds > 0
    assert submit(store, "a1", owner="a").status == "paused"  # known: no new job
    submit_all(store, "b1 b2")
    with pytest.raises(QueueFull, match="The queue is full: 5 jobs wait, the setting queue_limit allows 5"):
        submit_all(store, "c1")
    claim(store)
    submit_all(store, "c1")
    store.queue.limits = lambda: QueueLimits(total=0, per_owner=0)
    submit_all(store, "c2 c3 c4")
    assert store.jobs.counts() == {"queued": 7, "paused": 1, "done": 1}


def test_all_waiting_jobs_or_those_of_one_owner_are_cancelled(store: JobStore) -> None:
    submit_all(store, "a1 b1 a2 b2 b3")
    store.claims.claim("engine")
    store.control.ask("pause", "b3")
    store.queue.move("b1", 2)
    assert store.queue.interrupt_waiting("a") == 1
    assert queue(store) == "b1 b2" or queue(store) == "b2 b1"
    assert store.queue.interrupt_waiting() == 2
    assert store.queue.interrupt_waiting() == 0
    assert [get(store, id).status for id in ("a1", "a2", "b1", "b2", "b3")] == [
        "running", "interrupted", "interrupted", "interrupted", "paused",
    ]  # fmt: skip
    assert get(store, "b1").stopped_after_seconds == 0.0


def test_what_came_since_is_not_cancelled_and_moves_up(store: JobStore, clock: Clock) -> None:
    submit_all(store, "a1 b1")
    seen = clock.now
    clock.now += 1
    submit_all(store, "a2 b2")
    store.queue.move("a1", 4)
    assert store.queue.interrupt_waiting(created_until=seen) == 2
    assert queue(store) == "a2 b2"
    assert [get(store, id).position for id in ("a2", "b2")] == [1, 2]


def test_what_was_put_somewhere_moves_up_when_others_are_cancelled(store: JobStore) -> None:
    submit_all(store, "a1 a2 b1 b2 b3")
    store.queue.move("b3", 3)
    assert queue(store) == "a1 b1 b3 a2 b2"
    store.queue.interrupt_waiting("a")
    assert queue(store) == "b1 b3 b2"


def test_jobs_are_found_by_the_words_of_their_prompts(store: JobStore) -> None:
    for id, prompt in (("a", "Ein rotes HERZ"), ("b", "ÜBER ein Herz"), ("c", "100% wool_1"), ("d", "über")):
        store.queue.submit("txt2img", {"prompt": prompt}, "me", id=id)
    store.queue.submit("txt2img", {"steps": 5}, "me", id="without")

    def found(text: str, owner: str | None = None, *statuses: str) -> str:
        jobs, total = store.jobs.page(JobFilter(statuses, owner, text))
        assert total == len(jobs)
        return " ".join(job.id for job in jobs)

    assert found("herz") == "b a"
    assert found("  herz   EIN ") == "b a"
    assert found("über") == "d b"
    assert found("%") == "c"
    assert found("l_1") == "c"
    assert found("herz", owner="you") == ""
    assert found("") == "without d c b a"
    store.control.ask("interrupt", "a")
    assert found("herz", None, "queued") == "b"
    assert found("herz", None, "interrupted", "done") == "a"


def test_many_jobs_are_read_at_once(store: JobStore) -> None:
    store.queue.limits = lambda: QueueLimits(0, 0)
    ids = [submit(store, f"job-{number}").id for number in range(520)]
    jobs = store.jobs.by_ids([*ids, "unknown"])
    assert set(jobs) == set(ids)
    assert [jobs[id].position for id in ids] == list(range(1, 521))
    assert store.jobs.by_ids([]) == {}


def test_an_edited_job_takes_the_place_of_the_one_that_it_replaces(store: JobStore) -> None:
    submit_all(store, "a1 a2 b1 b2 a3 b3")
    store.queue.move("b2", 2)
    store.queue.prioritise("a3", -5)
    before = queue(store).split()
    for old in ("a2", "b2", "a3"):
        place = before.index(old)
        store.queue.submit("txt2img", {"prompt": "new"}, old[0], f"{old}x", retry_of=old, replaces=old)
        before[place] = f"{old}x"
        assert queue(store).split() == before
        assert store.jobs.get(old) is None
        assert get(store, f"{old}x").retry_of is None, "what is gone cannot be shown"
    assert get(store, "a3x").priority == -5


def test_another_owners_edited_job_stands_in_the_same_place(store: JobStore) -> None:
    submit_all(store, "a1 a2 a3 a4")
    store.queue.submit("txt2img", {"prompt": "new"}, "b", "b1", replaces="a3")
    assert queue(store) == "a1 a2 b1 a4"


def test_an_edited_job_that_had_begun_or_gone_is_not_replaced(store: JobStore) -> None:
    submit_all(store, "a1 a2")
    assert claim(store) == "a1"
    for n, old in enumerate(("a1", "never")):
        store.queue.submit("txt2img", {"prompt": "new"}, "a", f"n{n}", retry_of=old, replaces=old)
    assert queue(store) == "a2 n0 n1"
    assert (get(store, "a1").status, get(store, "n0").retry_of) == ("done", "a1")


def test_a_chain_and_a_full_queue_go_on_with_the_edited_job(store: JobStore) -> None:
    store.queue.limits = lambda: QueueLimits(1, 1)
    store.queue.submit("txt2img", {"prompt": "a"}, "a", "a1", forever=True)
    job = store.queue.submit("txt2img", {"prompt": "new"}, "a", "n1", replaces="a1")
    assert (job.forever, job.position) == (True, 1)
    with pytest.raises(QueueFull):
        store.queue.submit("txt2img", {"prompt": "b"}, "a", "b1")


def test_an_edited_job_with_pictures_is_kept_as_interrupted(store: JobStore) -> None:
    submit_all(store, "a1 a2")
    store.claims.claim("engine-1")
    store.images.reserve("a1", 0, 7, 64, 64, save=True)
    store.claims.recover(DIED)
    assert queue(store).split()[0] == "a1"
    store.queue.submit("txt2img", {"prompt": "new"}, "a", "n1", retry_of="a1", replaces="a1")
    assert (queue(store), get(store, "a1").status) == ("n1 a2", "interrupted")


def test_one_client_cannot_fill_the_queue_by_naming_many_owners(store: JobStore) -> None:
    store.queue.limits = lambda: QueueLimits(total=10, per_owner=3)
    crowd, other = "10.0.0.7", "10.0.0.8"
    for number in range(3):
        submit(store, f"job-{number}", owner=f"owner-{number}", by=Actor(f"owner-{number}", crowd))
    with pytest.raises(QueueFull, match=r"3 jobs from your address 10.0.0.7 wait"):
        submit(store, "more", owner="new", by=Actor("new", crowd))
    submit(store, "other", owner="x", by=Actor("x", other))
    assert store.jobs.page()[1] == 4
    store.control.ask("interrupt", "job-0")
    submit(store, "again", owner="new", by=Actor("new", crowd))
    with pytest.raises(QueueFull):
        store.queue.retry("job-0")


def test_the_jobs_that_follow_one_count_as_sent_from_its_address(store: JobStore) -> None:
    submit(store, "first", forever=True, by=Actor("me", "10.0.0.7"))
    claim(store)
    store.queue.limits = lambda: QueueLimits(total=10, per_owner=1)
    with pytest.raises(QueueFull, match=r"from your address"):
        submit(store, "more", owner="new", by=Actor("new", "10.0.0.7"))


def test_what_is_cancelled_before_it_began_can_be_forgotten(store: JobStore) -> None:
    submit_all(store, "a1 a2 b1")
    store.claims.claim("engine-1")
    store.images.reserve("a1", 0, 7, 64, 64, save=True)
    store.claims.recover(DIED)
    assert store.queue.interrupt_waiting(forget=True) == 3
    assert (get(store, "a1").status, store.jobs.page()[1]) == ("interrupted", 1)
    removed = [event.job_id for event in store.events.after(0) if event.kind == "removed"]
    assert sorted(filter(None, removed)) == ["a2", "b1"]
