"""How much memory the server has after requests that are meant to fill it.

`python -m benchmarks.server_memory [requests]`; budget: no single request, and no 10,000 of them, leaves it with more
than 100 MB that it did not have before. The peak meanwhile is told too. Exit code 1 on a miss.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import math
import socket
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.verdict import Verdicts
from tests.program import Program

REQUESTS = 10_000
THREADS = 8
MOST_SECONDS = 300.0
BUDGET_MEGABYTES = 100.0
SECONDS_TO_SETTLE = 20.0
MEBIBYTE = 1 << 20
BOMB_SIDE = 10_000
PROGRESS, PREDICT, PNG_INFO = "/internal/progress", "/gradio_api/run/predict", "/sdapi/v1/png-info"
Deed = Callable[[int], None]


class Memory:
    """The memory of a process in megabytes, looked at all the time while it is open."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def now(self) -> float:
        line = next(line for line in self._status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *nothing: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, self.now())


def ask(
    port: int, method: str, path: str, body: bytes | Iterator[bytes] = b"", headers: Mapping[str, str] | None = None
) -> int:
    """Return the status of one request; 0 when the server cut it off."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # refused before it was sent: the answer is there
            connection.request(method, path, body or None, {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def megabytes(count: int) -> Iterator[bytes]:
    """Yield so many, with no end in sight for who reads them."""
    part = b" " * MEBIBYTE
    return (part for _ in range(count))


def bomb() -> bytes:
    """Return a PNG of some hundred kilobytes that says it is 400 MB large."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 4 * BOMB_SIDE)
    pixels = b"".join(packer.compress(row) for _ in range(BOMB_SIDE)) + packer.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def single_requests(port: int) -> dict[str, Callable[[], int]]:
    """Return what one client can try at once."""
    picture = json.dumps({"image": base64.b64encode(bomb()).decode()}).encode()
    large = json.dumps({"fn_index": 0, "data": ["x" * (200 * MEBIBYTE)]}).encode()
    return {
        "1,500 MiB in chunks to progress": lambda: ask(port, "POST", PROGRESS, megabytes(1500)),
        "200 MiB of JSON to the page": lambda: ask(port, "POST", PREDICT, large),
        "200 MiB in chunks to upload": lambda: ask(port, "POST", "/gradio_api/upload", megabytes(200)),
        "63 MiB that are no picture": lambda: ask(
            port, "POST", PNG_INFO, b'{"image": "' + b"A" * (63 * MEBIBYTE) + b'"}'
        ),
        "60 MiB of brackets": lambda: ask(port, "POST", PNG_INFO, b"[" * (60 * MEBIBYTE)),
        "a picture of 400 MB in a file of 400 kB": lambda: ask(port, "POST", PNG_INFO, picture),
        "an owner of 50 MiB": lambda: ask(
            port, "GET", "/sdapi/v1/jobs", headers={"x-steady-owner": "x" * (50 * MEBIBYTE)}
        ),
    }


def watch_and_leave(port: int) -> None:
    """Ask for the event stream, take its beginning, and be gone."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"GET /sdapi/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        client.recv(1000)


def many_requests(port: int) -> dict[str, Deed]:
    """Return what can be tried ten thousand times, each time as somebody else."""

    def predict(number: int) -> None:
        body: dict[str, Any] = {"fn_index": number % 40, "data": [], "session_hash": f"visitor-{number}"}
        ask(port, "POST", PREDICT, json.dumps(body).encode())

    def large(number: int) -> None:
        ask(port, "POST", PROGRESS, json.dumps({"id_task": f"{number}" + "x" * 900_000}).encode())

    def refused(number: int) -> None:
        body = {"prompt": "x" * 20_000, "force_task_id": f"{number}" * 50, "width": 3}
        ask(port, "POST", "/sdapi/v1/txt2img", json.dumps(body).encode(), {"x-steady-owner": f"owner-{number}"})

    return {
        "visitors of the page": predict,
        "bodies of 900 kB": large,
        "jobs that are refused": refused,
        "addresses that are not there": lambda number: void(ask(port, "GET", f"/nowhere/{number}/" + "x" * 5000)),
        "pages": lambda number: void(ask(port, "GET", "/config" if number % 2 else "/")),
        "lists": lambda number: void(ask(port, "GET", f"/sdapi/v1/jobs?owner=owner-{number}&text={'x' * 900}")),
        "readers of the stream": lambda number: watch_and_leave(port),
    }


def void(status: int) -> None:
    """Take no notice of a status."""


def repeat(deed: Deed, count: int, until: float) -> int:
    """Do it so often, by several threads, or until the time is over; return how often."""
    done = [0] * THREADS

    def work(place: int) -> None:
        for number in range(place, count, THREADS):
            if time.monotonic() > until:
                return
            deed(number)
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


def judge(pid: int, name: str, what: Callable[[], object], verdicts: Verdicts) -> None:
    """Do something and say what it left."""
    with Memory(pid) as memory:
        before = memory.now()
        outcome = what()
        until = time.monotonic() + SECONDS_TO_SETTLE
        while memory.now() - before > BUDGET_MEGABYTES / 2 and time.monotonic() < until:
            time.sleep(0.5)
        left = memory.now() - before
    held = verdicts.at_most(f"left by {name}", left, BUDGET_MEGABYTES, "MB")
    figures = f"{before:.0f} MB before, {memory.peak:.0f} at most, {left:+.0f} left"
    print(f"  {name} ({outcome}): {figures}, {held}", flush=True)


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "data") as program:
        many = many_requests(program.port)
        for deed in many.values():  # what is made once is no growth
            repeat(deed, 50, math.inf)
        pid = program.pid_of("app.py")
        for name, what in single_requests(program.port).items():
            judge(pid, name, what, verdicts)
        share, until = math.ceil(requests / len(many)), time.monotonic() + MOST_SECONDS
        with Memory(pid) as memory:
            before = memory.now()
            for name, deed in many.items():
                judge(pid, name, lambda deed=deed: repeat(deed, share, until), verdicts)  # type: ignore[misc]
            left = memory.now() - before
        held = verdicts.at_most(f"left by {requests} requests together", left, BUDGET_MEGABYTES, "MB")
        print(f"  all of these together left {left:+.0f} MB, {held}")
        verdicts.holds("it is still the same server", program.pid_of("app.py") == pid)
    verdicts.end()


if __name__ == "__main__":
    main()
