"""An engine that hangs: it is told, ended, and nothing of the queue is lost."""

import hashlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.stream import snapshot
from tests.program import HoldableProgram, Program, wait_until

JOB = {"prompt": "red heart", "seed": 41, "steps": 12, "sampler_name": "Euler a"}


def heart(program: Program, identity: str) -> str:
    (output,) = program.job(identity)["outputs"]
    return hashlib.sha256(program.call("GET", output["url"])[1]).hexdigest()


@pytest.fixture
def program(shared_program: HoldableProgram) -> Iterator[HoldableProgram]:
    """One that soon ends an engine that hangs."""
    usual = shared_program.get("/sdapi/v1/options")["recycle_stalled_after_seconds"]
    shared_program.post("/sdapi/v1/options", {"recycle_stalled_after_seconds": 12})
    yield shared_program
    shared_program.post("/sdapi/v1/options", {"recycle_stalled_after_seconds": usual})


def test_an_engine_that_hangs_is_told_of_and_replaced_and_a_third_interrupt_ends_it(program: HoldableProgram) -> None:
    first = program.submit(**JOB)
    program.wait_for(first)
    # It hangs by itself.
    program.hold(5)
    second = program.submit(**JOB)
    program.wait_for_step(second, 5)
    os.kill(program.pid_of("modules.engine"), signal.SIGSTOP)
    program.let_go()

    def alarm() -> Any:
        beat = snapshot(program)["heartbeat"]
        return beat if beat and beat["stalled"] else None

    beat = wait_until(alarm, 40, "the silence is told")
    assert (beat["job"], beat["phase"]) == (second, "sample")
    assert beat["silent_seconds"] >= 10
    job = program.wait_for(second, timeout_seconds=120)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert "gave no sign of life for" in snapshot(program)["supervisor"]["engine"]["reason"]
    assert heart(program, second) == heart(program, first)
    # It hangs, and someone wants it to stop.
    program.hold(5)
    third, fourth = program.submit(**JOB), program.submit(prompt="cat", seed=1, steps=4)
    program.wait_for_step(third, 5)
    engine = program.pid_of("modules.engine")
    os.kill(engine, signal.SIGSTOP)
    program.let_go()
    for _ in range(3):
        assert program.post(f"/sdapi/v1/jobs/{third}/interrupt")["accepted"]
    wait_until(lambda: engine not in program.children(), 10, "the engine is ended")
    assert program.wait_for(third)["status"] == "interrupted"
    assert program.wait_for(fourth)["status"] == "done"
