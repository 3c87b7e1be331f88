"""Going back to a model that was kept, against its first load; and what many switches leave in memory.

`python -m benchmarks.model_switching [MODEL ...]`: folders of models; else the embedded one and one of
full size with random weights, which is made and removed. Exits with 1 on a miss.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path

import psutil
import torch

from benchmarks.asked import EMBEDDED
from benchmarks.full_size_model import build
from benchmarks.verdict import Verdicts
from modules.engine.models.devices import best_device
from modules.engine.models.kept_models import KeptLimit
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.shared_state import State

SWITCHES = 20
RELOAD_BUDGET_SHARE = 0.05
GROWTH_BUDGET_SHARE = 1.02


def seconds_to_get(cache: ModelCache, key: ModelKey) -> float:
    """Return how long it takes until a model can draw."""
    began = time.perf_counter()
    cache.get(key, lambda fraction: None)
    return time.perf_counter() - began


def held_bytes() -> int:
    """Return what this process holds."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def measure(verdicts: Verdicts, keys: list[ModelKey]) -> None:
    """Load each model, go back to each, switch on with all kept and with one alone."""
    cache = ModelCache(best_device(), Cancel(State()), lambda: KeptLimit(len(keys), 100))
    first = {key: seconds_to_get(cache, key) for key in keys}
    for key in keys:
        share = min(_seconds_to_go_back(cache, key, keys) for _ in range(3)) / first[key]
        told = verdicts.at_most(f"{key.path.name} again", share, RELOAD_BUDGET_SHARE, "×")
        print(f"  {key.path.name}: first load {first[key]:.3f} s, again {share:.5f} of that: {told}", flush=True)
    verdicts.holds("all models are kept", len(cache.keys) == len(keys))
    _switch(verdicts, cache, keys, "all kept")
    cache.drop()
    _switch(verdicts, ModelCache(best_device(), Cancel(State()), lambda: KeptLimit(1, 100)), keys, "one kept")


def _seconds_to_go_back(cache: ModelCache, key: ModelKey, keys: list[ModelKey]) -> float:
    """Return how long a model takes after all others were used."""
    for other in keys:
        if other != key:
            seconds_to_get(cache, other)
    return seconds_to_get(cache, key)


def _switch(verdicts: Verdicts, cache: ModelCache, keys: list[ModelKey], what: str) -> None:
    """Switch often; memory is to be what it was after the first rounds, which fill what stays."""
    for key in keys * 2:
        seconds_to_get(cache, key)
    before = held_bytes()
    for number in range(SWITCHES):
        seconds_to_get(cache, keys[number % len(keys)])
    seconds_to_get(cache, keys[-1])
    share = held_bytes() / before
    told = verdicts.at_most(f"memory after {SWITCHES} switches, {what}", share, GROWTH_BUDGET_SHARE, "×")
    print(f"  {SWITCHES} switches, {what}: {share:.4f} of the memory before: {told}", flush=True)


def main() -> None:
    """Measure and print."""
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folders = [Path(folder) for folder in sys.argv[1:]] or [EMBEDDED, build(Path(name) / "full-size")]
        measure(verdicts, [ModelKey(folder, folder.name, "bfloat16") for folder in folders])
    verdicts.end()


if __name__ == "__main__":
    main()
