"""The program ends at once with another instance in the way. How it ends in order is shown by programs that end."""

import subprocess
import sys

import pytest

from tests.program import ROOT, Program, free_port


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
