"""What thousands of models cost: the page, its list of checkpoints and the Models tab with 5,000 files, against 5.

`python -m benchmarks.many_models [files] [rounds]`; budget: × 1.2 for each. Both programs run side by side and are
asked in turn. The files are holes of the size of a Flux.1 in fp8 that say what they are; hashing them, which is done
while nothing else is to do, is left out: they are as if somebody were still writing them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.verdict import Verdicts
from tests.jobs import made_transformers, made_unets
from tests.jobs.made_files import write_file
from tests.program import Program, wait_until

BUDGET = 1.2
FEW = 5
FOLDERS = 20
FLUX_BYTES = 11_900_000_000
TOMORROW_SECONDS = 86_400


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


def seconds_of(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def number_of_listener(program: Program, element: str) -> int:
    """Return the number by which Gradio knows what happens when this button is pressed."""
    config = program.get("/config")
    wanted = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == element)
    return int(next(one["id"] for one in config["dependencies"] if [wanted, "click"] in one["targets"]))


def questions(program: Program) -> dict[str, Callable[[], object]]:
    """Return what a browser asks, by what it is for."""
    reload = number_of_listener(program, "steady_reload_models")
    body = {"data": [None], "fn_index": reload, "session_hash": "benchmark"}
    return {
        "first page": lambda: program.call("GET", "/"),
        "list of checkpoints": lambda: program.call("POST", "/gradio_api/run/predict", body),
        "Models tab": lambda: program.get("/sdapi/v1/models?limit=5"),
        "search in the Models tab": lambda: program.get("/sdapi/v1/models?limit=5&text=model-00003"),
    }


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = [
            Program(folder / f"data-{count}", "--models-dir", str(make_models(folder / str(count), count)))
            for count in (FEW, many)
        ]
        try:
            starts = [started(program) for program in programs]
            print(f"start to first page: {starts[0]:.2f} s with {FEW}, {starts[1]:.2f} s with {many:,}", flush=True)
            known = lambda: programs[1].get("/sdapi/v1/models?family=flux&limit=0")["total"] == many
            print(f"all {many:,} are read {seconds_of(lambda: wait_until(known, 300, 'all are read')):.1f} s later")
            few, lots = (questions(program) for program in programs)
            for what, ask in few.items():
                times: tuple[list[float], list[float]] = ([], [])
                for _ in range(rounds):
                    times[0].append(seconds_of(ask))
                    times[1].append(seconds_of(lots[what]))
                medians = [statistics.median(one) for one in times]
                ratio = medians[1] / medians[0]
                held = verdicts.at_most(f"{what}, {many:,} files / {FEW}", ratio, BUDGET, "×")
                print(
                    f"{what}: {medians[0] * 1000:.1f} and {medians[1] * 1000:.1f} ms, × {ratio:.2f}, {held}", flush=True
                )
        finally:
            for program in programs:
                program.stop()
    verdicts.end()


if __name__ == "__main__":
    main()
