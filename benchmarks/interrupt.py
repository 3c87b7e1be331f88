"""How long an interrupt takes, from the request to the news that the job is interrupted, by the phase that it meets.

`python -m benchmarks.interrupt [models] [tries] [steps] [side] [phases]`: so many tries for each of load, encode,
sample, decode and save, or for those that are named (`sample,decode`). Budget: p95 ≤ 0.1 step + 0.15 s in sampling,
≤ 0.5 s elsewhere. Models (`embedded,full` unless others are named): "embedded" comes with the program; "full" is a
Stable Diffusion 1.5 of full size with random weights (2.1 GB, built anew in the temporary folder), "flux" a Flux as
large as that (1.9 GB), "tiny-sdxl" and "tiny-flux" are of a few layers. The moment in a phase is random, over the time
that the phase takes; the phase is what the live stream said last when the request was sent.
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.disk import DiskBeside
from benchmarks.full_size_model import build
from benchmarks.other_families import build_flux, build_tiny_flux, build_tiny_sdxl
from benchmarks.verdict import Verdicts
from benchmarks.watching import Watching
from tests.program import ROOT, Program

PHASES = ("load", "encode", "sample", "decode", "save")
STEPS_OF_BUDGET, SECONDS_OF_BUDGET = 0.1, 0.15
SECONDS_ELSEWHERE = 0.5
# A phase that is shorter is over before a moment in it could be chosen: then the request goes out at once.
SHORT_SECONDS = 0.2


@dataclass(frozen=True)
class Try:
    """One interrupt: which phase it was meant for and met, and the seconds until the job was told to be interrupted.

    `seconds` is None when the job was done before.
    """

    aimed: str
    met: str
    seconds: float | None


class Bench:
    """One model in a running program, and another whose use makes the first one load again."""

    def __init__(self, program: Program, watching: Watching, request: dict[str, Any], other: str) -> None:
        self._program = program
        self._watching = watching
        self._request = request
        self._other = other
        self._chance = random.Random(0)
        self._number = 0
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.step_seconds = 0.0

    def learn(self) -> None:
        """Draw twice in peace and take down how long the phases and a step take, once all files were read before."""
        for _ in range(2):
            self._unload()
            began, phase = time.monotonic(), "load"
            job = self._submit()
            while job not in self._watching.ended:
                self._watching.wait(lambda: job in self._watching.ended or self._watching.phase != phase, 600)  # noqa: B023
                now = time.monotonic()
                if phase in self.seconds:
                    self.seconds[phase] = now - began
                began, phase = now, str(self._watching.phase)
            assert self._watching.ended[job][0] == "done"
        self.step_seconds = self.seconds["sample"] / self._request["steps"]

    def interrupt_in(self, phase: str) -> Try:
        """Interrupt a job as soon as the stream says that it is in `phase`, and some time later."""
        if phase == "load":
            self._unload()
        job = self._submit(n_iter=1000)  # one that is not over before the request comes
        watching = self._watching
        watching.wait(lambda: (watching.job == job and self._has_come_to(phase)) or job in watching.ended, 600)
        if self.seconds[phase] > SHORT_SECONDS:
            time.sleep(self._chance.uniform(0, 0.8 * self.seconds[phase]))
        met = str(watching.phase)
        began = time.monotonic()
        self._program.post(f"/sdapi/v1/jobs/{job}/interrupt")
        status, told_at = watching.wait_for_end(job)
        return Try(phase, met, told_at - began if status == "interrupted" else None)

    def _has_come_to(self, phase: str) -> bool:
        """Tell whether the job is in `phase`, or past it: the stream may leave out one that is over in a blink."""
        now = self._watching.phase
        return now in PHASES and PHASES.index(now) >= PHASES.index(phase)

    def _submit(self, **more: Any) -> str:
        """Queue a job whose words no cache knows."""
        self._number += 1
        prompt = f"{self._request['prompt']} {self._number}"
        return self._program.submit(**{**self._request, **more, "prompt": prompt})

    def _unload(self) -> None:
        """Let the engine load the other model."""
        override = {"sd_model_checkpoint": self._other}
        job = self._program.submit(prompt="cat", steps=1, override_settings=override)
        assert self._watching.wait_for_end(job)[0] == "done"


def measure(title: str, bench: Bench, tries: int, phases: list[str], verdicts: Verdicts) -> None:
    """Interrupt in each phase and print the percentiles against the budget."""
    bench.learn()
    took = ", ".join(f"{phase} {seconds:.3f}" for phase, seconds in bench.seconds.items())
    print(f"{title}: a step takes {bench.step_seconds:.3f} s; phases: {took} s", flush=True)
    for phase in phases:
        done = [bench.interrupt_in(phase) for _ in range(tries)]
        seconds = sorted(one.seconds for one in done if one.seconds is not None)
        met = dict(Counter(one.met for one in done))
        budget = STEPS_OF_BUDGET * bench.step_seconds + SECONDS_OF_BUDGET if phase == "sample" else SECONDS_ELSEWHERE
        if not seconds:
            verdicts.holds(f"{title}: {phase} was met", False)
            print(f"  {phase:7} all {tries} jobs were done before the request; met {met}", flush=True)
            continue
        p95 = seconds[min(int(len(seconds) * 0.95), len(seconds) - 1)]
        held = verdicts.at_most(f"{title}: p95 in {phase}", p95, budget, "s")
        print(
            f"  {phase:7} p50 {statistics.median(seconds):.3f}, p95 {p95:.3f}, max {seconds[-1]:.3f} s; p95 {held};"
            f" {len(seconds)} of {tries} interrupted, met {met}",
            flush=True,
        )


BUILT: dict[str, tuple[str, Callable[[Path], object]]] = {
    "full": ("Stable Diffusion 1.5 of full size", build),
    "flux": ("Flux as large as Stable Diffusion 1.5", build_flux),
    "tiny-sdxl": ("tiny SDXL", build_tiny_sdxl),
    "tiny-flux": ("tiny Flux", build_tiny_flux),
}


def main() -> None:
    """Measure and print."""
    given = sys.argv[1:]
    which, tries, steps, side, named = (*given, *("embedded,full", "20", "4", "256", ",".join(PHASES))[len(given) :])
    phases = named.split(",")
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = folder / "models" / "Stable-diffusion"
        shutil.copytree(ROOT / "models" / "Stable-diffusion" / "emoji", models / "another")
        wanted = which.split(",")
        for model in wanted:
            if model != "embedded":
                BUILT[model][1](models / model)
        with (
            DiskBeside(folder) as disk,
            Program(folder / "data", "--models-dir", str(folder / "models")) as program,
            Watching(program.port) as watching,
        ):
            program.post("/sdapi/v1/options", {"sd_checkpoints_limit": 1})  # so that another one is loaded each time
            for model in wanted:
                title, drawn = "embedded model, 256×256, 20 steps", {"steps": 20}
                if model != "embedded":
                    title = f"{BUILT[model][0]}, {side}×{side}, {steps} steps"
                    drawn = {"steps": int(steps), "width": int(side), "height": int(side)}
                checkpoint = "emoji" if model == "embedded" else model
                override = {"sd_model_checkpoint": checkpoint}
                request = {"prompt": "red heart", "seed": 1, "cfg_scale": 7.0, "override_settings": override, **drawn}
                measure(title, Bench(program, watching, request, "another"), int(tries), phases, verdicts)
    print(disk)
    verdicts.end()


if __name__ == "__main__":
    main()
