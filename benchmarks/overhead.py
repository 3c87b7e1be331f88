"""What a job costs through the running program, compared with the bare diffusers pipeline with the same settings.

`python -m benchmarks.overhead [work] [embedded|full] [rounds] [images] [steps] [side]`; budget: 1.02. A job is
`POST /sdapi/v1/txt2img` with previews at every step, snapshots as often as the settings come and a reader on the event
stream; then the same without previews, and with far more snapshots, which shows what each really costs the job. The
bare pipeline encodes, draws, decodes and saves in this process, with the engine's priority and as many threads as it
chose, and once more with all cores. It reads the words each time, which the engine remembers. They take turns, so that
what else the machine does hits all; the number is the median of the ratios of neighbours. "full" is a Stable Diffusion
1.5 of full size with random weights (2.1 GB, built anew in the temporary folder).

On a machine that others use too, the clock on the wall measures them. "work" is for those: the engine and the bare
pipeline in this process, with one thread, compared by the processor time of the process, all its threads included.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.asked import asked, model_of
from benchmarks.bare import BarePipeline, stand_back_as_the_engine
from benchmarks.verdict import Verdicts
from modules.settings import Settings
from tests.engine.own_engine import Engine
from tests.program import Program

BUDGET = 1.02
DEFAULTS = {"embedded": (8, 4, 20, 256), "full": (3, 1, 8, 512)}
OFTEN_SECONDS = {"embedded": 1, "full": 10}  # between two snapshots


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


def seconds(act: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> float:
    """Return how long a call takes."""
    began = clock()
    act()
    return clock() - began


@dataclass(frozen=True)
class Way:
    """One way to draw the same images; `settings` are those of the program while it does."""

    name: str
    act: Callable[[], Any]
    settings: dict[str, Any] | None = None
    is_budget: bool = False


def report(way: Way, taken: list[float], ours: list[float], verdicts: Verdicts, budget: float = BUDGET) -> None:
    """Print one way to draw, and how ours compares."""
    name = way.name
    ratio = statistics.median(own / other for own, other in zip(ours, taken, strict=True))
    print(f"  {name:28} median {statistics.median(taken):.3f} s, fastest {min(taken):.3f} s", end="")
    held = f", {verdicts.at_most(f'ours ÷ {name}', ratio, budget, '×')}" if way.is_budget else ""
    more = f"; ours ÷ this: {ratio:.3f} (fastest ÷ fastest {min(ours) / min(taken):.3f}){held}"
    print("" if taken is ours else more)


def ways_of(
    draw: Callable[[], Any], bare: BarePipeline, request: dict[str, Any], threads: int, often: int, folder: Path
) -> list[Way]:
    """Return ours as it is used, ours without and with more of what may cost something, and the bare pipeline.

    `often` is how many seconds lie between many snapshots.
    """
    usual = Settings().snapshot_every_seconds
    used = {"live_previews_enable": True, "show_progress_every_n_steps": 1, "snapshot_every_seconds": usual}
    return [
        Way("ours", draw, used),
        Way("without previews", draw, used | {"live_previews_enable": False}),
        Way(f"a snapshot each {often} s", draw, used | {"snapshot_every_seconds": often}),
        Way(f"bare diffusers, {threads} thread(s)", lambda: bare.draw(request, folder, threads), is_budget=True),
    ]


def take_turns(
    ways: list[Way], rounds: int, choose: Callable[[dict[str, Any]], Any], clock: Callable[[], float] = time.monotonic
) -> list[list[float]]:
    """Return how long each way took in each round; `choose` sets the settings of the program."""
    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(rounds):
        for number in range(len(ways)) if turn % 2 == 0 else reversed(range(len(ways))):
            way = ways[number]
            if way.settings is not None:
                choose(way.settings)
            taken[number].append(seconds(way.act, clock))
            print(f"  round {turn + 1}: {way.name:28} {taken[number][-1]:.3f} s", flush=True)
    return taken


def preview_method(program: Program, request: dict[str, Any]) -> Any:
    """Return how previews of such a job are made, and why."""
    job = program.submit(**request)
    told: Any = None
    while program.job(job)["status"] in ("queued", "running"):
        detail = program.get("/sdapi/v1/progress?skip_current_image=true")["detail"]
        told = detail["preview"] if detail and detail["preview"] else told
        time.sleep(0.2)
    return told


def measure_program(which: str, request: dict[str, Any], rounds: int, folder: Path, verdicts: Verdicts) -> None:
    """Compare by the clock, through REST."""
    model = model_of(which, folder)
    cores = len(os.sched_getaffinity(0))

    def draw() -> None:
        program.post("/sdapi/v1/txt2img", request, timeout_seconds=3600)

    def choose(settings: dict[str, Any]) -> None:
        program.post("/sdapi/v1/options", settings)
        time.sleep(1.0)  # The engine looks at the settings each half second.

    with Program(folder / "data", "--models-dir", str(folder / "models")) as program:
        program.post("/sdapi/v1/options", {"sd_model_checkpoint": model.name})
        stand_back_as_the_engine()
        streamed = read_events(program)
        first = program.wait_for(program.submit(**request), timeout_seconds=3600)  # loads the model
        resolved = program.job(first["id"])["resolved"]
        previews = preview_method(program, request)
        bare, threads = BarePipeline(model, resolved["dtype"]), int(resolved["threads"])
        ways = ways_of(draw, bare, request, threads, OFTEN_SECONDS[which], folder)
        if cores != threads:
            ways.append(Way(f"bare diffusers, {cores} thread(s)", lambda: bare.draw(request, folder, cores)))
        taken = take_turns(ways, rounds, choose)
    print(f"through REST, {len(streamed)} lines on the event stream; previews: {previews}")
    for way, its in zip(ways, taken, strict=True):
        report(way, its, taken[0], verdicts)


def measure_work(which: str, request: dict[str, Any], rounds: int, folder: Path, verdicts: Verdicts) -> None:
    """Compare by processor time, in this process."""
    model = model_of(which, folder)
    engine = Engine(folder / "data", model.parent.parent)
    engine.options.update({"sd_model_checkpoint": model.name, "torch_threads": 1})

    def draw() -> None:
        job = engine.draw(**request)
        assert job.status == "done", job.error

    draw()
    draw()
    resolved = engine.store.jobs.page()[0][0].resolved
    assert resolved is not None
    ways = ways_of(draw, BarePipeline(model, resolved["dtype"]), request, 1, OFTEN_SECONDS[which], folder)
    ways[-1].act()
    taken = take_turns(ways, rounds, engine.options.update, time.process_time)
    told = [value["preview"] for value in engine.values("progress") if value and value["preview"]]
    methods = {one["method"]: one["reason"] for one in told}
    print(f"processor time of the process, one thread; previews: {methods}")
    for way, its in zip(ways, taken, strict=True):
        report(way, its, taken[0], verdicts)
    engine.close()


def main() -> None:
    """Measure and print."""
    given, verdicts = asked(DEFAULTS), Verdicts()
    print(given.said)
    with tempfile.TemporaryDirectory() as name:
        measure = measure_work if "work" in given.words else measure_program
        measure(given.which, given.request, given.rounds, Path(name), verdicts)
    verdicts.end()


if __name__ == "__main__":
    main()
