"""How long an interrupt takes, from the request to the idle noticeboard, at random moments of a job.

`python -m benchmarks.interrupt [embedded|full|both] [tries] [steps] [side]`; budget: p95 ≤ 0.1 step + 0.15 s.
"embedded" is the model that comes with the program; "full" a Stable Diffusion 1.5 of full size with random weights
(2.1 GB, built anew in the temporary folder). The moments are spread over the whole of a picture: a few steps and the
decoder.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.full_size_model import build
from benchmarks.machine import describe_machine
from tests.program import Program, wait_until

STEPS_OF_BUDGET, SECONDS_OF_BUDGET = 0.1, 0.15


@dataclass(frozen=True)
class Try:
    """One interrupt: what ran, and the seconds until nothing ran."""

    phase: str
    seconds: float


def progress(program: Program) -> dict[str, Any]:
    """Return what the program says about the running job."""
    answer: dict[str, Any] = program.get("/sdapi/v1/progress?skip_current_image=true")
    return answer


def interrupt_once(program: Program, request: dict[str, Any], wait_seconds: float) -> Try:
    """Interrupt a job some seconds after its first step, and wait until the noticeboard is idle and the row closed."""
    job = program.submit(**request)
    program.wait_for_step(job)
    time.sleep(wait_seconds)
    phase = str(progress(program)["phase"])
    began = time.monotonic()
    program.post("/sdapi/v1/interrupt")
    while progress(program)["state"]["job_count"] != 0:
        time.sleep(0.002)
    seconds = time.monotonic() - began
    assert program.wait_for(job)["status"] == "interrupted"
    return Try(phase, seconds)


def step_seconds(program: Program, request: dict[str, Any]) -> tuple[float, float]:
    """Return how long a step takes, and how long a whole picture: from the steps that the program tells."""
    warm = program.submit(**{**request, "n_iter": 1})
    program.wait_for(warm, timeout_seconds=600)
    job = program.wait_for(program.submit(**{**request, "n_iter": 1}), timeout_seconds=600)
    assert job["status"] == "done", job["error"]
    whole = float(job["finished_at"] - job["started_at"])
    long = program.submit(**{**request, "n_iter": 1, "steps": 4 * request["steps"]})
    longer = program.wait_for(long, timeout_seconds=600)
    return (float(longer["finished_at"] - longer["started_at"]) - whole) / (3 * request["steps"]), whole


def measure(name: str, program: Program, request: dict[str, Any], tries: int) -> None:
    """Interrupt at random moments and print the percentiles against the budget."""
    step, whole = step_seconds(program, request)
    moments = random.Random(0)
    done = [interrupt_once(program, request, moments.uniform(0, whole)) for _ in range(tries)]
    wait_until(lambda: progress(program)["state"]["job_count"] == 0, 30, "the engine is idle")
    seconds = sorted(one.seconds for one in done)
    p95 = seconds[min(int(len(seconds) * 0.95), len(seconds) - 1)]
    budget = STEPS_OF_BUDGET * step + SECONDS_OF_BUDGET
    phases = {phase: sum(one.phase == phase for one in done) for phase in sorted({one.phase for one in done})}
    print(f"{name}: a step takes {step:.3f} s, a picture {whole:.2f} s; {tries} interrupts, found {phases}")
    print(
        f"  request to idle: median {statistics.median(seconds):.3f}, p95 {p95:.3f}, slowest {seconds[-1]:.3f} s;"
        f" budget {budget:.3f} s: {'held' if p95 <= budget else 'MISSED'} (p95 is {p95 / step:.2f} of a step)"
    )
    for phase in phases:
        print(f"  slowest in {phase}: {max(one.seconds for one in done if one.phase == phase):.3f} s")


def main() -> None:
    """Measure and print."""
    which, tries, steps, side = (*sys.argv[1:], *("both", "20", "4", "256")[len(sys.argv) - 1 :])
    print(describe_machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flags: tuple[str, ...] = ()
        if which in ("full", "both"):
            build(folder / "models" / "Stable-diffusion" / "full-size")
            flags = ("--models-dir", str(folder / "models"))
        request = {"prompt": "red heart", "seed": 1, "steps": int(steps), "cfg_scale": 7.0, "n_iter": 1000}
        with Program(folder / "data", *flags) as program:
            if which in ("embedded", "both"):
                embedded = {**request, "steps": 20, "override_settings": {"sd_model_checkpoint": "emoji"}}
                measure("embedded model, 128×128, 20 steps", program, embedded, int(tries))
            if which in ("full", "both"):
                override = {"override_settings": {"sd_model_checkpoint": "full-size"}}
                full = {**request, **override, "width": int(side), "height": int(side)}
                title = f"Stable Diffusion 1.5 of full size, {side}×{side}, {steps} steps"
                measure(title, program, full, int(tries))


if __name__ == "__main__":
    main()
