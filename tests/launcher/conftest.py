import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")


def eventually(what: Callable[[], T], seconds: float = 60.0) -> T:
    """Return what `what()` gives as soon as it is true."""
    ends_at = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends_at, f"not within {seconds} s"
        time.sleep(0.01)
    return found


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Launcher:
    """The real launcher with fake children, as a process of its own."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = port
        self.log = folder / "log.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self.root = ROOT
        self.command = ["-m", "tests.launcher.fake_launcher"]
        self.started: list[subprocess.Popen[bytes]] = []

    def behave(self, role: str, how: str) -> None:
        """Say how the children of a role that start from now on misbehave."""
        (self.folder / role).write_text(how)

    def start(self, wait: bool = True) -> None:
        environment = {
            **os.environ, "FAKE_SERVER": str(self.folder / "server"), "FAKE_ENGINE": str(self.folder / "engine")
        }  # fmt: skip
        command = [sys.executable, *self.command, str(self.port), str(self.data)]
        before = self.text().count("Steady Diffusion is at")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(self.process)
        if wait:
            eventually(lambda: self.text().count("Steady Diffusion is at") > before)
            self.port = int(self.line("Steady Diffusion is at").rsplit(":", 1)[1].split()[0])
            eventually(lambda: "engine" in self.ask()["topics"])

    def line(self, part: str) -> str:
        """Return the newest line of the log with `part` in it, or an empty text."""
        lines = [line for line in self.text().splitlines() if part in line]
        return lines[-1] if lines else ""

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def ask(self, word: str = "what") -> dict[str, Any]:
        """Return what the server says: its process id, topics and state."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(word.encode())
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        answer: dict[str, Any] = json.loads(b"".join(parts))
        return answer

    def supervisor(self) -> dict[str, Any]:
        report: dict[str, Any] = self.ask()["topics"]["supervisor"]
        return report

    def children(self) -> list[int]:
        """Return the ids of the living processes of the launcher's session, without the launcher."""
        assert self.process is not None
        session = str(self.process.pid)
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if fields[3] == session and fields[0] not in "ZX" and path.parent.name != session:
                found.append(int(path.parent.name))
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    def clean_up(self) -> None:
        for process in self.started:
            session = process.pid
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(6)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            try:
                os.killpg(session, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    made = Launcher(tmp_path)
    yield made
    made.clean_up()
