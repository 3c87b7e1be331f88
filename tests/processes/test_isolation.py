"""What each process may load, whom it may talk to, and who may read what it writes."""

import os
from pathlib import Path

import pytest

from tests.processes.listening import CONTROL, LOCAL, Listening
from tests.program import Program


def maps_of(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def everything_in(folder: Path) -> list[Path]:
    paths = (Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files))
    return [path for path in paths if path.exists()]


def test_the_server_has_no_torch_and_the_launcher_only_the_standard_library(shared_program: Program) -> None:
    identity = shared_program.submit(prompt="cat", steps=2)
    assert shared_program.wait_for(identity)["status"] == "done"
    engine = maps_of(shared_program.pid_of("modules.engine"))
    assert "torch" in engine and "/scipy/" in engine
    assert "/scipy/stats/" not in engine, "what no job has asked for is not loaded"
    server = maps_of(shared_program.pid_of("app.py"))
    assert "torch" not in server and "/pandas/" not in server and "/numpy/" in server
    assert shared_program.launcher is not None
    assert "site-packages" not in maps_of(shared_program.launcher.pid)


def test_what_a_running_program_writes_is_for_its_user_alone(shared_program: Program) -> None:
    written = {path: path.lstat().st_mode for path in everything_in(shared_program.data)}
    assert {"jobs.sqlite", "logs", "outputs"} <= {path.name for path in written}
    assert [path for path, mode in written.items() if mode & 0o077 and not path.is_symlink()] == []


def test_nothing_leaves_the_machine(shared_program: Program, listening: Listening) -> None:
    """Nor does the server read what Gradio has for editors: that took a third of its start."""
    assert b"<html" in shared_program.call("GET", "/")[1].lower()
    assert shared_program.wait_for(shared_program.submit(prompt="cat", steps=2))["status"] == "done"
    heard = listening.heard()
    for part in ("launch.py", "app.py", "modules.engine"):
        assert [role for role, _ in heard if part in role], f"no hook in {part}: {heard}"
    for role, asked in heard:
        assert [one for one in asked if one[1][0] and not one[1][0].startswith(LOCAL)] == [CONTROL], role


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"host": "evil.example"}, False),
        ({"host": "localhost"}, True),
    ],
)
def test_foreign_pages_are_refused(shared_program: Program, headers: dict[str, str], allowed: bool) -> None:
    status, _body = shared_program.call("POST", "/sdapi/v1/interrupt", {}, headers)
    assert (status == 200) is allowed
    assert allowed or status == 403
