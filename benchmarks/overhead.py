"""What a job costs through the running program, compared with the bare diffusers pipeline with the same settings.

`python -m benchmarks.overhead [rounds] [images] [steps]`; budget: 1.05. A job is `POST /sdapi/v1/txt2img` with previews
at every step and a reader on the event stream; the bare pipeline encodes, draws, decodes and saves in this process,
with as many threads as the engine chose, and once more with all cores. They take turns, so that what else the machine
does hits all; the number is the median of the ratios of neighbours.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bare import BarePipeline
from benchmarks.machine import describe_machine
from tests.program import ROOT, Program

MODEL = ROOT / "models" / "Stable-diffusion" / "emoji"


def read_events(program: Program) -> list[int]:
    """Read the event stream for as long as the program runs; return a list that grows by the size of each line."""
    sizes: list[int] = []

    def read() -> None:
        try:
            with urllib.request.urlopen(program.url + "/sdapi/v1/events", timeout=600) as stream:
                for line in stream:
                    sizes.append(len(line))
        except OSError:
            return

    threading.Thread(target=read, daemon=True).start()
    return sizes


def seconds(act: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def report(name: str, taken: list[float], ours: list[float]) -> None:
    """Print one way to draw, and how ours compares."""
    ratio = statistics.median(own / other for own, other in zip(ours, taken, strict=True))
    print(f"  {name:28} median {statistics.median(taken):.3f} s, fastest {min(taken):.3f} s", end="")
    print("" if taken is ours else f"; ours ÷ this: {ratio:.3f} (fastest ÷ fastest {min(ours) / min(taken):.3f})")


def main() -> None:
    """Measure and print."""
    arguments = [int(argument) for argument in sys.argv[1:]]
    rounds, images, steps = (*arguments, *(8, 4, 20)[len(arguments) :])
    request = {
        "prompt": "red heart", "seed": 1, "steps": steps, "n_iter": images, "cfg_scale": 7.0, "width": 128,
        "height": 128, "sampler_name": "Euler",
    }  # fmt: skip
    print(describe_machine())
    bare = BarePipeline(MODEL)
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, Program(Path(name) / "data") as program:
        folder = Path(name)
        streamed = read_events(program)
        first = program.wait_for(program.submit(**request), timeout_seconds=300)  # loads the model
        threads = int(program.get(f"/sdapi/v1/jobs/{first['id']}")["resolved"]["threads"])
        ways: list[Callable[[], Any]] = [
            lambda: program.post("/sdapi/v1/txt2img", request, timeout_seconds=300),
            lambda: bare.draw(request, folder, threads),
            lambda: bare.draw(request, folder, cores),
        ]
        taken: list[list[float]] = [[], [], []]
        for turn in range(rounds):
            for way in (0, 1, 2) if turn % 2 == 0 else (1, 0, 2):
                taken[way].append(seconds(ways[way]))
    print(f"{images} images of {steps} steps, 128×128, embedded model, {len(streamed)} lines on the event stream")
    report("through REST", taken[0], taken[0])
    report(f"bare diffusers, {threads} thread(s)", taken[1], taken[0])
    report(f"bare diffusers, {cores} thread(s)", taken[2], taken[0])


if __name__ == "__main__":
    main()
