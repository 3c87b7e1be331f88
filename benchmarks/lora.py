"""What a LoRA costs a job: its weights changed between two jobs, and the job itself against bare diffusers with it.

`python -m benchmarks.lora [work] [embedded|full] [rounds] [images] [steps] [side]`; budgets: a job whose LoRA has
another strength than that of the job before takes 1.05 of one whose LoRA stays; a job with a LoRA 1.02 of bare
diffusers with the same one fused, which is faster than loaded: then each step has no more to do. The LoRA is made for
the model: rank 32, all linear layers of the attention in denoiser and text encoder. All are drawn in this process, in
turn; the number is the median of the ratios of neighbours. "work" measures the processor time of the process with one
thread, for machines that others use too; "full" is a Stable Diffusion 1.5 of full size with random weights, for which
20 steps of 512 pixels are what the budget of a change is said for.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.asked import EMBEDDED, asked
from benchmarks.bare import BarePipeline
from benchmarks.full_size_model import build
from benchmarks.overhead import Way, seconds
from benchmarks.verdict import Verdicts
from tests.engine.own_engine import Engine

BUDGET, BUDGET_OF_A_CHANGE = 1.02, 1.05
DEFAULTS = {"embedded": (8, 2, 20, 256), "full": (3, 1, 20, 512)}
RANK, STRENGTH = 32, 0.8
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")


def layers_of(network: nn.Module, beginning: str) -> Iterator[tuple[str, nn.Linear]]:
    """Yield the linear layers of a network's attention, as sd-scripts calls them."""
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear) and path.endswith(_ATTENTION):
            yield beginning + path.replace(".", "_"), module


def layers_of_pipeline(pipeline: Any) -> Iterator[tuple[str, nn.Linear]]:
    """Yield those of its denoiser and of its text encoder."""
    yield from layers_of(pipeline.unet, "lora_unet_")
    yield from layers_of(pipeline.text_encoder, "lora_te_text_model_")


def write_lora(pipeline: Any, path: Path) -> Path:
    """Write a LoRA for all attention of a model."""
    numbers = torch.Generator().manual_seed(0)
    tensors: dict[str, torch.Tensor] = {}
    for name, layer in layers_of_pipeline(pipeline):
        shapes = {"lora_down": (RANK, layer.in_features), "lora_up": (layer.out_features, RANK)}
        for part, shape in shapes.items():
            tensors[f"{name}.{part}.weight"] = (0.01 * torch.randn(shape, generator=numbers)).half()
        tensors[f"{name}.alpha"] = torch.tensor(RANK / 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


class BareWithLora(BarePipeline):
    """The pipeline of diffusers with a LoRA fused: it has the weights that `fuse_lora` gives, which needs peft."""

    def __init__(self, folder: Path, dtype: str, lora: Path) -> None:
        super().__init__(folder, dtype)
        tensors = load_file(lora)
        for name, layer in layers_of_pipeline(self._pipeline):
            down, up = (tensors[f"{name}.{part}.weight"].float() for part in ("lora_down", "lora_up"))
            change = STRENGTH * float(tensors[f"{name}.alpha"]) / RANK * (up @ down)
            layer.weight.data = (layer.weight.data.float() + change).to(layer.weight.dtype)


def prepare(which: str, folder: Path) -> Path:
    """Return a model in a models folder of its own, since the LoRA is to lie beside it."""
    place = folder / "models" / "Stable-diffusion"
    if which == "full":
        return build(place / "full")
    place.mkdir(parents=True)
    (place / EMBEDDED.name).symlink_to(EMBEDDED)
    return place / EMBEDDED.name


def measure(which: str, request: dict[str, Any], rounds: int, folder: Path, work: bool, verdicts: Verdicts) -> None:
    """Compare all ways in turn."""
    model = prepare(which, folder)
    engine = Engine(folder / "data", folder / "models")
    engine.options.update({"sd_model_checkpoint": model.name, "torch_threads": 1 if work else 0})

    def draw(strength: float | None, asked: dict[str, Any] = request) -> None:
        call = "" if strength is None else f" <lora:bench:{strength}>"
        job = engine.draw(**asked | {"prompt": request["prompt"] + call})
        assert job.status == "done", job.error

    shortest = request | {"steps": 2, "n_iter": 1}
    draw(None, shortest)
    loaded = engine.parts.model_cache.loaded
    assert loaded is not None
    lora = write_lora(loaded.pipeline, folder / "models" / "Lora" / "bench.safetensors")
    draw(STRENGTH, shortest)
    changed = len(loaded.changed.originals)
    assert changed, "the LoRA did nothing"
    resolved = engine.store.jobs.page()[0][0].resolved
    assert resolved is not None
    threads, strengths = int(resolved["threads"]), itertools.cycle((0.3, 0.5, 0.7))
    bare = BareWithLora(model, resolved["dtype"], lora)
    strength = STRENGTH

    def draw_changed() -> None:
        nonlocal strength
        strength = next(strengths)
        draw(strength)

    ways = [
        Way("another strength", draw_changed),
        Way("a LoRA that stays", lambda: draw(strength)),
        Way("bare diffusers, fused", lambda: bare.draw(request, folder, threads)),
    ]
    bare.draw(shortest, folder, threads)
    clock = time.process_time if work else time.monotonic
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way, its in zip(ways, taken, strict=True):
            its.append(seconds(way.act, clock))
            print(f"  round {number + 1}: {way.name:28} {its[-1]:.3f} s", flush=True)
    engine.close()
    print(f"{'processor time' if work else 'by the clock'}, {threads} thread(s); {changed} weights are changed")
    for a, b, budget in ((0, 1, BUDGET_OF_A_CHANGE), (1, 2, BUDGET)):
        pairs = list(zip(taken[a], taken[b], strict=True))
        ratio, more = statistics.median(x / y for x, y in pairs), statistics.median(x - y for x, y in pairs)
        what = f"{ways[a].name} ÷ {ways[b].name}"
        print(f"  {what}: {ratio:.3f} ({more:+.3f} s), {verdicts.at_most(what, ratio, budget, '×')}")


def main() -> None:
    """Measure and print."""
    given, verdicts = asked(DEFAULTS), Verdicts()
    print(given.said)
    with tempfile.TemporaryDirectory() as name:
        measure(given.which, given.request, given.rounds, Path(name), "work" in given.words, verdicts)
    verdicts.end()


if __name__ == "__main__":
    main()
