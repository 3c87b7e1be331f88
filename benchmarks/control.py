"""What control routes take while a job runs, and what asking them costs the job.

`python -m benchmarks.control [rounds]`; budgets: p99 20 ms at 50 requests a second, job time × 1.05; p99 50 ms with 100
clients that wait for their pictures; no request fails. Exit code 1 when one is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.disk import DiskBeside
from benchmarks.traffic import Route, Traffic, job_that_lasts
from benchmarks.verdict import Verdicts
from tests.program import Program, wait_until

RATE = 50.0
WAITING_CLIENTS = 100
JOB_SECONDS = 12.0
BUDGET_SECONDS, BUDGET_SECONDS_OF_CROWD, BUDGET_JOB = 0.02, 0.05, 1.05


def routes(finished_job: str) -> tuple[Route, ...]:
    """Return ping, progress and interrupt: of a job that has ended, so that the running one goes on."""
    return (
        Route("GET", "/internal/ping"),
        Route("GET", "/sdapi/v1/progress"),
        Route("POST", "/internal/progress", {}),
        Route("POST", "/sdapi/v1/interrupt", {"task_id": finished_job}),
    )


def job_seconds(program: Program, request: dict[str, Any]) -> float:
    """Run a job and return the time from its claim to its end."""
    job = program.wait_for(program.submit(**request), timeout_seconds=300)
    assert job["status"] == "done", job["error"]
    return float(job["finished_at"] - job["started_at"])


def report(traffic: Traffic, when: str, budget: float, verdicts: Verdicts) -> None:
    """Print percentiles, in all and by route."""
    failed = verdicts.at_most(f"failed requests, {when}", len(traffic.failed), 0, "requests")
    print(f"  {len(traffic.seconds)} requests, {len(traffic.failed)} failed {traffic.failed[:3]}, {failed}")
    for route in traffic.routes:
        one = Traffic(traffic.port, (route,), traffic.rate)
        one.seconds = [entry for entry in traffic.seconds if entry[1] == route]
        shares = ", ".join(f"{name} {1000 * one.percentile(share):.1f}" for name, share in SHARES)
        print(f"  {route.method:4} {route.path:22} {shares} ms")
    shares = ", ".join(f"{name} {1000 * traffic.percentile(share):.1f}" for name, share in SHARES)
    held = verdicts.at_most(f"p99, {when}", 1000 * traffic.percentile(0.99), 1000 * budget, "ms")
    print(f"  all: {shares} ms; p99 {held}")


SHARES = (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("slowest", 1.0))


def measure_cost(
    program: Program, request: dict[str, Any], asked: tuple[Route, ...], rounds: int, verdicts: Verdicts
) -> None:
    """Compare the job alone and with clients that ask, in turn."""
    alone, disturbed = [], []
    everything = Traffic(program.port, asked, RATE)
    for _ in range(rounds):
        alone.append(job_seconds(program, request))
        with Traffic(program.port, asked, RATE) as traffic:
            disturbed.append(job_seconds(program, request))
        everything.seconds += traffic.seconds
        everything.failed += traffic.failed
    print(f"{RATE:.0f} requests a second while a job runs:")
    report(everything, "while a job runs", BUDGET_SECONDS, verdicts)
    before, with_clients = statistics.median(alone), statistics.median(disturbed)
    held = verdicts.at_most("job with clients ÷ alone", with_clients / before, BUDGET_JOB, "×")
    print(f"  job alone {before:.2f} s, with clients {with_clients:.2f} s: × {with_clients / before:.3f}, {held}")


def measure_crowd(program: Program, request: dict[str, Any], asked: tuple[Route, ...], verdicts: Verdicts) -> None:
    """Ask while a hundred clients wait in txt2img behind a running job."""
    running = program.submit(**request)
    program.wait_for_step(running)
    body = {"prompt": "cat", "steps": 1}
    crowd = [
        threading.Thread(target=program.call, args=("POST", "/sdapi/v1/txt2img", body), kwargs={"timeout_seconds": 300})
        for _ in range(WAITING_CLIENTS)
    ]
    for client in crowd:
        client.start()
    wait_until(lambda: program.get("/internal/pending-tasks")["size"] == WAITING_CLIENTS, 60, "all clients wait")
    with Traffic(program.port, asked, RATE) as traffic:
        program.wait_for(running, timeout_seconds=300)
    print(f"{RATE:.0f} requests a second with {WAITING_CLIENTS} clients waiting:")
    report(traffic, f"{WAITING_CLIENTS} clients waiting", BUDGET_SECONDS_OF_CROWD, verdicts)
    for client in crowd:
        client.join()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as folder,
        DiskBeside(Path(folder)) as disk,
        Program(Path(folder) / "data") as program,
    ):
        finished = program.submit(prompt="cat", steps=2)
        program.wait_for(finished)
        request = job_that_lasts(program, JOB_SECONDS)
        asked = routes(finished)
        measure_cost(program, request, asked, rounds, verdicts)
        measure_crowd(program, request, asked, verdicts)
    print(disk)
    verdicts.end()


if __name__ == "__main__":
    main()
