"""What thousands of models cost: starts, the page, its list of checkpoints, the Models tab; with 5,000 files against 5.

`python -m benchmarks.many_models [files] [rounds] [starts]`; budget: × 1.2 for each, × 1.5 while the headers of
thousands are read, which happens once. Both programs are started in turn, then run side by side and are asked in
turn. The files are holes of the size of a Flux.1 in fp8 that say what they are; hashing them, which is done while
nothing else is to do, is left out: they are as if somebody were still writing them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.verdict import Verdicts
from tests.jobs import made_transformers, made_unets
from tests.jobs.made_files import write_file
from tests.program import Program, wait_until

BUDGET = 1.2
BUDGET_WHILE_READING = 1.5
FEW = 5
FOLDERS = 20
FLUX_BYTES = 11_900_000_000
TOMORROW_SECONDS = 86_400
Questions = dict[str, Callable[[], object]]
READ_SECONDS = 300


def beginning_of(path: Path) -> bytes:
    """Return the header of a safetensors file, with its length before it."""
    with path.open("rb") as file:
        length = file.read(8)
        return length + file.read(int.from_bytes(length, "little"))


def make_models(root: Path, count: int) -> Path:
    """Write a ComfyUI's models folder with `count` denoisers, and what they are drawn with."""
    tensors = {**made_transformers.flux(), "single_blocks.1.linear1.weight": (FLUX_BYTES,)}
    first = write_file(root / "models" / "diffusion_models" / "model-00000.safetensors", tensors, "F8_E4M3")
    data, size = beginning_of(first), first.stat().st_size
    later = time.time() + TOMORROW_SECONDS
    for number in range(count):
        folder = first.parent / (f"folder-{number % FOLDERS:02}" if number else "")
        folder.mkdir(exist_ok=True)
        path = folder / f"model-{number:05}.safetensors"
        path.write_bytes(data)
        os.truncate(path, size)
        os.utime(path, (later, later))
    write_file(root / "models" / "text_encoders" / "clip_l.safetensors", made_unets.clip())
    write_file(root / "models" / "text_encoders" / "t5xxl.safetensors", made_transformers.t5())
    write_file(root / "models" / "vae" / "ae.safetensors", made_transformers.vae_of(16))
    return root / "models"


def started(program: Program) -> float:
    """Start the program and return the seconds until its first page is there."""
    began = time.monotonic()
    program.start(wait=False)
    wait_until(program.answers, 120, "the page answers")
    with urllib.request.urlopen(program.url, timeout=60) as answer:
        answer.read()
    return time.monotonic() - began


def starts(programs: Sequence[Program], rounds: int, anew: bool) -> list[float]:
    """Start and stop each program so often, in turn; return the median seconds. `anew`: as if for the first time."""
    times: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        for program, seconds in zip(programs, times, strict=True):
            if anew:
                (program.data / "model-facts.jsonl").unlink(missing_ok=True)
            seconds.append(started(program))
            program.stop()
    return [statistics.median(seconds) for seconds in times]


def seconds_of(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def number_of_listener(program: Program, element: str) -> int:
    """Return the number by which Gradio knows what happens when this button is pressed."""
    config = program.get("/config")
    wanted = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == element)
    return int(next(one["id"] for one in config["dependencies"] if [wanted, "click"] in one["targets"]))


def questions(program: Program) -> Questions:
    """Return what a browser asks, by what it is for."""
    reload = number_of_listener(program, "steady_reload_models")
    body = {"data": [None], "fn_index": reload, "session_hash": "benchmark"}
    return {
        "first page": lambda: program.call("GET", "/"),
        "list of checkpoints": lambda: program.call("POST", "/gradio_api/run/predict", body),
        "Models tab": lambda: program.get("/sdapi/v1/models?limit=5"),
        "search in the Models tab": lambda: program.get("/sdapi/v1/models?limit=5&text=model-00003"),
    }


class Comparison:
    """What the same takes with few files and with many."""

    def __init__(self, many: int) -> None:
        self._many, self.verdicts = many, Verdicts()

    def keep(self, what: str, medians: Sequence[float], budget: float = BUDGET) -> None:
        """Print and keep two figures, in seconds."""
        ratio = medians[1] / medians[0]
        held = self.verdicts.at_most(f"{what}, {self._many:,} files / {FEW}", ratio, budget, "×")
        print(f"{what}: {medians[0] * 1000:.1f} and {medians[1] * 1000:.1f} ms, × {ratio:.2f}, {held}", flush=True)

    def ask(self, few: Questions, lots: Questions, rounds: int) -> None:
        """Ask everything so often, of both in turn."""
        for what, ask in few.items():
            self.keep(what, medians_of([ask, lots[what]], lambda done: done < rounds))


def medians_of(deeds: Sequence[Callable[[], object]], more: Callable[[int], bool]) -> list[float]:
    """Do each in turn as long as there are to be `more` rounds; return the median seconds of each."""
    times: list[list[float]] = [[] for _ in deeds]
    while more(len(times[0])):
        in_turn = list(zip(deeds, times, strict=True))
        for deed, seconds in in_turn if len(times[0]) % 2 else reversed(in_turn):
            seconds.append(seconds_of(deed))
    return [statistics.median(seconds) for seconds in times]


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    times = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    comparison = Comparison(many)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = [
            Program(folder / f"data-{count}", "--models-dir", str(make_models(folder / str(count), count)))
            for count in (FEW, many)
        ]
        try:
            comparison.keep("start to first page", starts(programs, times, anew=True))
            for program in programs:
                started(program)
            began = time.monotonic()
            few, lots = (questions(program) for program in programs)

            def reads(_done: int) -> bool:
                assert time.monotonic() - began < READ_SECONDS, "not all are read"
                return bool(programs[1].get("/sdapi/v1/models?family=flux&limit=0")["total"] != many)

            what = "list of checkpoints"
            while_read = medians_of([few[what], lots[what]], reads)
            print(f"all {many:,} are read {time.monotonic() - began:.1f} s later", flush=True)
            comparison.keep(f"{what} while headers are read", while_read, BUDGET_WHILE_READING)
            comparison.ask(few, lots, rounds)
            for program in programs:
                program.stop()
            comparison.keep("later start to first page", starts(programs, times, anew=False))
        finally:
            for program in programs:
                if program.launcher is not None:
                    program.stop()
    comparison.verdicts.end()


if __name__ == "__main__":
    main()
