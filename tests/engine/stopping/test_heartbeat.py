"""Signs of life: how long the silence between them usually is, and what is told of it."""

from typing import Any

import pytest

from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.heartbeat import Heartbeat
from modules.errors import Interrupted
from modules.shared_state import State
from tests.engine.conftest import Engine
from tests.engine.moments import at_step


class Listened:
    """A heartbeat with a clock to turn, and what it published."""

    def __init__(self) -> None:
        self.now = 100.0
        self.phase = "load"
        self.told: list[Any] = []
        self.heartbeat = Heartbeat(lambda topic, value: self.told.append(value), lambda: 300, lambda: self.now)

    def begin(self, phase: str = "load") -> None:
        self.phase = phase
        self.heartbeat.begin("job", lambda: self.phase)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.heartbeat.beat()


def test_silences_are_learned_for_each_phase_and_outlive_the_job() -> None:
    listened = Listened()
    listened.begin("sample")
    assert listened.told[-1] == {
        "job": "job", "phase": "sample", "at": 100.0, "silent_seconds": 0.0, "expected_seconds": None,
        "strange_after_seconds": 60.0, "recycle_after_seconds": 300, "stalled": False,
    }  # fmt: skip
    for seconds in (2.0, 4.0, 3.0):
        listened.after(seconds)
    assert listened.told[-1]["expected_seconds"] == 4.0
    assert listened.told[-1]["strange_after_seconds"] == 40.0
    listened.phase = "decode"
    listened.after(0.5)
    assert (listened.told[-1]["phase"], listened.told[-1]["expected_seconds"]) == ("decode", None)
    listened.heartbeat.end()
    assert listened.told[-1:] == [None]
    listened.begin("sample")
    assert listened.told[-1]["expected_seconds"] == 4.0
    listened.after(1.0)
    listened.heartbeat.end()
    listened.begin("sample")
    assert listened.told[-1]["expected_seconds"] == 2.0  # What was long once is forgotten slowly.


def test_short_silences_are_never_strange_and_loading_may_take_its_time() -> None:
    listened = Listened()
    listened.begin("load")
    assert listened.told[-1]["strange_after_seconds"] == 300.0
    listened.after(0.6)
    assert listened.told[-1]["strange_after_seconds"] == 10.0


def test_news_are_few() -> None:
    listened = Listened()
    listened.begin("sample")
    for _ in range(1000):
        listened.after(0.001)
    assert len(listened.told) in (2, 3)
    listened.heartbeat.end()
    listened.after(5.0)
    assert listened.told[-1:] == [None]


def test_every_cancel_point_is_a_sign_of_life_and_waiting_is_none() -> None:
    listened = Listened()
    state = State()
    state.begin("job")
    cancel = Cancel(state, heartbeat=listened.heartbeat)
    listened.begin("sample")
    listened.now = 105.0
    cancel.check_waiting()
    assert listened.told[-1]["at"] == 100.0
    cancel.check()
    assert listened.told[-1]["at"] == 105.0
    state.apply_request("pause", "job")
    with pytest.raises(Interrupted) as stop:
        cancel.check_waiting()
    assert stop.value.kind == "pause"


def test_a_job_beats_from_its_begin_to_its_end(engine: Engine) -> None:
    amid: list[int] = []
    at_step(engine, 2, lambda: amid.append(len(engine.values("heartbeat"))))
    job = engine.draw()
    told = engine.values("heartbeat")
    assert 0 < amid[0] < len(told)
    assert {beat["job"] for beat in told[:-1]} == {job.id}
    assert told[-1] is None
    phases = list(dict.fromkeys(beat["phase"] for beat in told[:-1]))
    assert phases == [phase for phase in ("load", "encode", "sample", "decode", "save") if phase in phases]
    assert {"load", "sample", "decode"} <= set(phases)
