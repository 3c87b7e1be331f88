"""Memory of the three processes: when idle, after the first picture, after many, and at rest after these.

`python -m benchmarks.memory [jobs]`; prints resident memory in MB, and that of the bare diffusers pipeline beside it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.verdict import Verdicts
from tests.program import ROOT, Program

# Five per cent over what README told before.
BUDGET_MEGABYTES = {"launcher": 26.3, "server": 173.0}
BUDGET_SHARE, BUDGET_SHARE_AT_REST = 1.09, 1.0
SECONDS_UNTIL_REST = 15.0  # the engine gives back after 10 what it kept for a next picture
MODEL = ROOT / "models" / "Stable-diffusion" / "emoji"
BARE = """
import sys, psutil
from pathlib import Path
from benchmarks.bare import BarePipeline
pipeline = BarePipeline(Path(sys.argv[1]))
request = {"prompt": "red heart", "seed": 1, "steps": 20, "n_iter": 1, "cfg_scale": 7.0, "width": 256, "height": 256}
pipeline.draw(request, Path(sys.argv[2]), 1)
print(psutil.Process().memory_info().rss)
"""


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def wait_until_settled(pid: int) -> None:
    """Return when a process has imported all it needs: its memory has not grown for three seconds."""
    since, last = time.monotonic(), megabytes(pid)
    while time.monotonic() - since < 3:
        time.sleep(0.1)
        if megabytes(pid) > last + 0.5:
            since, last = time.monotonic(), megabytes(pid)


def show(when: str, program: Program) -> dict[str, float]:
    """Print the memory of all three and return it."""
    assert program.launcher is not None
    launcher, server, engine = (
        megabytes(pid) for pid in (program.launcher.pid, program.pid_of("app.py"), program.pid_of("modules.engine"))
    )
    print(f"  {when:26} launcher {launcher:6.1f}   server {server:6.1f}   engine {engine:7.1f}", flush=True)
    return {"launcher": launcher, "server": server, "engine": engine}


def main() -> None:
    """Measure and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    verdicts = Verdicts()
    print("resident memory in MB, embedded model, 20 steps:")
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", BARE, str(MODEL), name]
        bare = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()[-1]
        with Program(Path(name) / "data") as program:
            wait_until_settled(program.pid_of("modules.engine"))
            idle = show("idle, before any picture", program)
            for number in range(1, jobs + 1):
                program.wait_for(program.submit(prompt="red heart", seed=number, steps=20), timeout_seconds=300)
                if number in (1, 3, jobs):
                    last = show(f"after {number} picture(s)", program)
            time.sleep(SECONDS_UNTIL_REST)
            rest = show("at rest", program)
        print(f"  bare diffusers after one picture: {int(bare) / 1e6:.1f}")
    for role in ("launcher", "server"):
        verdicts.at_most(f"idle {role}", idle[role], BUDGET_MEGABYTES[role], "MB")
    for when, megabytes_then, budget in (
        (f"after {jobs} pictures", last["engine"], BUDGET_SHARE),
        ("at rest", rest["engine"], BUDGET_SHARE_AT_REST),
    ):
        verdicts.at_most(f"engine {when} ÷ bare diffusers", megabytes_then * 1e6 / int(bare), budget, "×")
    verdicts.end()


if __name__ == "__main__":
    main()
