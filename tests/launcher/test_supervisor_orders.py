"""Restarts that wait for their moment, decided by the supervisor; no processes, no waiting."""

import pytest

from modules.launcher.keeper import Keeper
from modules.launcher.supervisor import Supervisor
from modules.launcher.switchboard import Switchboard
from modules.shared_state import State
from tests.launcher.fake_children import World, recipe

SINCE = 1_000_000.0


class Room:
    """A supervisor with two keepers of fake children."""

    def __init__(self) -> None:
        self.world = World()
        self.board = Switchboard(State())
        self.server, self.engine = (
            Keeper(recipe(role), self.board, self.world.clock, self.world.start_child) for role in ("server", "engine")
        )
        self.supervisor = Supervisor(self.board, self.server, [self.engine], self.world.clock, lambda: SINCE)
        for keeper in (self.server, self.engine):
            keeper.start()
            self.world.newest.joined.set()
            keeper.look()

    @property
    def state(self) -> State:
        return self.board.state

    def restarted(self) -> list[str]:
        """Look once, and return which children were asked to end."""
        self.supervisor.obey_what_is_due()
        return [keeper.role for keeper in (self.server, self.engine) if keeper.status == "restarting"]

    def queue(self, queued: int, running: int = 0, paused: bool = False) -> None:
        self.board.publish("queue", {"queued": queued, "running": running, "paused": paused})

    def waiting(self) -> object:
        self.supervisor.tell()
        return self.board.topics["supervisor"]["waiting"]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("target", ["server", "engine"])
def test_after_the_image_waits_for_the_next_image(room: Room, target: str) -> None:
    room.state.begin("job")
    room.state.image_index = 2
    command = "restart-after-image" if target == "server" else "restart-engine-after-image"
    room.supervisor.obey(command)
    assert room.waiting() == {"command": command, "since": SINCE}
    room.state.sampling_step = 7
    assert room.restarted() == []
    room.state.image_index = 3
    assert room.restarted() == [target]
    assert room.waiting() is None


def test_after_the_image_is_also_after_the_end_of_its_job(room: Room) -> None:
    room.state.begin("job")
    room.supervisor.obey("restart-after-image")
    assert room.restarted() == []
    room.state.end()
    assert room.restarted() == ["server"]


def test_after_the_image_is_now_when_nothing_runs_and_when_the_next_job_began_between_two_looks(room: Room) -> None:
    room.supervisor.obey("restart-engine-after-image")
    assert room.restarted() == ["engine"]
    room.state.begin("one")
    room.supervisor.obey("restart-after-image")
    room.state.end()
    room.state.begin("two")
    assert set(room.restarted()) == {"engine", "server"}


def test_idle_is_not_the_moment_between_two_jobs(room: Room) -> None:
    room.queue(queued=1, running=1)
    room.state.begin("one")
    room.supervisor.obey("restart-engine-when-idle")
    assert room.restarted() == []
    room.state.end()
    assert room.restarted() == [], "its row still runs, and another job waits"
    room.queue(queued=1, running=0)
    assert room.restarted() == []
    room.queue(queued=0, running=1)  # claimed, not begun
    assert room.restarted() == []
    room.queue(queued=0, running=0)
    assert room.restarted() == ["engine"]


def test_a_paused_queue_is_idle(room: Room) -> None:
    room.queue(queued=3, paused=True)
    room.supervisor.obey("restart-when-idle")
    assert room.restarted() == ["server"]


def test_a_second_order_replaces_the_first_and_can_be_dropped(room: Room) -> None:
    room.state.begin("job")
    room.supervisor.obey("restart-after-image")
    room.supervisor.obey("restart-engine-when-idle")
    assert room.waiting() == {"command": "restart-engine-when-idle", "since": SINCE}
    room.supervisor.obey("cancel-restart")
    assert room.waiting() is None
    room.state.end()
    assert room.restarted() == []


def test_a_restart_now_does_what_waited_for_the_same_process_only(room: Room) -> None:
    room.state.begin("job")
    room.supervisor.obey("restart-engine-when-idle")
    room.supervisor.obey("restart")
    assert room.waiting() == {"command": "restart-engine-when-idle", "since": SINCE}
    room.supervisor.obey("restart-engine")
    assert room.waiting() is None


def test_a_killed_engine_starts_at_once_and_its_death_was_ordered(room: Room) -> None:
    engine = room.engine.child
    room.engine.kill()
    assert engine is not None and engine.exit_code() == -9
    room.engine.look()
    room.engine.kill()
    assert room.engine.child is not None and room.engine.child is not engine
    assert room.engine.child.exit_code() is None, "the second order was for the same engine"
    assert room.engine.report()["deaths"] == 0
    assert '"ordered": true' in room.world.newest.extra["STEADY_LAST_DEATH"]
    assert room.server.status == "up"


def test_a_kill_starts_an_engine_that_was_given_up(room: Room) -> None:
    for _ in range(5):
        room.world.newest.code = 7
        room.engine.look()
        room.world.clock.now += 10
        room.engine.look()
    assert room.engine.report()["status"] == "given_up"
    room.engine.kill()
    assert room.engine.report()["status"] == "starting"
