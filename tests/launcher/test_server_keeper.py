import threading
from typing import Any

import pytest

from modules.launcher.server_keeper import ServerKeeper
from modules.launcher.switchboard import Switchboard
from modules.shared_state import State
from tests.launcher.fake_children import FakeChild, World, recipe


class Keeping:
    """A server keeper with its world; `first` accepts already."""

    def __init__(self) -> None:
        self.world = World()
        self.greeted = 0
        self.keeper = ServerKeeper(
            recipe("server"), Switchboard(State()), self.world.clock, self.world.start_child, self.greet
        )
        self.keeper.start()
        self.first = self.world.newest
        self.bring_up(self.first)

    @property
    def child(self) -> Any:
        """The keeper's child: one of this world's fakes, which the keeper takes for a real one."""
        return self.keeper.child

    def children(self) -> list[Any]:
        return list(self.keeper.children())

    def greet(self) -> None:
        self.greeted += 1

    def bring_up(self, child: FakeChild) -> None:
        child.says("ready")
        assert child.line.sent == ["accept"]
        child.says("accepting")
        self.keeper.look()
        assert self.keeper.status == "up"

    def pass_time(self, seconds: float) -> None:
        self.world.clock.now += seconds
        self.keeper.look()


@pytest.fixture
def keeping() -> Keeping:
    return Keeping()


def test_the_first_server_accepts_as_soon_as_it_is_ready(keeping: Keeping) -> None:
    assert keeping.child is keeping.first
    assert keeping.greeted == 1


def test_a_swap_step_by_step(keeping: Keeping) -> None:
    old = keeping.first
    keeping.keeper.restart()
    new = keeping.world.newest
    assert keeping.keeper.swap_report() == {"status": "starting", "reason": None, "number": 1}
    assert (old.line.sent, new.line.sent) == (["accept"], [])
    new.says("ready")
    assert (old.line.sent, new.line.sent) == (["accept", "retire"], []), "never two acceptors"
    old.says("stopped")
    assert new.line.sent == ["accept"]
    new.says("accepting")
    assert keeping.child is new
    assert keeping.keeper.swap_report() == {"status": "idle", "reason": None, "number": 1}
    assert old in keeping.children()
    old.code = 0
    keeping.keeper.look()
    assert keeping.children() == [new]
    assert keeping.keeper.report()["deaths"] == 0
    assert keeping.greeted == 1


def test_a_second_restart_meanwhile_is_the_same_restart(keeping: Keeping) -> None:
    keeping.keeper.restart()
    keeping.keeper.restart()
    assert len(keeping.world.children) == 2
    assert keeping.keeper.swap_report()["number"] == 1


def test_a_new_server_that_dies_leaves_the_old_one(keeping: Keeping) -> None:
    keeping.keeper.restart()
    keeping.world.newest.code = 1
    keeping.keeper.look()
    report = keeping.keeper.swap_report()
    assert (report["status"], report["reason"]) == (
        "failed",
        "The new server failed: exit code 1. last line of 2",
    )
    assert (keeping.keeper.status, keeping.keeper.report()["deaths"]) == ("up", 0)
    assert keeping.first.line.sent == ["accept"]
    keeping.pass_time(100)
    assert len(keeping.world.children) == 2
    keeping.keeper.restart()
    assert keeping.keeper.swap_report() == {"status": "starting", "reason": None, "number": 2}


def test_a_new_server_that_is_not_ready_in_60_seconds_is_ended(keeping: Keeping) -> None:
    keeping.keeper.restart()
    new = keeping.world.newest
    keeping.pass_time(59.9)
    assert new.orders == []
    keeping.pass_time(0.1)
    assert new.orders == ["now"]
    keeping.pass_time(0)
    assert keeping.keeper.swap_report()["reason"].startswith("The new server failed: it was not ready after 60 s.")
    assert keeping.children() == [keeping.first]
    new.says("ready")
    assert new.line.sent == [] and keeping.first.line.sent == ["accept"]


def test_a_first_server_may_take_its_time(keeping: Keeping) -> None:
    keeping.first.code = 1
    keeping.pass_time(0)
    keeping.pass_time(1)
    keeping.pass_time(300)
    assert keeping.world.newest.orders == []
    keeping.bring_up(keeping.world.newest)


def test_a_new_server_that_cannot_be_started_leaves_the_old_one(keeping: Keeping) -> None:
    keeping.world.fail_to_start = OSError(12, "Cannot allocate memory")
    keeping.keeper.restart()
    assert keeping.keeper.swap_report()["status"] == "failed"
    assert keeping.children() == [keeping.first]
    assert keeping.keeper.status == "up"


