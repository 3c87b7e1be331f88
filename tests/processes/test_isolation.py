"""What each process may load, and whom it may talk to."""

import json
from pathlib import Path

import pytest

from tests.program import Program

AUDIT = """
import json, os, socket, sys
where = os.environ["AUDIT_FOLDER"]
def note(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:2]
    else:
        return
    parts = [str(part) for part in address] if isinstance(address, tuple) else [str(address)]
    with open(os.path.join(where, f"{os.getpid()}.jsonl"), "a") as file:
        file.write(json.dumps([event, parts]) + "\\n")
sys.addaudithook(note)
# The control: a look-up that must be noted. A number is looked up without asking anybody.
socket.getaddrinfo("192.0.2.1", 9, flags=socket.AI_NUMERICHOST)
with open(os.path.join(where, f"{os.getpid()}.role"), "w") as file:
    file.write(" ".join(sys.orig_argv))
"""
CONTROL = ["socket.getaddrinfo", ["192.0.2.1", "9"]]
LOCAL = ("127.", "::1", "localhost", "/", "b'/", "None")


def maps_of(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


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


def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    """An audit hook in every process notes each address that Python connects to or looks up."""
    hook, seen = tmp_path / "hook", tmp_path / "seen"
    hook.mkdir()
    seen.mkdir()
    (hook / "sitecustomize.py").write_text(AUDIT)
    environment = {"PYTHONPATH": str(hook), "AUDIT_FOLDER": str(seen)}
    with Program(tmp_path / "data", environment=environment) as program:
        assert b"<html" in program.call("GET", "/")[1].lower()
        assert program.wait_for(program.submit(prompt="cat", steps=2))["status"] == "done"
    roles = {file.stem: file.read_text() for file in seen.glob("*.role")}
    for part in ("launch.py", "app.py", "modules.engine"):
        assert [pid for pid, role in roles.items() if part in role], f"no hook in {part}: {roles}"
    for pid in roles:
        lines = [json.loads(line) for line in (seen / f"{pid}.jsonl").read_text().splitlines()]
        beyond = [line for line in lines if line[1][0] and not line[1][0].startswith(LOCAL)]
        assert beyond == [CONTROL], roles[pid]


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
