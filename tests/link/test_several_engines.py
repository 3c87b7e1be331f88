"""Two engines on one switchboard do not disturb each other, and the server tells them apart."""

from functools import partial
from typing import Any

import pytest

from modules.link import Link
from modules.link.noticeboards import Noticeboards
from modules.link.topics import HEARTBEAT, PROGRESS, STATUS
from modules.shared_state import State
from tests.link.conftest import Wiring, eventually


class Engines:
    """Two engines that run a job each, and a server."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.heard: list[tuple[str, str, Any]] = []
        self.server, self.link = wiring.child("server")
        for name in (PROGRESS, HEARTBEAT, STATUS):
            self.link.on_topic_of_engines(name, partial(self._hear, name))
        self.link.start()
        self.one, self.link_of_one = wiring.started("engine", "1")
        self.two, self.link_of_two = wiring.started("engine", "2")
        self.one.begin("job 1")
        self.two.begin("job 2")
        eventually(lambda: self.shown("job 1").running and self.shown("job 2").engine == "2")
        self.heard.clear()

    def _hear(self, name: str, engine: str, value: Any) -> None:
        self.heard.append((name, engine, value))

    def shown(self, job: str) -> State:
        """Return what the server shows to somebody who looks at this job."""
        return self.link.noticeboards.of_job(job)

    def die(self, link: Link, line: int) -> None:
        link.close()
        self.wiring.board.detach(self.wiring.lines[line])


@pytest.fixture
def engines(wiring: Wiring) -> Engines:
    return Engines(wiring)


def test_each_has_its_noticeboard_and_who_looks_at_no_job_sees_the_first(engines: Engines) -> None:
    engines.one.sampling_step = 3
    engines.two.sampling_step = 8
    eventually(lambda: engines.shown("job 1").sampling_step == 3 and engines.shown("job 2").sampling_step == 8)
    assert engines.shown("job 1") is engines.server
    for nobodys in (None, "job 3"):
        assert engines.link.noticeboards.of_job(nobodys) is engines.server
    assert (engines.server.job, engines.wiring.board.state.job) == ("job 1", "job 1")


def test_topics_of_engines_stand_beside_each_other(engines: Engines) -> None:
    for link, step in ((engines.link_of_one, 1), (engines.link_of_two, 2)):
        link.publish_own(PROGRESS, {"step": step})
        link.publish_own(HEARTBEAT, {"at": step})
    eventually(lambda: len(engines.heard) == 4)
    assert sorted(engines.heard) == [
        (HEARTBEAT, "1", {"at": 1}),
        (HEARTBEAT, "2", {"at": 2}),
        (PROGRESS, "1", {"step": 1}),
        (PROGRESS, "2", {"step": 2}),
    ]
    topics = engines.wiring.board.topics
    assert (topics["progress"], topics["progress/2"]) == ({"step": 1}, {"step": 2})
    late, link = engines.wiring.started("server")
    assert link.topics == topics
    assert (late.begun_job, link.noticeboards.of_engine("2").begun_job) == ("job 1", "job 2")


def test_previews_reach_the_noticeboard_of_their_engine(engines: Engines) -> None:
    engines.one.assign_current_image(None, ("image/png", b"one"))
    for picture in (b"first", b"second"):
        engines.two.assign_current_image(None, ("image/png", picture))
    eventually(lambda: engines.shown("job 2").id_live_preview == 2 and engines.server.id_live_preview == 1)
    eventually(lambda: (seen := engines.shown("job 2").preview) and seen.data == b"second")
    eventually(lambda: (seen := engines.server.preview) and seen.data == b"one")


def test_a_nudge_stops_the_job_that_it_names_wherever_that_runs(engines: Engines) -> None:
    engines.link.signal("nudge", kind="interrupt", job="job 2", image=None)
    eventually(lambda: engines.two.interrupted)
    engines.link.signal("nudge", kind="stop", job="job 1", image=None)
    eventually(lambda: engines.one.stopping_generation)
    assert not engines.one.interrupted and not engines.two.stopping_generation


def test_an_engine_that_asks_for_a_new_one_means_itself(engines: Engines) -> None:
    engines.two.server_command = "restart-engine"
    assert engines.wiring.board.state.wait_for_server_command(5) == "restart-engine 2"
    engines.server.server_command = "restart-engine"
    assert engines.wiring.board.state.wait_for_server_command(5) == "restart-engine"


def test_the_end_of_one_leaves_the_others_job_alone(engines: Engines) -> None:
    for link in (engines.link_of_one, engines.link_of_two):
        link.publish_own(PROGRESS, {"step": 1})
        link.publish_own(HEARTBEAT, {"at": 1})
    eventually(lambda: len(engines.heard) == 4)
    engines.die(engines.link_of_two, 2)
    eventually(lambda: engines.heard[4:] == [(PROGRESS, "2", None), (HEARTBEAT, "2", None)])
    assert engines.link.noticeboards.of_engine("2").running is False
    assert engines.server.running and engines.wiring.board.topics["heartbeat"] == {"at": 1}
    again, _ = engines.wiring.started("engine", "2")
    engines.die(engines.link_of_one, 1)
    eventually(lambda: not engines.server.running)
    again.begin("job 3")
    eventually(lambda: engines.shown("job 3").engine == "2")
    assert again.begun == 2  # it goes on counting where the one before it was


def test_an_engine_cannot_write_on_the_noticeboard_of_another(engines: Engines) -> None:
    engines.link_of_two._channel.outbox.put_state("1", {"job": "not mine"})
    engines.two.sampling_step = 5
    eventually(lambda: engines.shown("job 2").sampling_step == 5)
    assert engines.server.job == "job 1"


def test_a_noticeboard_is_made_when_its_engine_is_heard_of() -> None:
    first = State()
    noticeboards = Noticeboards(first)
    assert (noticeboards.first, noticeboards.all()) == (first, [first])
    second = noticeboards.of_engine("2")
    assert (second.engine, noticeboards.of_engine("2"), noticeboards.all()) == ("2", second, [first, second])
    second.begin("a job")
    assert noticeboards.of_job("a job") is second
    second.end()
    assert noticeboards.of_job("a job") is first
