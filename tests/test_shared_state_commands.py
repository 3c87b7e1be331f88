"""Commands to the launcher: none is lost, none is done twice."""

import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from modules.shared_state import State


def test_commands_wait_their_turn_and_equal_ones_are_one() -> None:
    state = State()
    for command in ("restart", "restart-engine", "restart", "anything"):
        state.server_command = command
    assert state.server_command == "restart"
    assert [state.wait_for_server_command(0) for _ in range(4)] == ["restart", "restart-engine", "anything", None]


def test_stop_clears_the_others() -> None:
    state = State()
    state.server_command = "restart"
    state.server_command = "stop"
    assert state.wait_for_server_command(0) == "stop"
    assert state.wait_for_server_command(0) is None


def test_none_wakes_nobody() -> None:
    state = State()
    taken: list[str | None] = []
    waiter = threading.Thread(target=lambda: taken.append(state.wait_for_server_command(5)))
    waiter.start()
    state.server_command = None
    waiter.join(0.1)
    assert waiter.is_alive()
    state.server_command = "restart"
    waiter.join(5)
    assert taken == ["restart"]


def test_two_states_do_not_wake_each_other() -> None:
    one, other = State(), State()
    one.server_command = "restart"
    assert other.wait_for_server_command(0.01) is None
    assert one.wait_for_server_command(0) == "restart"


def test_need_restart() -> None:
    state = State()
    state.need_restart = False
    assert not state.need_restart
    state.need_restart = True
    assert state.need_restart
    state.need_restart = False
    assert state.server_command == "restart"
    state.wait_for_server_command(0)
    assert not state.need_restart


def test_request_restart_leaves_the_job_alone_unless_asked() -> None:
    state = State()
    state.begin("a")
    state.request_restart()
    assert (state.interrupted, state.server_command) == (False, "restart")
    state.request_restart(interrupt=True)
    assert state.interrupted


def test_commands_go_through_the_port() -> None:
    sent: list[str] = []
    state = State()
    state.command_port = sent.append
    state.server_command = None
    state.request_restart()
    state.server_command = "stop"
    assert sent == ["restart", "stop"]
    assert state.wait_for_server_command(0) is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=40), min_size=8, max_size=8))
def test_no_command_is_lost_under_8_threads(commands: list[list[int]]) -> None:
    state = State()
    taken: list[str] = []
    start = threading.Barrier(9)

    def send(thread: int) -> None:
        start.wait()
        for command in commands[thread]:
            state.server_command = f"{thread} {command}"

    def take() -> None:
        start.wait()
        while (command := state.wait_for_server_command(5)) != "stop":
            assert command is not None
            taken.append(command)

    taker = threading.Thread(target=take)
    senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in (*senders, taker):
        thread.start()
    for thread in senders:
        thread.join()
    state.server_command = "the last one"
    while state.server_command is not None:
        time.sleep(0.0005)
    state.server_command = "stop"
    taker.join()
    sent = {f"{thread} {command}" for thread, those in enumerate(commands) for command in those}
    assert set(taken) == sent | {"the last one"}
    assert taken[-1] == "the last one"
