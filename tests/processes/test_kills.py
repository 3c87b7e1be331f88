"""kill -9 of each process in mid-job: nothing lost, nothing twice, and the picture is the one of an undisturbed run."""

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.program import HoldableProgram, Program, alive, wait_until

JOB: dict[str, Any] = {"prompt": "red heart", "seed": 41, "steps": 12, "n_iter": 2, "sampler_name": "Euler a"}


def hashes_of_outputs(program: Program, identity: str) -> list[str]:
    """Return the hash of each picture of a job, in order, as the server gives them."""
    outputs = program.job(identity)["outputs"]
    return [hashlib.sha256(program.call("GET", output["url"])[1]).hexdigest() for output in outputs]


def saved_files(program: Program) -> list[Path]:
    return sorted((program.data / "outputs").rglob("*.png"))


@pytest.fixture(scope="module")
def undisturbed(one_program: Program) -> list[str]:
    """The hashes of the job's pictures, drawn in peace."""
    identity = one_program.submit(**JOB)
    assert one_program.wait_for(identity)["status"] == "done"
    return hashes_of_outputs(one_program, identity)


@pytest.fixture
def program(enduring_program: HoldableProgram) -> HoldableProgram:
    """One for all tests here. Of the row of an engine's quick deaths, five of which are too many, a new launcher knows
    nothing: so the one that kills the launcher comes in the middle.
    """
    return enduring_program


def in_mid_job(program: HoldableProgram, step: int) -> str:
    """Queue the job, and return its id when it is held after that step of its first picture."""
    program.hold(step)
    identity = program.submit(**JOB)
    program.wait_for_step(identity, step)
    return identity


def kill_engine(program: HoldableProgram) -> None:
    """Kill it; the next one goes on where it can."""
    os.kill(program.pid_of("modules.engine"), signal.SIGKILL)
    program.let_go()


def test_engine_killed_in_mid_job(program: HoldableProgram, undisturbed: list[str]) -> None:
    before = saved_files(program)
    identity = in_mid_job(program, 5)
    kill_engine(program)
    job = program.wait_for(identity)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert hashes_of_outputs(program, identity) == undisturbed
    assert len(saved_files(program)) == len(before) + JOB["n_iter"]


def test_an_interrupt_sent_while_the_engine_is_down_is_kept(program: HoldableProgram) -> None:
    identity = in_mid_job(program, 3)
    kill_engine(program)
    answer = program.post(f"/sdapi/v1/jobs/{identity}/interrupt")
    assert answer["accepted"]
    assert program.wait_for(identity)["status"] == "interrupted"


def test_launcher_killed_in_mid_job(program: HoldableProgram, undisturbed: list[str]) -> None:
    before = saved_files(program)
    identity = in_mid_job(program, 3)
    children = program.children()
    assert program.launcher is not None
    program.launcher.kill()
    program.launcher.wait()
    wait_until(lambda: not any(alive(pid) for pid in children), 10, "no orphan is left")
    program.let_go()
    program.start()
    job = program.wait_for(identity)
    assert job["status"] == "done"
    assert hashes_of_outputs(program, identity) == undisturbed
    assert len(saved_files(program)) == len(before) + JOB["n_iter"]


def test_an_engine_that_dies_twice_in_a_job_leaves_it_and_goes_on(program: HoldableProgram) -> None:
    program.hold(2)
    poison = program.submit(**JOB)
    waiting = program.submit(prompt="cat", seed=1, steps=4)
    for attempt in (1, 2):
        wait_until(lambda: program.job(poison)["attempts"] == attempt, 90, f"attempt {attempt} begins")  # noqa: B023
        program.wait_for_step(poison, 2)
        os.kill(program.pid_of("modules.engine"), signal.SIGKILL)
    program.let_go()
    job = program.wait_for(poison)
    assert job["status"] == "quarantined"
    assert "SIGKILL" in job["error"]
    assert job["log"], "the engine's last lines are kept with the job"
    assert program.wait_for(waiting)["status"] == "done"
    assert program.post(f"/sdapi/v1/jobs/{poison}/retry")["accepted"]
    again = program.wait_for(poison)
    assert (again["status"], len(again["outputs"]), again["error"]) == ("done", JOB["n_iter"], None)


def test_server_killed_in_mid_job(program: HoldableProgram) -> None:
    identity = in_mid_job(program, 3)
    before = program.get("/internal/ping")
    os.kill(program.pid_of("app.py"), signal.SIGKILL)
    wait_until(program.answers, 30, "another server answers")
    assert program.get("/internal/ping")["instance"] != before["instance"]
    program.let_go()
    job = program.wait_for(identity)
    assert (job["status"], job["attempts"], len(job["outputs"])) == ("done", 1, JOB["n_iter"])
