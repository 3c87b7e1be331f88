"""How long it takes until a single file of full size is listed as what it is.

`python -m benchmarks.listing`. Files with all tensors of the real models, by name and shape, and nothing but holes for
their numbers; each look is that of a catalogue which knows nothing yet. The median of twenty, and the longest. The
budget is Stable Diffusion 1.5's; the others are larger and have none.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.verdict import Verdicts
from modules.jobs.models.catalogue import CheckpointCatalogue
from tests.jobs import made_unets
from tests.jobs.made_files import write_file

BUDGET_SECONDS = 0.05
TRIES = 20
MODELS: dict[str, tuple[Callable[[], made_unets.Shapes], str]] = {
    "Stable Diffusion 1.5": (made_unets.sd1, "sd1"),
    "Stable Diffusion 2": (made_unets.sd2, "sd2"),
    "Stable Diffusion XL": (made_unets.sdxl, "sdxl"),
    "Stable Diffusion XL refiner": (made_unets.refiner, "sdxl-refiner"),
}


def measure(folder: Path) -> list[float]:
    """Return the seconds that each look took."""
    seconds = []
    for _ in range(TRIES):
        began = time.perf_counter()
        CheckpointCatalogue([folder]).list()
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Print one line a model."""
    verdicts = Verdicts()
    for name, (tensors, family) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = write_file(Path(folder) / "Stable-diffusion" / "model.safetensors", tensors())
            (found,) = CheckpointCatalogue([Path(folder)]).list()
            assert (found.family, found.problem) == (family, None)
            seconds = measure(Path(folder))
            median = statistics.median(seconds)
            judged = family == "sd1"
            words = verdicts.at_most(f"{name} listed", median, BUDGET_SECONDS, "s") if judged else "no budget"
            size = path.stat().st_size / 1e9
            print(f"{name:28} {size:4.1f} GB: {1000 * median:5.1f} ms, longest {1000 * max(seconds):5.1f} ms ({words})")
    verdicts.end()


if __name__ == "__main__":
    main()
