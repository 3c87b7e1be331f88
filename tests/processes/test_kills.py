"""kill -9 of each process in mid-job: nothing lost, nothing twice, and the picture is the one of an undisturbed run."""

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.ending import a_signal_in_mid_job_ends_everything
from tests.processes.stream import snapshot
from tests.program import HoldableProgram, Program, alive, wait_until

POISON = """
import os, sys
if "modules.engine" in sys.orig_argv and os.path.exists(os.environ["POISON"]):
    print("the driver of the card is broken", flush=True)
    os._exit(7)
"""
JOB: dict[str, Any] = {"prompt": "red heart", "seed": 41, "steps": 12, "n_iter": 2, "sampler_name": "Euler a"}


def hashes_of_outputs(program: Program, identity: str) -> list[str]:
    """Return the hash of each picture of a job, in order, as the server gives them."""
    outputs = program.job(identity)["outputs"]
    return [hashlib.sha256(program.call("GET", output["url"])[1]).hexdigest() for output in outputs]


def saved_files(program: Program) -> list[Path]:
    return sorted((program.data / "outputs").rglob("*.png"))


@pytest.fixture(scope="module")
def poison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that no engine can live with."""
    return tmp_path_factory.mktemp("poison") / "poison"


@pytest.fixture(scope="module")
def one_program(tmp_path_factory: pytest.TempPathFactory, poison: Path) -> Iterator[HoldableProgram]:
    data = tmp_path_factory.mktemp("one") / "data"
    with HoldableProgram(data, first=POISON, environment={"POISON": str(poison)}) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(one_program: Program) -> list[str]:
    """The hashes of the job's pictures, drawn in peace."""
    identity = one_program.submit(**JOB)
    assert one_program.wait_for(identity)["status"] == "done"
    return hashes_of_outputs(one_program, identity)


@pytest.fixture
def program(one_program: HoldableProgram) -> HoldableProgram:
    """One for all tests here, with nothing to do.

    Of the row of an engine's quick deaths, five of which are too many, a new launcher knows nothing: so the one that
    kills the launcher comes in the middle.
    """
    one_program.let_go()
    one_program.empty_queue()
    return one_program


def in_mid_job(program: HoldableProgram, step: int) -> str:
    """Queue the job, and return its id when it is held after that step of its first picture."""
    program.hold(step)
    identity = program.submit(**JOB)
    program.wait_for_step(identity, step)
    return identity


def test_an_engine_that_dies_twice_in_a_job_leaves_it_and_goes_on(
    program: HoldableProgram, undisturbed: list[str]
) -> None:
    before = saved_files(program)
    poison = in_mid_job(program, 5)
    waiting = program.submit(prompt="cat", seed=1, steps=4)
    program.hold(5, image=1)
    os.kill(program.pid_of("modules.engine"), signal.SIGKILL)
    wait_until(lambda: program.job(poison)["outputs"], 90, "the next engine goes on with it")
    program.wait_for_step(poison, 5)
    job = program.job(poison)
    assert (job["status"], job["attempts"], len(job["outputs"])) == ("running", 2, 1)
    program.hold(5)
    os.kill(program.pid_of("modules.engine"), signal.SIGKILL)
    job = program.wait_for(poison)
    program.let_go()
    assert (job["status"], job["attempts"]) == ("quarantined", 2)
    assert "SIGKILL" in job["error"]
    assert job["log"], "the engine's last lines are kept with the job"
    assert hashes_of_outputs(program, poison) == undisturbed[:1]
    assert program.wait_for(waiting)["status"] == "done"
    assert program.post(f"/sdapi/v1/jobs/{poison}/retry")["accepted"]
    again = program.wait_for(poison)
    assert (again["status"], again["error"]) == ("done", None)
    assert hashes_of_outputs(program, poison) == undisturbed
    assert len(saved_files(program)) == len(before) + JOB["n_iter"] + 1


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


def test_five_quick_deaths_leave_a_page_that_says_why_and_a_queue_that_is_whole(
    program: HoldableProgram, poison: Path
) -> None:
    running = in_mid_job(program, 3)
    waiting, paused = program.submit(prompt="cat", steps=4), program.submit(prompt="dog", steps=4)
    assert program.post(f"/sdapi/v1/jobs/{paused}/pause")["accepted"]
    poison.touch()
    os.kill(program.pid_of("modules.engine"), signal.SIGKILL)
    program.let_go()

    def given_up() -> Any:
        engine = snapshot(program)["supervisor"]["engine"]
        return engine if engine["status"] == "given_up" else None

    engine = wait_until(given_up, 90, "the engine is given up")
    assert (engine["deaths"], engine["reason"]) == (5, "exit code 7")
    assert engine["log"][-1] == "the driver of the card is broken"
    assert b"<html" in program.call("GET", "/")[1].lower()
    for identity, status, attempts in ((running, "running", 1), (waiting, "queued", 0), (paused, "paused", 0)):
        job = program.job(identity)
        assert (job["status"], job["attempts"]) == (status, attempts)
    assert program.post(f"/sdapi/v1/jobs/{running}/interrupt")["accepted"], "it is kept for the next engine"
    poison.unlink()
    program.post("/sdapi/v1/engine-restart")
    assert program.wait_for(waiting)["status"] == "done"
    assert program.job(running)["status"] == "interrupted"
    assert program.job(paused)["status"] == "paused"


def test_server_killed_in_mid_job(program: HoldableProgram) -> None:
    identity = in_mid_job(program, 3)
    before = program.get("/internal/ping")
    os.kill(program.pid_of("app.py"), signal.SIGKILL)
    wait_until(program.answers, 30, "another server answers")
    assert program.get("/internal/ping")["instance"] != before["instance"]
    program.let_go()
    job = program.wait_for(identity)
    assert (job["status"], job["attempts"], len(job["outputs"])) == ("done", 1, JOB["n_iter"])


def test_sigterm_in_mid_job_ends_everything(program: HoldableProgram) -> None:
    """The last one here, since it ends this file's program."""
    a_signal_in_mid_job_ends_everything(program, signal.SIGTERM)
