"""A job that was asked three times to end is ended with its engine; no processes, no waiting."""

import pytest

from modules.launcher.disobedience import Disobedience
from modules.launcher.keeper import Keeper
from modules.launcher.switchboard import Switchboard
from modules.link.outbox import Signal
from modules.shared_state import State
from tests.launcher.fake_children import World, recipe


class Room:
    """An engine that draws "mine", and interrupts for it."""

    def __init__(self) -> None:
        self.world = World()
        self.board = Switchboard(State())
        self.engine = Keeper(recipe("engine"), self.board, self.world.clock, self.world.start_child)
        self.engine.start()
        self.world.newest.joined.set()
        self.engine.look()
        self.disobedience = Disobedience(self.board.state, self.engine, self.world.clock)
        self.board.on_interrupt = self.disobedience.note
        self.board.state.begin("mine")

    def interrupt(self, job: str = "mine", times: int = 0, kind: str = "interrupt") -> None:
        payload = {"kind": kind, "job": job, "image": 0, "times": times}
        self.board._take_signal(None, Signal("nudge", payload))  # type: ignore[arg-type]  # the line is not looked at

    def killed(self, after: float = 0.0) -> bool:
        self.world.clock.now += after
        self.disobedience.look()
        return self.world.children[0].orders == ["now"]


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_third_interrupt_ends_an_engine_that_had_two_seconds(room: Room) -> None:
    for times in (1, 2):
        room.interrupt(times=times)
        assert not room.killed(after=1.5)
    room.interrupt(times=3)
    assert room.killed()
    assert room.engine.status == "restarting", "an order: this death does not count"


def test_a_triple_click_gets_its_grace(room: Room) -> None:
    for times in (1, 2, 3, 4):
        room.interrupt(times=times)
    assert not room.killed(after=1.9)
    assert room.killed(after=0.1)


def test_a_job_that_obeys_within_its_grace_costs_nothing(room: Room) -> None:
    for times in (1, 2, 3):
        room.interrupt(times=times)
    assert not room.killed(after=1.0)
    room.board.state.end()
    assert not room.killed(after=5.0)
    room.board.state.begin("next")
    assert not room.killed(after=5.0)


def test_two_are_not_enough_and_skips_are_none(room: Room) -> None:
    for times in (1, 2):
        room.interrupt(times=times)
    for _ in range(5):
        room.interrupt(kind="skip")
    assert not room.killed(after=90.0)


def test_a_full_disk_counts_nothing_and_the_launcher_does(room: Room) -> None:
    for _ in range(3):
        room.interrupt(times=0)
    assert room.killed(after=2.0)


def test_a_launcher_that_heard_the_third_one_alone_gives_the_grace_too(room: Room) -> None:
    room.interrupt(times=3)
    assert not room.killed(after=1.9)
    assert room.killed(after=0.1)


def test_another_job_and_another_run_begin_to_count_anew(room: Room) -> None:
    room.interrupt("before", times=1)
    room.interrupt("before", times=2)
    room.interrupt(times=1)
    room.interrupt(times=2)
    assert not room.killed(after=60.0)
    room.interrupt(times=1)  # it was tried again: its row counts from one
    room.interrupt(times=2)
    room.interrupt(times=3)
    assert not room.killed(after=1.0)


def test_an_interrupt_that_comes_before_the_news_that_the_job_runs_counts(room: Room) -> None:
    room.board.state.end()
    room.interrupt("next", times=1)
    assert not room.killed(after=0.1)
    room.board.state.begin("next")
    room.interrupt("next", times=2)
    room.interrupt("next", times=3)
    assert room.killed(after=2.0)
