"""An engine that falls silent: told on the page, then ended, and by none of its own doing."""

import json
from typing import Any

import pytest

from modules.launcher import child
from modules.launcher.keeper import Keeper
from modules.launcher.pulse import Pulse
from modules.launcher.switchboard import Switchboard
from modules.link.topics import HEARTBEAT
from modules.shared_state import State
from tests.launcher.fake_children import World, recipe

BEAT = {
    "job": "a job", "phase": "sample", "at": 1000.0, "silent_seconds": 0.0, "expected_seconds": 0.6,
    "strange_after_seconds": 10.0, "recycle_after_seconds": 300, "stalled": False,
}  # fmt: skip


class Ward:
    def __init__(self) -> None:
        self.world = World()
        self.board = Switchboard(State())
        self.engine = Keeper(recipe("engine"), self.board, self.world.clock, self.world.start_child)
        self.pulse = Pulse(self.board, self.engine, self.world.clock)
        self.engine.start()

    def at(self, now: float) -> Any:
        self.world.clock.now = now
        self.pulse.listen()
        return self.board.topics.get(HEARTBEAT)


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_silence_is_told_when_it_is_strange_and_ended_when_it_lasts(ward: Ward) -> None:
    ward.board.publish(HEARTBEAT, BEAT)
    assert ward.at(1009.9) == BEAT
    assert ward.at(1010.0) == BEAT | {"stalled": True, "silent_seconds": 10.0}
    assert ward.at(1010.5)["silent_seconds"] == 10.0  # News come each second.
    assert ward.at(1040.0)["silent_seconds"] == 40.0
    ward.at(1299.9)
    assert ward.world.newest.orders == []
    ward.at(1300.0)
    ward.at(1300.1)
    assert ward.world.newest.orders == ["now"]
    ward.engine.look()
    report = ward.engine.report()
    assert report["status"] == "restarting"
    assert report["reason"] == "killed since it gave no sign of life for 300 s, usually 0.6 s (phase sample)"
    ward.world.clock.now += 1
    ward.engine.look()
    death = json.loads(ward.world.newest.extra["STEADY_LAST_DEATH"])
    assert (death["ordered"], death["reason"]) == (False, report["reason"])


def test_a_sign_of_life_ends_the_alarm(ward: Ward) -> None:
    ward.board.publish(HEARTBEAT, BEAT)
    assert ward.at(1020.0)["stalled"]
    ward.board.publish(HEARTBEAT, BEAT | {"at": 1020.5})
    assert not ward.at(1021.0)["stalled"]
    ward.board.publish(HEARTBEAT, None)
    assert ward.at(5000.0) is None
    assert ward.world.newest.orders == []


def test_what_came_meanwhile_is_not_overwritten(ward: Ward) -> None:
    ward.board.publish(HEARTBEAT, BEAT)
    known = ward.board.topics[HEARTBEAT]
    ward.board.publish(HEARTBEAT, None)
    ward.board.replace(HEARTBEAT, known, BEAT | {"stalled": True})
    assert ward.board.topics[HEARTBEAT] is None


@pytest.mark.parametrize(("limit", "strange"), [(0, 10.0), (300, 900.0)])
def test_nothing_is_ended_without_a_limit_or_before_the_silence_is_strange(
    ward: Ward, limit: int, strange: float
) -> None:
    ward.board.publish(HEARTBEAT, BEAT | {"recycle_after_seconds": limit, "strange_after_seconds": strange})
    ward.at(1899.0)
    assert ward.world.newest.orders == []


def test_a_kill_that_was_ordered_stays_ordered(ward: Ward) -> None:
    ward.board.publish(HEARTBEAT, BEAT)
    ward.world.newest.joined.set()
    ward.engine.look()
    ward.engine.kill()
    ward.at(2000.0)
    ward.engine.look()
    assert json.loads(ward.world.newest.extra["STEADY_LAST_DEATH"])["ordered"]


def test_a_kill_for_lack_of_memory_is_told_from_others(tmp_path: Any) -> None:
    counters = tmp_path / "vmstat"
    assert child._memory_kills(counters) == 0
    counters.write_text("pgfault 12\noom_kill 3\nnr_dirty 4\n")
    assert child._memory_kills(counters) == 3
