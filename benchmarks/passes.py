"""What the driver costs: a pass through it, compared with the bare call of the same pipeline.

`python -m benchmarks.passes [rounds] [steps] [side]`; budget: 1.01. Both draw with the embedded model, the same sampler
and noise, in this process and with one thread; they take turns, and the fastest call of each is compared, by the
processor time of the process: what else the machine does only ever makes one slower. The pictures must be the same.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.asked import EMBEDDED
from benchmarks.verdict import Verdicts
from modules.engine.assembly import quieten_libraries
from modules.engine.families.base import Asked
from modules.engine.families.driver import drive
from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.encoding import PromptEncoder
from modules.shared_state import State

BUDGET = 1.01
DEFAULTS = (15, 20, 256)
SAMPLERS = ("Euler", "DPM++ 2M")

Way = Callable[[], torch.Tensor]


def ways_of(model: LoadedModel, sampler_name: str, steps: int, side: int) -> tuple[Way, Way]:
    """Return how the driver draws, and how the pipeline does when it is called as its makers meant."""
    pipeline, family = model.pipeline, model.family
    asked = Asked((side, side), steps, guidance_scale=7.0)
    words = PromptEncoder().encode(model, "red heart", "", asked)
    arguments = family.arguments(pipeline, words, asked)

    def driven() -> torch.Tensor:
        generators = [torch.Generator().manual_seed(1)]
        sampler = family.sampler(pipeline, sampler_name, "Automatic", steps)
        shown = SchedulerProxy(sampler, generators)
        drive(pipeline, arguments | {"generator": generators}, shown, channels=family.channels(pipeline))
        assert shown.latents is not None
        return shown.latents

    def bare() -> torch.Tensor:
        sampler = family.sampler(pipeline, sampler_name, "Automatic", steps)
        own, pipeline.scheduler = pipeline.scheduler, sampler.scheduler
        latents: torch.Tensor = pipeline(**arguments, generator=[torch.Generator().manual_seed(1)]).images
        pipeline.scheduler = own
        return latents

    return driven, bare


def seconds(act: Way) -> float:
    """Return how much processor time a call takes."""
    began = time.process_time()
    act()
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    rounds, steps, side = (*numbers, *DEFAULTS[len(numbers) :])
    verdicts = Verdicts()
    quieten_libraries()
    torch.set_num_threads(1)
    cache = ModelCache(Device("cpu", "CPU"), Cancel(State()))
    model = cache.get(ModelKey(EMBEDDED, "embedded", "float32"), lambda fraction: None)
    print(f"embedded model, {steps} steps, {side}×{side}, one thread, processor time")
    with torch.inference_mode():
        for name in SAMPLERS:
            driven, bare = ways_of(model, name, steps, side)
            print(f"  {name}: same bits: {verdicts.holds(f'{name}: same bits', torch.equal(driven(), bare()))}")
            taken: dict[Way, list[float]] = {driven: [], bare: []}
            for turn in range(rounds):
                for way in (driven, bare) if turn % 2 == 0 else (bare, driven):
                    taken[way].append(seconds(way))
            ours, theirs = min(taken[driven]), min(taken[bare])
            ratio, medians = ours / theirs, statistics.median(taken[driven]) / statistics.median(taken[bare])
            held = verdicts.at_most(f"{name}: driver ÷ bare call", ratio, BUDGET, "×")
            line = f"driver {ours:.3f} s, bare {theirs:.3f} s, ratio {ratio:.4f} (of medians {medians:.4f})"
            print(f"  {name}: {line}, {held}", flush=True)
    verdicts.end()


if __name__ == "__main__":
    main()
