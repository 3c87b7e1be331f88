import logging
import socket
import threading
import time
from functools import partial
from typing import Any

import pytest

from modules.errors import LinkClosed
from modules.link import Link
from modules.link.frames import encode
from modules.link.outbox import Signal, Update
from modules.link.transport import Transport
from modules.shared_state import Preview, State
from tests.link.conftest import Wiring, eventually


def test_the_servers_state_follows_the_engines(wiring: Wiring) -> None:
    engine, _ = wiring.started("engine")
    server, _ = wiring.started("server")
    engine.begin("job 1")
    engine.job_count = 4
    engine.sampling_step = 7
    engine.textinfo = "ä"
    eventually(lambda: server.snapshot() == engine.snapshot())
    assert wiring.board.state.snapshot() == engine.snapshot()
    assert server.dict()["sampling_step"] == 7


def test_previews_reach_the_server_with_their_bytes(wiring: Wiring) -> None:
    server, link = wiring.child("server")
    seen: list[Preview] = []
    link.on_preview(seen.append)
    link.start()
    engine, _ = wiring.started("engine")
    token = engine.begin("job 1")
    engine.sampling_step = 3
    data = bytes(range(256)) * 500
    engine.assign_current_image(None, ("image/jpeg", data), token=token)
    expected = Preview(1, "job 1", 0, 3, "image/jpeg", data)
    eventually(lambda: seen)
    assert seen == [expected]
    assert server.preview == wiring.board.state.preview == expected
    assert server.id_live_preview == 1


def test_a_late_child_gets_everything_before_start_returns(wiring: Wiring) -> None:
    engine, engine_link = wiring.started("engine")
    engine.begin("job 1")
    engine_link.publish("progress", {"step": 1})
    engine_link.publish("events", 12)
    wiring.board.publish("supervisor", {"swap": "idle"})
    eventually(lambda: wiring.board.topics["events"] == 12)
    server, link = wiring.child("server")
    values: list[Any] = []
    link.on_topic("progress", values.append)
    link.start()
    assert server.job == "job 1"
    assert link.topics == {"progress": {"step": 1}, "events": 12, "supervisor": {"swap": "idle"}}
    assert values == [{"step": 1}]


def test_a_restarted_engine_goes_on_counting_previews(wiring: Wiring) -> None:
    first, link = wiring.started("engine")
    first.begin("job 1")
    for _ in range(5):
        first.assign_current_image(None, ("image/png", b"x"))
    eventually(lambda: wiring.board.state.id_live_preview == 5)
    link.close()
    wiring.board.detach(wiring.lines[0])
    second, _ = wiring.started("engine")
    token = second.begin("job 1")
    second.assign_current_image(None, ("image/png", b"y"))
    assert second.id_live_preview == 6
    assert token == 2


def test_the_job_of_an_engine_that_died_is_over_for_the_watchers(wiring: Wiring) -> None:
    server, server_link = wiring.started("server")
    engine, engine_link = wiring.started("engine")
    engine.begin("job 1")
    engine_link.publish("progress", {"step": 1})
    eventually(lambda: server.running and server_link.topics["progress"])
    engine_link.close()
    wiring.board.detach(wiring.lines[1])
    eventually(lambda: not server.running and server_link.topics["progress"] is None)
    assert (server.job, server.job_count, server.begun_job) == ("", 0, "job 1")


def test_a_command_of_a_child_reaches_the_launchers_loop(wiring: Wiring) -> None:
    server, _ = wiring.started("server")
    server.request_restart()
    assert wiring.board.state.wait_for_server_command(5) == "restart"
    assert server.wait_for_server_command(0) is None


def test_a_nudge_stops_the_job_it_names_and_no_other(wiring: Wiring) -> None:
    engine, _ = wiring.started("engine")
    _, link = wiring.started("server")
    engine.begin("job 2")
    engine.image_index = 1
    link.signal("nudge", kind="interrupt", job="job 1", image=None)
    link.signal("nudge", kind="skip", job="job 2", image=0)
    link.signal("nudge", kind="stop", job="job 2", image=None)
    eventually(lambda: engine.stopping_generation)
    assert not engine.interrupted and not engine.skipped


def test_the_end_of_a_job_arrives_before_the_number_of_its_event(wiring: Wiring) -> None:
    """Whoever waits for the terminal event finds State idle: end() went out before."""
    server, link = wiring.child("server")
    wrong: list[int] = []
    heard: list[int] = []

    def on_events(number: int) -> None:
        heard.append(number)
        if server.begun * 1 < number or (server.begun == number and server.running):
            wrong.append(number)

    link.on_topic("events", on_events)
    link.start()
    engine, engine_link = wiring.started("engine")
    for number in range(1, 400):
        token = engine.begin(f"job {number}")
        engine.end(token)
        engine_link.publish("events", number)
    eventually(lambda: heard and heard[-1] == 399)
    assert wrong == []
    assert heard == sorted(heard)


def test_the_highest_number_of_an_event_counts_whoever_sent_it(wiring: Wiring) -> None:
    _, server_link = wiring.started("server")
    _, engine_link = wiring.started("engine")
    server_link.publish("events", 9)
    eventually(lambda: engine_link.topics["events"] == 9)
    engine_link.publish("events", 4)
    engine_link.publish("engine", {"status": "idle"})
    eventually(lambda: "engine" in server_link.topics)
    assert (wiring.board.topics["events"], server_link.topics["events"]) == (9, 9)


