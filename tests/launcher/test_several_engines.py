"""A supervisor with two engines: what is done to one leaves the other alone."""

import os
import signal
from dataclasses import replace

import pytest

from modules.launcher.keeper import Keeper
from modules.launcher.serve import who_it_is
from modules.launcher.supervisor import Supervisor
from modules.launcher.switchboard import Switchboard
from modules.link.outbox import Signal
from modules.link.topics import HEARTBEAT, topic_of
from modules.shared_state import State
from tests.launcher.conftest import Launcher, eventually
from tests.launcher.fake_children import World, recipe

BEAT = {
    "job": "a job", "phase": "sample", "at": 1000.0, "silent_seconds": 0.0, "expected_seconds": 0.6,
    "strange_after_seconds": 10.0, "recycle_after_seconds": 300, "stalled": False,
}  # fmt: skip


class Room:
    """Two engines that draw "job 1" and "job 2"."""

    def __init__(self) -> None:
        self.world = World()
        self.board = Switchboard(State())
        self.server, *self.engines = (
            Keeper(made, self.board, self.world.clock, self.world.start_child)
            for made in (recipe("server"), recipe("engine"), replace(recipe("engine"), engine="2"))
        )
        self.supervisor = Supervisor(self.board, self.server, self.engines, self.world.clock)
        for keeper in (self.server, *self.engines):
            keeper.start()
            self.world.newest.joined.set()
            keeper.look()
            self.board.noticeboards.of_engine(keeper.engine).begin(f"job {keeper.engine}")

    def look(self, after: float = 0.0) -> list[str]:
        """Look once, and return how the two are."""
        self.world.clock.now += after
        self.supervisor.look_after_engines()
        return [engine.status for engine in self.engines]

    def restarted(self) -> list[str]:
        """Look once at what waits, and return who was asked to end."""
        self.supervisor.obey_what_is_due()
        return [keeper.name for keeper in (self.server, *self.engines) if keeper.status == "restarting"]

    def interrupt(self, job: str, times: int) -> None:
        signal = Signal("nudge", {"kind": "interrupt", "job": job, "image": 0, "times": times})
        self.board._take_signal(None, signal)  # type: ignore[arg-type]  # the line is not looked at


@pytest.fixture
def room() -> Room:
    return Room()


def test_one_is_restarted_or_all_are(room: Room) -> None:
    room.supervisor.obey("restart-engine 2")
    assert room.restarted() == ["engine 2"]
    room.supervisor.obey("restart-engine")
    assert room.restarted() == ["engine", "engine 2"]


def test_a_silence_ends_the_engine_that_is_silent(room: Room) -> None:
    room.board.publish(topic_of(HEARTBEAT, "2"), BEAT)
    room.board.publish(topic_of(HEARTBEAT, "1"), BEAT | {"at": 1290.0})
    assert room.look(after=300.0) == ["up", "up"]
    assert [child.orders for child in room.world.children[1:3]] == [[], ["now"]]
    topics = room.board.topics
    assert (topics["heartbeat"]["stalled"], topics["heartbeat/2"]["stalled"]) == (True, True)
    assert room.look() == ["up", "restarting"]


def test_disobedience_ends_the_engine_of_the_job(room: Room) -> None:
    for times in (1, 2, 3):
        room.interrupt("job 2", times)
    room.look(after=2.0)
    assert [child.orders for child in room.world.children[1:3]] == [[], ["now"]]
    for times in (1, 2, 3):
        room.interrupt("job 1", times)
    room.look(after=2.0)
    assert room.world.children[1].orders == ["now"]


def test_an_order_for_after_the_image_waits_for_both(room: Room) -> None:
    one, two = room.board.noticeboards.all()
    room.supervisor.obey("restart-engine-after-image")
    one.image_index = 1
    assert room.restarted() == []
    two.end()
    assert room.restarted() == ["engine", "engine 2"]


def test_an_order_for_when_nothing_runs_looks_at_both(room: Room) -> None:
    one, two = room.board.noticeboards.all()
    room.supervisor.obey("restart-when-idle")
    one.end()
    assert room.restarted() == []
    two.end()
    assert room.restarted() == ["server"]


def test_each_is_reported(room: Room) -> None:
    room.engines[1].end_stalled("silent")
    room.engines[1].look()
    room.supervisor.tell()
    report = room.board.topics["supervisor"]
    assert (report["engine"]["status"], report["engine/2"]["reason"]) == ("up", "silent")


def test_two_real_engines_live_and_die_for_themselves(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ENGINES", "1 2")
    launcher.start()
    eventually(lambda: "engine/2" in launcher.ask()["topics"])
    before = launcher.ask()["topics"]
    assert (before["engine"]["others"], before["engine/2"]["others"]) == ("2", "1")
    os.kill(before["engine/2"]["pid"], signal.SIGKILL)
    after = eventually(lambda: (now := launcher.ask()["topics"])["engine/2"]["last_death"] and now)
    assert after["engine"] == before["engine"]
    assert after["engine/2"]["last_death"]["reason"] == "killed by SIGKILL"
    assert after["engine/2"]["preview"] == 2, "its noticeboard goes on counting"
    assert [after["supervisor"][name]["deaths"] for name in ("engine", "engine/2")] == [0, 1]


def test_an_engine_is_told_who_it_is_and_who_the_others_are() -> None:
    assert who_it_is("1", ["1"]) == {"STEADY_ENGINE": "1", "STEADY_OTHER_ENGINES": ""}
    assert who_it_is("2", ["1", "2", "3"]) == {"STEADY_ENGINE": "2", "STEADY_OTHER_ENGINES": "1 3"}
