"""How the program ends: by signal, by REST, and with another instance in the way."""

import signal
import subprocess
import sys

import pytest

from tests.program import ROOT, Program, alive, free_port, wait_until


@pytest.fixture
def program(enduring_program: Program) -> Program:
    return enduring_program


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_mid_job_ends_everything(program: Program, how: signal.Signals) -> None:
    identity = program.submit(prompt="cat", steps=150, n_iter=20)
    program.wait_for_step(identity)
    children = program.children()
    assert len(children) == 2
    assert program.launcher is not None
    program.launcher.send_signal(how)
    assert program.launcher.wait(timeout=8) == 0
    assert not any(alive(pid) for pid in children)
    program.start()
    assert program.job(identity)["status"] in ("queued", "running")


def test_stop_over_rest(program: Program) -> None:
    children = program.children()
    assert program.post("/sdapi/v1/server-stop") == {}
    assert program.launcher is not None
    assert program.launcher.wait(timeout=10) == 0
    wait_until(lambda: not any(alive(pid) for pid in children), 3, "no orphan is left")


def launch_again(program: Program, port: int, data: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "launch.py", "--skip-install", "--port", str(port), "--data-dir", data]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_port_in_use_is_one_line_with_the_remedy(
    shared_program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = launch_again(shared_program, shared_program.port, str(tmp_path_factory.mktemp("other")))
    assert done.returncode not in (0, 1)
    assert str(shared_program.port) in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_in_use_is_one_line_with_the_remedy(shared_program: Program) -> None:
    done = launch_again(shared_program, free_port(), str(shared_program.data))
    assert done.returncode not in (0, 1)
    assert str(shared_program.data) in done.stderr
    assert "--data-dir" in done.stderr
    assert "Traceback" not in done.stderr
