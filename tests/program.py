"""Start the real program for a test, talk to it over REST, and find its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests import held_engine, idle_engine

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_SECONDS = 90
T = TypeVar("T")
TERMINAL = ("done", "interrupted", "failed", "quarantined")


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: Callable[[], T | None], timeout_seconds: float, describe: str) -> T:
    """Call `what` until it gives something true and return that; fail with `describe` when the time is over.

    What takes long is asked for less often: each question to a server takes of the time that it waits for.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < timeout_seconds:
        if found := what():
            return found
        time.sleep(min(max(0.05, waited / 30), 0.2))
    raise AssertionError(f"{describe}: not within {timeout_seconds} s")


class Program:
    """The launcher with its two children, on a port and a data folder of its own.

    Use it as a context manager: leaving it ends every process that it started.
    """

    def __init__(self, data: Path, *flags: str, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.flags = flags
        self.environment = environment or {}
        self.headers: dict[str, str] = {}  # of every request, such as an authorization
        self.log = data.parent / f"{data.name}-launcher.log"
        self.launcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, wait: bool = True) -> None:
        """Start the launcher; with `wait`, return when the page answers."""
        command = [
            sys.executable,
            "launch.py",
            "--skip-install",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data),
        ]
        with self.log.open("ab") as log:
            self.launcher = subprocess.Popen(
                [*command, *self.flags],
                cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            )  # fmt: skip
        if wait:
            wait_until(self.answers, START_TIMEOUT_SECONDS, f"the page answers; log:\n{self.log_tail()}")

    def stop(self, timeout_seconds: float = 10) -> int:
        """End the program as a user does (SIGTERM) and return its exit code; end what is left by force."""
        assert self.launcher is not None
        children = self.children()
        if self.launcher.poll() is None:
            self.launcher.send_signal(signal.SIGTERM)
        try:
            return self.launcher.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.launcher.kill()
            return self.launcher.wait(timeout_seconds)
        finally:
            for pid in children:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def answers(self) -> bool:
        """Tell whether the server answers; fail at once when the launcher has ended."""
        assert self.launcher is not None
        assert self.launcher.poll() is None, f"the launcher ended with {self.launcher.returncode}:\n{self.log_tail()}"
        try:
            self.get("/internal/ping", timeout_seconds=2)
        except OSError:
            return False
        return True

    def children(self) -> dict[int, str]:
        """Return the command lines of the launcher's children by process id."""
        assert self.launcher is not None
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (line := command_line(int(entry.name), parent=self.launcher.pid)):
                found[int(entry.name)] = line
        return found

    def pid_of(self, part: str) -> int:
        """Return the process id of the newest child whose command line holds `part` ("app.py", "modules.engine")."""
        fitting = [pid for pid, line in self.children().items() if part in line]
        assert fitting, f"no child with {part!r}; log:\n{self.log_tail()}"
        return max(fitting)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None,
             timeout_seconds: float = 60) -> tuple[int, bytes]:  # fmt: skip
        """Return status and body of one request on a connection of its own."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("content-type", "application/json")
        for name, value in (self.headers | (headers or {})).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def get(self, path: str, timeout_seconds: float = 60) -> Any:
        status, body = self.call("GET", path, timeout_seconds=timeout_seconds)
        assert status == 200, f"GET {path}: {status} {body[:300]!r}"
        return json.loads(body)

    def post(self, path: str, body: Any = None, timeout_seconds: float = 60) -> Any:
        status, answer = self.call("POST", path, body if body is not None else {}, timeout_seconds=timeout_seconds)
        assert status == 200, f"POST {path}: {status} {answer[:300]!r}"
        return json.loads(answer)

    def submit(self, kind: str = "txt2img", /, **request: Any) -> str:
        """Queue a job and return its id."""
        identity: str = self.post("/sdapi/v1/jobs", {"kind": kind, "request": request})["id"]
        return identity

    def job(self, identity: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/sdapi/v1/jobs/{identity}")
        return answer

    def wait_for(self, identity: str, *statuses: str, timeout_seconds: float = 90) -> dict[str, Any]:
        """Return the job as soon as its status is one of `statuses` (default: any that ends it)."""
        wanted = statuses or TERMINAL

        def reached() -> dict[str, Any] | None:
            job = self.job(identity)
            return job if job["status"] in wanted else None

        return wait_until(reached, timeout_seconds, f"job {identity} is {wanted}; log:\n{self.log_tail()}")

    def unfinished(self) -> list[str]:
        """Return the ids of the newest jobs that have not ended."""
        return [job["id"] for job in self.get("/sdapi/v1/jobs?limit=50")["jobs"] if job["status"] not in TERMINAL]

    def empty_queue(self) -> None:
        """End what is drawn, waits or is paused, and return when there is nothing of it any more."""
        self.post("/sdapi/v1/queue/resume")
        self.post("/sdapi/v1/queue/interrupt-waiting")
        for identity in self.unfinished():
            self.post(f"/sdapi/v1/jobs/{identity}/interrupt")
        wait_until(lambda: not self.unfinished(), 60, f"no job is left; log:\n{self.log_tail()}")

    def wait_for_step(self, identity: str, step: int = 1) -> None:
        """Return when the job named draws and has done `step` steps of an image."""

        def drawing() -> bool:
            progress = self.get("/sdapi/v1/progress?skip_current_image=true")
            return bool(progress["state"]["job"] == identity and progress["state"]["sampling_step"] >= step)

        wait_until(drawing, 90, f"job {identity} draws; log:\n{self.log_tail()}")


class HookedProgram(Program):
    """A program of which each process does `first` before anything else."""

    def __init__(self, data: Path, *flags: str, first: str, environment: dict[str, str] | None = None) -> None:
        self.hook = data.parent / f"{data.name}-hook"
        self.hook.mkdir(parents=True)
        (self.hook / "sitecustomize.py").write_text(first)
        path = os.pathsep.join((str(self.hook), str(ROOT)))
        super().__init__(data, *flags, environment={"PYTHONPATH": path} | (environment or {}))


class IdleProgram(HookedProgram):
    """A program whose engine draws nothing and is there at once, for what has nothing to do with drawing."""

    def __init__(self, data: Path, *flags: str, environment: dict[str, str] | None = None) -> None:
        super().__init__(data, *flags, first=idle_engine.SITECUSTOMIZE, environment=environment)


class HoldableProgram(HookedProgram):
    """A program whose engine waits at a step while a test says so, for what has to be done amid a job."""

    def __init__(self, data: Path, *flags: str, first: str = "", environment: dict[str, str] | None = None) -> None:
        super().__init__(data, *flags, first=first + held_engine.SITECUSTOMIZE, environment=environment)
        self._held = self.hook / "held.json"
        self.environment[held_engine.VARIABLE] = str(self._held)

    def hold(self, step: int = 1, steps: int | None = None, image: int = 0) -> None:
        """Let every pass (of so many `steps`, where told) go no further once the step is done; stops are obeyed.

        Those of a job's images before number `image`, counted from 0, are let go.
        """
        written = self._held.with_suffix(".new")
        written.write_text(json.dumps({"step": step, "steps": steps, "image": image}))
        written.replace(self._held)

    def let_go(self) -> None:
        """Let all go on."""
        self._held.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def command_line(pid: int, parent: int) -> str | None:
    """Return the command line of `pid` when it is a living child of `parent`."""
    try:
        if int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) != parent or not alive(pid):
            return None
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