def test_an_old_server_that_does_not_stop_in_5_seconds_is_killed(keeping: Keeping) -> None:
    keeping.keeper.restart()
    new = keeping.world.newest
    new.says("ready")
    keeping.pass_time(4.9)
    assert keeping.first.orders == []
    keeping.pass_time(0.1)
    assert keeping.first.orders == ["now"]
    keeping.pass_time(0.1)
    assert new.line.sent == ["accept"]
    new.says("accepting")
    assert keeping.children() == [new]


def test_an_old_server_that_dies_while_the_new_one_starts_is_not_started_a_third_time(keeping: Keeping) -> None:
    keeping.keeper.restart()
    keeping.first.code = -9
    keeping.pass_time(0.1)
    keeping.pass_time(50)
    assert len(keeping.world.children) == 2
    keeping.bring_up(keeping.world.newest)
    assert keeping.keeper.swap_report()["status"] == "idle"


def test_when_both_die_a_third_one_is_started(keeping: Keeping) -> None:
    keeping.keeper.restart()
    keeping.first.code = -9
    keeping.pass_time(0.1)
    keeping.world.newest.code = 1
    keeping.pass_time(0.1)
    assert keeping.keeper.status == "restarting"
    keeping.pass_time(1)
    keeping.bring_up(keeping.world.newest)
    assert len(keeping.world.children) == 3


def test_a_new_server_that_dies_after_the_old_one_stopped_is_started_again(keeping: Keeping) -> None:
    keeping.keeper.restart()
    new = keeping.world.newest
    new.says("ready")
    keeping.first.says("stopped")
    new.code = 1
    keeping.pass_time(0.1)
    assert (keeping.keeper.status, keeping.keeper.swap_report()["status"]) == ("restarting", "failed")
    keeping.pass_time(1)
    keeping.bring_up(keeping.world.newest)
    assert keeping.first in keeping.children(), "it still gives its last answers"


def test_a_new_server_that_dies_while_the_old_one_retires_is_started_again(keeping: Keeping) -> None:
    keeping.keeper.restart()
    new = keeping.world.newest
    new.says("ready")
    new.code = 1
    keeping.pass_time(0.1)
    keeping.first.says("stopped")
    keeping.pass_time(1)
    assert new.buried
    keeping.bring_up(keeping.world.newest)
    assert (len(keeping.world.children), keeping.child) == (3, keeping.world.newest)


def test_a_new_server_that_never_accepts_is_killed(keeping: Keeping) -> None:
    keeping.keeper.restart()
    new = keeping.world.newest
    new.says("ready")
    keeping.first.says("stopped")
    keeping.pass_time(10)
    assert new.orders == ["now"]
    keeping.pass_time(0.1)
    keeping.pass_time(1)
    keeping.bring_up(keeping.world.newest)


def test_a_restart_while_the_dead_server_waits_for_its_turn_starts_one_now(keeping: Keeping) -> None:
    keeping.first.code = 1
    keeping.pass_time(0)
    assert keeping.keeper.status == "restarting"
    keeping.keeper.restart()
    keeping.bring_up(keeping.world.newest)
    keeping.pass_time(100)
    assert len(keeping.world.children) == 2


def test_five_quick_deaths_give_the_server_up(keeping: Keeping) -> None:
    keeping.world.newest.code = 1
    keeping.pass_time(0)
    for wait in (1, 2, 4, 8):
        keeping.pass_time(wait)
        keeping.world.newest.code = 1
        keeping.pass_time(0)
    assert keeping.keeper.status == "given_up"
    assert len(keeping.world.children) == 5


@pytest.mark.parametrize("which", ["old", "new", "retired"])
def test_a_burial_waits_for_last_words_and_holds_nobody_up(
    keeping: Keeping, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader thread that says them waits for the keeper's lock: it stood for a second amid a swap."""
    old = keeping.first
    keeping.keeper.restart()
    new = keeping.world.newest
    if which == "retired":
        new.says("ready")
        old.says("stopped")
        new.says("accepting")
    dead = new if which == "new" else old
    heard: list[bool] = []
    bury = dead.bury

    def bury_after_last_words() -> tuple[str, list[str]]:
        reader = threading.Thread(target=dead.says, args=("stopped",), daemon=True)
        reader.start()
        reader.join(10)
        heard.append(not reader.is_alive())
        return bury()

    monkeypatch.setattr(dead, "bury", bury_after_last_words)
    dead.code = 1
    keeping.keeper.look()
    assert heard == [True]
    assert dead not in keeping.children()


def test_both_die_in_one_moment_and_each_is_buried_once(keeping: Keeping) -> None:
    keeping.keeper.restart()
    keeping.world.newest.says("ready")
    keeping.first.code = keeping.world.newest.code = 1
    keeping.pass_time(0)
    keeping.pass_time(0)
    assert keeping.first.buried and keeping.world.children[1].buried
    keeping.pass_time(1)
    keeping.bring_up(keeping.world.newest)
