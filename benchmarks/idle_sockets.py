"""What a ping takes while 1,300 sockets do nothing, under the usual limit of 1,024 open files.

`python -m benchmarks.idle_sockets [sockets]`; budget: p99 50 ms, none refused, and no log that fills. Two rounds: the
usual limit, which a program may raise, and one that it may not. Some sockets say nothing, some half a head, some half a
body, and some have been answered once. Exit code 1 on a miss.
"""

from __future__ import annotations

import math
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.verdict import Verdicts
from tests.program import Program, wait_until

SOCKETS = 1300
USUAL_FILES = 1024
PINGS = 200
SECONDS_BETWEEN_PINGS = 0.02
BUDGET_SECONDS = 0.05
MOST_LINES = 50
PING = b"GET /internal/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BEGINNINGS = (
    b"",
    b"GET /internal/pi",
    b"POST /internal/progress HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
    PING,
)


@contextmanager
def usual_limit() -> Iterator[None]:
    """Start what is started here with the usual limit; then this process has as many as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_FILES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def ping(port: int) -> float:
    """Return what one ping took on a connection of its own; infinity when it is not answered."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(PING)
            answered = client.recv(1000).startswith(b"HTTP/1.1 200 ")
    except OSError:
        answered = False
    return time.monotonic() - began if answered else math.inf


def measure(program: Program, sockets: int) -> list[float]:
    """Return the durations of pings while so many sockets are open."""
    with ExitStack() as held:
        for number in range(sockets):
            client = held.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=10))
            client.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        ping(program.port)  # answered when all of these have been accepted
        took = []
        for _ in range(PINGS):
            took.append(ping(program.port))
            time.sleep(SECONDS_BETWEEN_PINGS)
    return sorted(took)


def judge(program: Program, name: str, sockets: int, verdicts: Verdicts) -> None:
    """Measure and say it."""
    before = len(program.log.read_text(errors="replace").splitlines())
    took = measure(program, sockets)
    lines = len(program.log.read_text(errors="replace").splitlines()) - before
    p99 = took[math.ceil(0.99 * len(took)) - 1]
    shares = f"median {1000 * took[len(took) // 2]:.1f}, p99 {1000 * p99:.1f}, slowest {1000 * took[-1]:.1f} ms"
    held = verdicts.at_most(f"p99 of ping, {sockets} idle sockets, {name}", 1000 * p99, 1000 * BUDGET_SECONDS, "ms")
    verdicts.holds(f"every ping is answered, {name}", math.isfinite(took[-1]))
    logged = verdicts.at_most(f"lines logged, {name}", lines, MOST_LINES, "lines")
    print(f"{sockets} idle sockets, {name}: {PINGS} pings, {shares}, p99 {held}; {lines} lines logged, {logged}")


def forbid_more_files(program: Program) -> None:
    """Let the program have no more than the usual number, and start its server anew with that."""
    assert program.launcher is not None
    resource.prlimit(program.launcher.pid, resource.RLIMIT_NOFILE, (USUAL_FILES, USUAL_FILES))
    before = program.get("/internal/ping")["instance"]
    program.post("/sdapi/v1/server-restart")
    wait_until(lambda: program.get("/internal/ping")["instance"] != before, 60, "another server answers")


def main() -> None:
    sockets = int(sys.argv[1]) if len(sys.argv) > 1 else SOCKETS
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as folder:
        with usual_limit():
            program = Program(Path(folder) / "data")
            program.start()
        try:
            program.wait_for(program.submit(prompt="cat", steps=1), timeout_seconds=300)  # the engine has started
            judge(program, f"{USUAL_FILES} files that may be raised", sockets, verdicts)
            forbid_more_files(program)
            judge(program, f"{USUAL_FILES} files at most", sockets, verdicts)
        finally:
            program.stop()
    verdicts.end()


if __name__ == "__main__":
    main()
