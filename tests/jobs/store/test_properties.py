"""Any course of events keeps what the store promises: no job lost, none twice, order, fairness, chains that end."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from modules.jobs.rows import Death, Job
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from tests.jobs.conftest import Clock

OWNERS = strategies.sampled_from("abc")
PRIORITIES = strategies.sampled_from((0, 0, 0, 0, 1, -1))
STOPS = strategies.sampled_from(("interrupt", "stop", "pause"))
ENDS = strategies.sampled_from(("done", "done", "done", "failed", "interrupted"))
DEATHS = strategies.sampled_from((None, Death(ordered=True, reason="restart"), Death(ordered=False, reason="SIGSEGV")))
NEXT_STATUSES = {
    None: {"queued", "paused"},
    "queued": {"running", "paused", "interrupted", "queued"},
    "running": {"running", "queued", "done", "failed", "interrupted", "paused", "quarantined"},
    "paused": {"queued", "interrupted"},
    "done": set(),
    "failed": {"queued"},
    "interrupted": {"queued"},
    "quarantined": {"queued"},
}


def some_are(*statuses: str) -> Any:
    """Let a rule apply only while there is a job of one of these statuses."""
    return precondition(lambda course: any(status in statuses for status in course.status.values()))


class Course(RuleBasedStateMachine):
    """Two stores on one file stand for two processes; a model of dictionaries says what must be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        path = Path(self.folder.name) / "jobs.sqlite"
        self.stores = [JobStore(path, clock=self.clock) for _ in range(2)]
        for store in self.stores:  # what a power cut would do is tested elsewhere
            store.database._idle[0].execute("PRAGMA synchronous = OFF")
        self.store = self.stores[0]
        self.status: dict[str, str] = {}
        self.removed: set[str] = set()
        self.resumed: set[str] = set()  # while their engine was about to pause them
        self.placed: set[str] = set()  # moved by hand or given back: these go out of turn
        self.preferred: set[str] = set()  # resumed: these go before the others of their owner
        self.turns: dict[str, int] = {}
        self.waited: dict[str, dict[str, int]] = {}  # owner -> claims of each other owner since it waits
        self.claims = 0
        self.engine = 0
        self.paused = False

    def teardown(self) -> None:
        try:
            self.drain()
            self.check_events()
        finally:
            for store in self.stores:
                store.close()
            self.folder.cleanup()

    # --- What may happen ----------------------------------------------------------------------------------------------

    @initialize(jobs=strategies.lists(strategies.tuples(OWNERS, PRIORITIES), max_size=8))
    def begin_with_some(self, jobs: list[tuple[str, int]]) -> None:
        for owner, priority in jobs:
            self.submit(owner, priority, False, -1)

    @rule(owner=OWNERS, priority=PRIORITIES, forever=strategies.booleans(), seed=strategies.sampled_from((-1, 5)))
    def submit(self, owner: str, priority: int, forever: bool, seed: int) -> None:
        id = f"{owner}{len(self.status) + len(self.removed)}"
        job = self.store.queue.submit(
            "txt2img", {"seed": seed, "n_iter": 2}, owner, id=id, priority=priority, forever=forever
        )
        assert job.id not in self.status
        self.status[job.id] = "queued"
        assert self.store.queue.submit("txt2img", {}, "other", id=id).number == job.number

    @rule()
    def claim(self) -> None:
        order = self.waiting()
        job = self.store.claims.claim(f"engine-{self.engine}")
        if self.paused or not order:
            assert job is None
            return
        assert job is not None
        self.check_turn(order, job)
        self.status[job.id] = "running"
        assert self.store.jobs.queued_ids() == [one.id for one in order[1:]]

    @some_are("running")
    @rule(data=strategies.data(), status=ENDS)
    def finish(self, data: Any, status: Any) -> None:
        job = self.choose(data, "running")
        requested = self.get(job).requested
        before = self.get(job)
        ended = self.store.claims.finish(job, status)
        self.status[job] = ended.status
        self.resumed.discard(job)
        assert ended.status == status
        followers = [one for one in self.all_jobs() if one.follows == job]
        if status == "done" and before.forever and requested in (None, "pause"):
            (follower,) = followers
            seed = before.request["seed"]
            assert follower.request["seed"] == (-1 if seed == -1 else seed + 2)
            self.status[follower.id] = "paused" if requested else "queued"
        else:
            assert not followers

    @some_are("queued", "running", "paused", "done")
    @rule(data=strategies.data(), kind=STOPS)
    def ask(self, data: Any, kind: Any) -> None:
        asked = self.choose(data)
        job = self.meant_by(asked)
        before = self.get(job)
        answer = self.store.control.ask(kind, asked)
        assert answer.job == job
        assert answer.was == before.status == self.status[job]
        if before.status == "running":
            weaker = kind == "pause" and before.requested in ("interrupt", "stop")
            assert answer.accepted is not weaker
            self.resumed.discard(job)
        elif before.status in ("queued", "paused"):
            assert answer.accepted is not (kind == "pause" and before.status == "paused")
            if answer.accepted:
                self.status[job] = "paused" if kind == "pause" else "interrupted"
                self.placed.discard(job)
        else:
            assert not answer.accepted

    @some_are("running")
    @rule(data=strategies.data(), deed=strategies.sampled_from(("pause_now", "requeue")))
    def give_back(self, data: Any, deed: str) -> None:
        id = self.choose(data, "running")
        requested = self.get(id).requested
        after = getattr(self.store.claims, deed)(id).status
        if requested in ("interrupt", "stop"):
            assert after == "interrupted"
        elif requested == "pause":
            assert after == "paused"
        else:
            assert after == ("paused" if deed == "pause_now" and id not in self.resumed else "queued")
        self.resumed.discard(id)
        self.status[id] = after
        if after == "queued":
            self.is_next(id)

    @rule(death=DEATHS)
    def recover(self, death: Death | None) -> None:
        self.engine += 1
        recovered = self.store.claims.recover(death)
        assert {job.id for job in recovered} == {id for id, status in self.status.items() if status == "running"}
        for job in recovered:
            assert job.status in ("queued", "paused", "interrupted", "quarantined")
            assert (job.status == "quarantined") <= (job.deaths >= 2)
            self.status[job.id] = job.status
        self.resumed.clear()
        self.placed.update(job.id for job in recovered if job.status == "queued")
        if recovered and recovered[0].status == "queued":
            self.is_next(recovered[0].id)

    @some_are("paused", "running", "failed", "interrupted", "quarantined")
    @rule(data=strategies.data(), deed=strategies.sampled_from(("resume", "resume", "retry")))
    def wait_again(self, data: Any, deed: str) -> None:
        id = self.choose(data)
        was, before = self.status[id], self.get(id)
        answer = self.store.control.resume(id) if deed == "resume" else self.store.queue.retry(id)
        if deed == "resume":
            assert answer.accepted is (was == "paused" or (was == "running" and before.requested == "pause"))
        else:
            assert answer.accepted is (was in ("failed", "interrupted", "quarantined"))
        if answer.accepted and was == "running":
            self.resumed.add(id)
        elif answer.accepted:
            self.status[id] = "queued"
            self.preferred.update({id} if deed == "resume" else ())
            own = [job for job in self.waiting() if (job.owner, job.priority) == (before.owner, before.priority)]
            assert deed == "retry" or next(job.id for job in own if job.id not in self.placed) == id

    @some_are("queued")
    @rule(data=strategies.data(), to=strategies.sampled_from(("front", "back", 1, 2, 3, 50)))
    def move(self, data: Any, to: Any) -> None:
        id = self.choose(data, "queued")
        assert self.store.queue.move(id, to).accepted
        order = self.store.jobs.queued_ids()
        place = {"front": 1, "back": len(order)}.get(to, to)
        assert order.index(id) + 1 == min(place, len(order))
        self.placed.add(id)

    @some_are("queued", "running", "paused", "done")
    @rule(data=strategies.data(), priority=PRIORITIES)
    def prioritise(self, data: Any, priority: int) -> None:
        id = self.choose(data)
        answer = self.store.queue.prioritise(id, priority)
        assert answer.accepted is (self.status[id] in ("queued", "running", "paused"))
        if answer.accepted:
            assert self.get(id).priority == priority
            self.placed.discard(id)

    @some_are("queued", "running", "paused", "done")
    @rule(data=strategies.data())
    def remove(self, data: Any) -> None:
        id = self.choose(data)
        if self.store.queue.remove(id):
            assert self.status.pop(id) == "queued"
            self.removed.add(id)
            self.placed.discard(id)

    @rule(owner=strategies.one_of(strategies.none(), OWNERS))
    def interrupt_waiting(self, owner: str | None) -> None:
        chosen = [job.id for job in self.waiting() if owner in (None, job.owner)]
        assert self.store.queue.interrupt_waiting(owner) == len(chosen)
        self.status.update(dict.fromkeys(chosen, "interrupted"))
        self.placed.difference_update(chosen)

    @rule(paused=strategies.booleans())
    def pause_queue(self, paused: bool) -> None:
        changed = self.store.queue.pause() if paused else self.store.queue.resume()
        assert changed is (paused != self.paused)
        self.paused = paused

    @some_are("queued", "running", "paused", "done")
    @rule(data=strategies.data(), on=strategies.booleans())
    def set_forever(self, data: Any, on: bool) -> None:
        id = self.choose(data)
        answer = self.store.control.set_forever(id, on)
        assert answer.job is not None
        assert answer.accepted is (self.status[answer.job] in ("queued", "running", "paused"))
        assert not answer.accepted or self.get(answer.job).forever is on

    @rule()
    def go_on_in_the_other_process(self) -> None:
        self.stores.reverse()
        self.store = self.stores[0]

    @rule(seconds=strategies.sampled_from((-1000.0, 0.5, 100.0)))
    def set_clock(self, seconds: float) -> None:
        self.clock.now += seconds

    # --- What must be -------------------------------------------------------------------------------------------------

    @invariant()
    def every_job_is_there_once_with_its_status(self) -> None:
        jobs = self.all_jobs()
        assert {job.id: job.status for job in jobs} == self.status
        assert len(jobs) == len(self.status)
        assert all(self.store.jobs.get(id) is None for id in self.removed)
        assert all(job.stopped_after_seconds is None or job.stopped_after_seconds >= 0 for job in jobs)
        assert all((job.finished_at is not None) == job.finished for job in jobs)

    @invariant()
    def every_way_of_asking_gives_the_same_order(self) -> None:
        waiting = self.waiting()
        ids = [job.id for job in waiting]
        assert set(ids) == {id for id, status in self.status.items() if status == "queued"}
        assert ids == self.store.jobs.queued_ids()
        assert [job.position for job in waiting] == list(range(1, len(ids) + 1))
        assert [self.get(id).position for id in ids[:3]] == list(range(1, len(ids) + 1))[:3]
        priorities = [job.priority for job in waiting]
        assert priorities == sorted(priorities, reverse=True)

    @invariant()
    def jobs_of_one_owner_and_priority_go_as_they_were_submitted(self) -> None:
        usual = [job for job in self.waiting() if job.id not in self.placed | self.preferred]
        for owner, priority in {(job.owner, job.priority) for job in usual}:
            numbers = [job.number for job in usual if (job.owner, job.priority) == (owner, priority)]
            assert numbers == sorted(numbers)

    @invariant()
    def the_queue_is_paused_or_not(self) -> None:
        assert self.store.jobs.queue_paused() is self.paused

    def check_turn(self, order: list[Job], claimed: Job) -> None:
        """The first of the order, of the highest priority, of the owner whose last claim is longest ago."""
        assert claimed.id == order[0].id
        highest = [job for job in order if job.priority == order[0].priority]
        in_turn = {job.owner for job in highest if job.id not in self.placed}
        self.claims += 1
        if claimed.id not in self.placed:
            assert min(self.turns.get(owner, 0) for owner in in_turn) == self.turns.get(claimed.owner, 0)
            for owner in in_turn - {claimed.owner}:
                others = self.waited.setdefault(owner, {})
                others[claimed.owner] = others.get(claimed.owner, 0) + 1
                assert others[claimed.owner] <= 1, f"{owner} waited for two jobs of {claimed.owner}"
            # Who does not wait, or in another priority alone, begins to wait later.
            self.waited = {owner: self.waited.get(owner, {}) for owner in in_turn - {claimed.owner}}
        else:
            self.waited = {}  # it took the turn of its owner: counted anew
        self.turns[claimed.owner] = self.claims
        self.placed.discard(claimed.id)

    def check_events(self) -> None:
        """Numbers without a gap; each job goes only where its status may go, and ends where its row is."""
        events = self.store.events.after(0, limit=10_000)
        assert [event.number for event in events] == list(range(1, self.store.events.last() + 1))
        status: dict[str | None, str] = {}
        for event in events:
            if event.kind == "job":
                assert event.payload["status"] in NEXT_STATUSES[status.get(event.job_id)]
                status[event.job_id] = event.payload["status"]
            elif event.kind == "removed":
                assert status.pop(event.job_id) == "queued"
        assert status == self.status

    def drain(self) -> None:
        """What was shown as the order is the order, when nothing else happens; every chain comes to an end."""
        self.store.queue.resume()
        for job in self.all_jobs():
            if not job.finished:
                self.store.control.set_forever(job.id, False)
        shown = self.store.jobs.queued_ids(limit=1000)
        claimed = []
        while taken := self.store.claims.claim(f"engine-{self.engine}"):
            claimed.append(taken.id)
            self.store.claims.finish(taken.id, "done")
        assert claimed == shown
        self.status.update(dict.fromkeys(claimed, "done"))
        assert self.store.jobs.queued_count() == 0

    # --- Reading ------------------------------------------------------------------------------------------------------

    def choose(self, data: Any, status: str | None = None) -> str:
        ids = [id for id in self.status if status in (None, self.status[id])]
        return str(data.draw(strategies.sampled_from(ids)))

    def meant_by(self, id: str) -> str:
        """A stop of a job of a chain that is done means the newest one of the chain, while that is not finished."""
        if self.status[id] != "done" or not self.get(id).forever:
            return id
        follower = {job.follows: job.id for job in self.all_jobs()}
        last = id
        while last in follower:
            last = follower[last]
        return id if self.get(last).finished else last

    def is_next(self, id: str) -> None:
        """A job that was given back is the next of its priority."""
        self.placed.add(id)
        level = [job.id for job in self.waiting() if job.priority == self.get(id).priority]
        assert level[0] == id

    def get(self, id: str) -> Job:
        job = self.store.jobs.get(id)
        assert job is not None
        return job

    def all_jobs(self) -> list[Job]:
        return self.store.jobs.page(limit=1000)[0]

    def waiting(self) -> list[Job]:
        return self.store.jobs.page(JobFilter(("queued",)), limit=1000)[0]


TestAnyCourse = Course.TestCase
TestAnyCourse.settings = settings(
    deadline=None,
    max_examples=25,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
