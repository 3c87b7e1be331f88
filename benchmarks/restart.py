"""A restart of the server while a job runs: requests that fail, the slowest answer, and whether the job noticed.

`python -m benchmarks.restart [rounds]`; budget: none failed, slowest 0.1 s, pictures identical.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.disk import DiskBeside
from benchmarks.traffic import Route, Traffic, job_that_lasts
from benchmarks.verdict import Verdicts
from tests.program import Program, wait_until

BUDGET_SECONDS = 0.1
RATE = 200.0
CLIENTS = 8
SECONDS_AROUND = 2.0
JOB_SECONDS = 15.0
ROUTES = (
    Route("GET", "/internal/ping"),
    Route("GET", "/sdapi/v1/progress"),
    Route("GET", "/sdapi/v1/jobs?limit=5"),
    Route("GET", "/"),
    Route("POST", "/internal/progress", {}),
)


def pictures(program: Program, job_id: str) -> list[str]:
    """Wait for the job and return a hash of each picture's file."""
    job = program.wait_for(job_id, timeout_seconds=600)
    assert job["status"] == "done", job["error"]
    assert job["attempts"] == 1
    return [hashlib.sha256(program.call("GET", output["url"])[1]).hexdigest() for output in job["outputs"]]


def restart_once(program: Program) -> tuple[Traffic, float, int]:
    """Restart amid traffic; return it, the seconds until the new server answered, and the waiting client's status."""
    waited: list[int] = []
    body = {"prompt": "cat", "seed": 5, "steps": 3}
    client = threading.Thread(
        target=lambda: waited.append(program.call("POST", "/sdapi/v1/txt2img", body, timeout_seconds=600)[0])
    )
    client.start()
    wait_until(lambda: program.get("/internal/pending-tasks")["size"] == 1, 30, "the client's job waits")
    before = program.get("/internal/ping")["instance"]
    with Traffic(program.port, ROUTES, RATE, CLIENTS) as traffic:
        time.sleep(SECONDS_AROUND)
        began = time.monotonic()
        program.post("/sdapi/v1/server-restart")
        wait_until(lambda: program.get("/internal/ping")["instance"] != before, 60, "the new server answers")
        took = time.monotonic() - began
        time.sleep(SECONDS_AROUND)
    client.join()
    return traffic, took, waited[0]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as folder,
        DiskBeside(Path(folder)) as disk,
        Program(Path(folder) / "data") as program,
    ):
        job = job_that_lasts(program, JOB_SECONDS)
        undisturbed = pictures(program, program.submit(**job))
        print(f"the job: {job['n_iter']} pictures of {job['steps']} steps", flush=True)
        for number in range(1, rounds + 1):
            job_id = program.submit(**job)
            program.wait_for_step(job_id)
            traffic, took, waited = restart_once(program)
            same = pictures(program, job_id) == undisturbed
            slowest = max(seconds for seconds, _ in traffic.seconds)
            held = verdicts.at_most("slowest request", slowest, BUDGET_SECONDS, "s")
            verdicts.at_most("failed requests", len(traffic.failed), 0, "requests")
            verdicts.holds("the pictures are identical", same)
            verdicts.holds("a waiting txt2img is answered", waited == 200)
            print(
                f"restart {number}: {len(traffic.seconds)} requests, {len(traffic.failed)} failed {traffic.failed[:3]},"
                f" slowest {slowest:.3f} s, {held},"
                f" p99 {traffic.percentile(0.99):.3f} s, new server after {took:.1f} s;"
                f" waiting txt2img answered {waited}; pictures {'identical' if same else 'DIFFER'}",
                flush=True,
            )
    print(disk)
    verdicts.end()


if __name__ == "__main__":
    main()