def test_signals_for_the_launcher_stay_with_it(wiring: Wiring) -> None:
    _, link = wiring.started("server")
    link.signal("ready")
    link.signal("accepting")
    eventually(lambda: len(wiring.heard) == 3)
    assert wiring.heard == [("server", "hello"), ("server", "ready"), ("server", "accepting")]


def test_signals_of_the_launcher_reach_one_child(wiring: Wiring) -> None:
    heard: list[str] = []

    def heard_by(name: str, payload: object) -> None:
        heard.append(name)

    for name in ("old", "new"):
        _, link = wiring.child("server")
        link.on_signal("retire", partial(heard_by, name))
        link.start()
    wiring.lines[0].signal("retire")
    eventually(lambda: heard)
    time.sleep(0.02)
    assert heard == ["old"]


def test_on_closed_is_called_when_the_launcher_is_gone_and_not_after_an_own_close(wiring: Wiring) -> None:
    closed = threading.Event()
    left = threading.Event()
    _, staying = wiring.child("engine")
    _, leaving = wiring.child("server")
    staying.on_closed(closed.set)
    leaving.on_closed(left.set)
    staying.start()
    leaving.start()
    leaving.publish("progress", "the last words")
    leaving.close()
    eventually(lambda: wiring.board.topics["progress"] == "the last words")
    wiring.lines[0].channel.close()
    assert closed.wait(5)
    assert not left.is_set()
    eventually(wiring.lines[1].lost.is_set)


def test_start_without_a_launcher_says_so() -> None:
    mine, theirs = socket.socketpair()
    mine.close()
    link = Link(Transport(theirs), State(), "engine")
    with pytest.raises(LinkClosed, match=r"The launcher did not answer .*: start again with python3 launch\.py\."):
        link.start()


def test_nothing_is_sent_before_the_child_says_hello(wiring: Wiring) -> None:
    """A child imports for seconds; what it has no use for yet must not fill its socket."""
    mine, theirs = socket.socketpair()
    wiring.lines.append(wiring.board.attach("server", Transport(mine), lambda name: None))
    engine, _ = wiring.started("engine")
    engine.begin("job 1")
    wiring.board.publish("supervisor", {})
    time.sleep(0.05)
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    theirs.close()


def test_a_stuck_reader_does_not_slow_the_sampling_thread_and_is_treated_as_dead(
    wiring: Wiring, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops reading: the engine steps on, another server sees all, the launcher lets the stuck one go."""
    stuck_mine, stuck = socket.socketpair()
    line = wiring.board.attach("server", Transport(stuck_mine, 0.5), lambda name: None)
    wiring.lines.append(line)
    Transport(stuck).send(encode(1, Signal("hello", {})))
    eventually(lambda: line.joined)
    server, _ = wiring.started("server")
    engine, _ = wiring.started("engine")
    engine.begin("job 1")
    picture = b"x" * 400_000
    senders: set[int] = set()
    send = Transport.send

    def send_noted(transport: Transport, data: bytes) -> None:
        senders.add(threading.get_ident())
        send(transport, data)

    monkeypatch.setattr(Transport, "send", send_noted)
    with caplog.at_level(logging.WARNING):
        for step in range(300):
            engine.sampling_step = step
            engine.assign_current_image(None, ("image/jpeg", picture))
            time.sleep(0.002)
        eventually(lambda: server.sampling_step == 299 and server.preview and server.preview.id == 300)
        eventually(line.lost.is_set)
    assert senders and threading.get_ident() not in senders  # whoever sends may wait for the stuck one
    assert "the server does not read what it is sent and is treated as dead" in caplog.text
    stuck.close()


def test_a_handler_that_fails_is_told_and_the_link_goes_on(wiring: Wiring, caplog: pytest.LogCaptureFixture) -> None:
    server, link = wiring.child("server")

    def fail(value: Any) -> None:
        raise RuntimeError("a bug in a handler")

    link.on_topic("engine", fail)
    link.start()
    engine, engine_link = wiring.started("engine")
    engine_link.publish("engine", {"status": "idle"})
    engine.begin("job 1")
    eventually(lambda: server.job == "job 1")
    eventually(lambda: "a bug in a handler" in caplog.text)


def test_what_json_cannot_hold_is_left_out_and_told(wiring: Wiring, caplog: pytest.LogCaptureFixture) -> None:
    _, server_link = wiring.started("server")
    _, engine_link = wiring.started("engine")
    endless: list[Any] = []
    endless.append(endless)
    engine_link.publish("engine", endless)
    eventually(lambda: "cannot be JSON" in caplog.text)
    engine_link.publish("engine", {"status": "idle"})
    eventually(lambda: server_link.topics.get("engine") == {"status": "idle"})


def test_nonsense_from_a_child_ends_its_line_alone(wiring: Wiring, caplog: pytest.LogCaptureFixture) -> None:
    mine, theirs = socket.socketpair()
    line = wiring.board.attach("server", Transport(mine), lambda name: None)
    wiring.lines.append(line)
    child = Transport(theirs)
    child.send(encode(1, Signal("hello", {})))
    child.send(encode(7, Update({"1": {"job": "x"}}, {})))
    eventually(line.lost.is_set)
    assert "message 7 came instead of message 2" in caplog.text
    engine, _ = wiring.started("engine")
    engine.begin("job 1")
    eventually(lambda: wiring.board.state.job == "job 1")
    child.close()
