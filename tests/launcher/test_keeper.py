import json
from typing import Any

import pytest

from modules.launcher.backoff import Backoff
from modules.launcher.exit_codes import ExitCode
from modules.launcher.keeper import Keeper
from modules.launcher.supervisor import Supervisor
from modules.launcher.switchboard import Switchboard
from modules.link import Role
from modules.shared_state import State
from tests.launcher.fake_children import World, recipe


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def keeper(world: World) -> Keeper:
    made = Keeper(recipe("engine"), Switchboard(State()), world.clock, world.start_child)
    made.start()
    return made


def test_backoff_doubles_and_gives_up_at_the_fifth_short_life() -> None:
    backoff = Backoff()
    assert [backoff.died(3) for _ in range(5)] == [1, 2, 4, 8, None]


def test_a_long_life_ends_the_row() -> None:
    backoff = Backoff()
    assert [backoff.died(3), backoff.died(3), backoff.died(30), backoff.died(29.9), backoff.died(3)] == [1, 2, 1, 1, 2]
    assert backoff.deaths == 2


def test_a_child_is_up_when_it_has_joined(keeper: Keeper, world: World) -> None:
    keeper.look()
    before = keeper.status
    world.newest.joined.set()
    keeper.look()
    assert (before, keeper.status) == ("starting", "up")


def test_five_quick_deaths_and_the_waits_between_them(keeper: Keeper, world: World) -> None:
    waits = []
    while keeper.status != "given_up":
        world.clock.now += 2
        world.newest.code = 7
        keeper.look()
        if keeper.status == "restarting":
            wait = keeper.report()["retry_in"]
            waits.append(wait)
            started = len(world.children)
            world.clock.now += wait - 0.01
            keeper.look()
            assert len(world.children) == started
            world.clock.now += 0.01
            keeper.look()
            assert len(world.children) == started + 1
    assert waits == [1, 2, 4, 8]
    assert keeper.report() == {
        "status": "given_up", "deaths": 5, "reason": "exit code 7", "log": ["last line of 5"], "retry_in": None
    }  # fmt: skip
    world.clock.now += 1000
    keeper.look()
    assert len(world.children) == 5
    assert keeper.children() == []


def test_one_that_was_given_up_starts_again_when_asked(keeper: Keeper, world: World) -> None:
    for _ in range(5):
        world.newest.code = 7
        keeper.look()
        world.clock.now += 10
        keeper.look()
    assert keeper.status == "given_up"
    keeper.restart()
    assert (keeper.status, len(world.children)) == ("starting", 6)
    world.newest.code = 7
    keeper.look()
    assert keeper.report()["retry_in"] == 1


def test_an_ordered_restart_asks_politely_then_kills_and_does_not_count(keeper: Keeper, world: World) -> None:
    first = world.newest
    keeper.restart()
    keeper.restart()
    assert (keeper.status, first.orders) == ("restarting", ["politely"])
    world.clock.now += 4.9
    keeper.look()
    assert first.orders == ["politely"]
    world.clock.now += 0.1
    keeper.look()
    assert first.orders == ["politely", "now"]
    keeper.look()
    assert (len(world.children), keeper.status, keeper.report()["deaths"]) == (2, "starting", 0)
    death = json.loads(world.newest.extra["STEADY_LAST_DEATH"])
    assert death == {"ordered": True, "reason": "exit code -9", "log": ["last line of 1"]}


def test_the_next_child_hears_of_a_death(keeper: Keeper, world: World) -> None:
    assert world.newest.extra == {}
    world.newest.code = -11
    keeper.look()
    world.clock.now += 1
    keeper.look()
    assert json.loads(world.newest.extra["STEADY_LAST_DEATH"]) == {
        "ordered": False, "reason": "exit code -11", "log": ["last line of 1"]
    }  # fmt: skip


@pytest.mark.parametrize("ordered", [False, True])
def test_an_end_before_the_job_left_was_settled_is_not_held_against_that_job(
    keeper: Keeper, world: World, ordered: bool
) -> None:
    if ordered:
        keeper.restart()
    world.newest.code = -11
    keeper.look()
    for code in (1, 2):  # These two die while they start.
        world.clock.now += 10
        keeper.look()
        world.newest.recovered.clear()
        world.newest.code = code
        keeper.look()
    assert keeper.report()["reason"] == "exit code 2"
    world.clock.now += 10
    keeper.look()
    death = json.loads(world.newest.extra["STEADY_LAST_DEATH"])
    assert (death["ordered"], death["reason"]) == (ordered, "exit code -11")


def test_one_that_cannot_even_be_started_is_a_death(world: World) -> None:
    world.fail_to_start = FileNotFoundError(2, "No such file", "python")
    keeper = Keeper(recipe("engine"), Switchboard(State()), world.clock, world.start_child)
    keeper.start()
    assert (keeper.status, keeper.report()["retry_in"]) == ("restarting", 1)
    assert keeper.report()["reason"].startswith("could not be started: ")
    world.fail_to_start = None
    world.clock.now += 1
    keeper.look()
    assert keeper.status == "starting"


def test_a_child_that_lost_its_link_and_stays_is_killed(keeper: Keeper, world: World) -> None:
    world.newest.without_link = 4.9
    keeper.look()
    assert world.newest.orders == []
    world.newest.without_link = 5.0
    keeper.look()
    assert world.newest.orders == ["now"]


ROLES: tuple[Role, Role] = ("server", "engine")


def test_the_topic_of_the_children_is_there_before_any_child_starts() -> None:
    """A child that joined in the first tenth of a second once found no such topic."""
    board = Switchboard(State())
    seen: list[Any] = []

    def start_child(*given: Any) -> Any:
        seen.append(board.topics.get("supervisor"))
        raise OSError("no processes in this test")

    server, engine = (Keeper(recipe(role), board, start_child=start_child) for role in ROLES)
    board.state.server_command = "stop"
    assert Supervisor(board, server, [engine]).run() == ExitCode.OK
    assert [topic and topic["engine"]["status"] for topic in seen] == ["starting", "starting"]
