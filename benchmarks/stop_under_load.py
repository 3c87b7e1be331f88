"""How long a stop button takes while twenty clients submit as fast as they can.

`python -m benchmarks.stop_under_load [seconds]`; budgets: p99 100 ms, and every submit is answered 200. Exit code 1
when one is missed. The clients are processes of their own, so that they hold nobody up but the server.
"""

from __future__ import annotations

import http.client
import json
import math
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.disk import DiskBeside
from benchmarks.verdict import Verdicts
from tests.program import Program

CLIENTS = 20
PROCESSES = 2
SECONDS = 20.0
SECONDS_BETWEEN_STOPS = 0.05
P99_BUDGET_SECONDS = 0.1


def submit_for(port: int, seconds: float, clients: int, told: Any) -> None:
    """Let `clients` threads submit jobs, each as soon as its last one is answered; tell how often which status came."""
    answers: Counter[int] = Counter()

    def submit(owner: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"kind": "txt2img", "request": {"prompt": "cat", "steps": 1}, "owner": owner})
        while time.monotonic() < until:
            connection.request("POST", "/sdapi/v1/jobs", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1
        connection.close()

    until = time.monotonic() + seconds
    threads = [threading.Thread(target=submit, args=(f"client-{number}",)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(dict(answers))


def stop_for(program: Program, jobs: list[str], seconds: float) -> list[float]:
    """Interrupt one waiting job after the other and return what each interrupt took."""
    took = []
    until = time.monotonic() + seconds
    for job in jobs:
        if time.monotonic() >= until:
            break
        began = time.monotonic()
        answer = program.post(f"/sdapi/v1/jobs/{job}/interrupt")
        took.append(time.monotonic() - began)
        assert answer["accepted"], answer
        time.sleep(SECONDS_BETWEEN_STOPS)
    return took


def measure(program: Program, seconds: float) -> tuple[list[float], Counter[int]]:
    """Return the durations of the stops and how often which status answered a submit."""
    jobs = [program.submit(prompt="cat", steps=1) for _ in range(int(seconds / SECONDS_BETWEEN_STOPS))]
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    arguments = (program.port, seconds, CLIENTS // PROCESSES, told)
    crowd = [context.Process(target=submit_for, args=arguments) for _ in range(PROCESSES)]
    for process in crowd:
        process.start()
    took = stop_for(program, jobs, seconds)
    answers: Counter[int] = Counter()
    for _ in crowd:
        answers.update(told.get(timeout=120))
    for process in crowd:
        process.join()
    return took, answers


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as folder,
        DiskBeside(Path(folder)) as disk,
        Program(Path(folder) / "data") as program,
    ):
        program.post("/sdapi/v1/options", {"queue_limit": 0, "queue_limit_per_owner": 0})
        program.post("/sdapi/v1/queue/pause")  # what is drawn meanwhile is another benchmark's
        took, answers = measure(program, seconds)
    took.sort()
    p99 = took[math.ceil(0.99 * len(took)) - 1]
    shares = f"median {1000 * took[len(took) // 2]:.1f}, p99 {1000 * p99:.1f}, slowest {1000 * took[-1]:.1f} ms"
    print(f"{CLIENTS} clients, {answers.total()} submits in {seconds:.0f} s, answers {dict(answers)}")
    held = verdicts.at_most(f"p99 of a stop, {CLIENTS} clients", 1000 * p99, 1000 * P99_BUDGET_SECONDS, "ms")
    verdicts.holds("every submit is answered 200", set(answers) == {200})
    print(f"{len(took)} stops: {shares}; p99 {held}")
    print(disk)
    verdicts.end()


if __name__ == "__main__":
    main()
