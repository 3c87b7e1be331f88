"""How long a processor takes for the work of a denoiser in a number format: a few of its layers, run by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from modules.engine.models.devices import DenoiserKind

_TIMES_EACH = 2
_FORMATS = ("float32", "bfloat16")

Run = Callable[[], object]


def measure_formats(kind: DenoiserKind, threads: int, check: Callable[[], None]) -> dict[str, float]:
    """Return the seconds that layers of such a denoiser take on so many threads, by the number format.

    In turn, so that what else the machine does meets each of them; of each the best time counts, after one run that
    only gets it going. About a second on two cores. `check` is called before each run, and what it raises ends it.

    Raises:
        Interrupted: by `check`.
        RuntimeError: a format cannot be worked in on this machine.
    """
    make = _unet_layers if kind == "unet" else _transformer_layers
    with _threads(threads), torch.inference_mode():
        runs = {name: make(getattr(torch, name)) for name in _FORMATS}
        return best_times(runs, check)


def best_times(
    runs: Mapping[str, Run], check: Callable[[], None], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the shortest time of each, in seconds, of two in turn after one that does not count."""
    best: dict[str, float] = {}
    for turn in range(1 + _TIMES_EACH):
        for name, run in runs.items():
            check()
            began = clock()
            run()
            took = clock() - began
            if turn:
                best[name] = min(best.get(name, took), took)
    return best


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Work on so many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _unet_layers(dtype: torch.dtype) -> Run:
    """Return a residual block and the attention of a UNet, as for a picture of 256 × 256: 12 GFLOP."""
    latents = _numbers(dtype, 1, 320, 32, 32)
    convolutions = _numbers(dtype, 320, 320, 3, 3), _numbers(dtype, 640, 320, 3, 3)
    projections = _numbers(dtype, 3 * 640, 640), _numbers(dtype, 640, 640)

    def run() -> Tensor:
        inner = latents
        for weight in convolutions:
            inner = functional.conv2d(functional.silu(functional.group_norm(inner, 32)), weight, padding=1)
        return _attention(inner.flatten(2).transpose(1, 2), *projections, heads=8)

    return run


def _transformer_layers(dtype: torch.dtype) -> Run:
    """Return a block of a transformer on 512 tokens, the least wide that large denoisers have: 12 GFLOP."""
    tokens = _numbers(dtype, 1, 512, 1024)
    projections = _numbers(dtype, 3 * 1024, 1024), _numbers(dtype, 1024, 1024)
    up, down = _numbers(dtype, 3072, 1024), _numbers(dtype, 1024, 3072)

    def run() -> Tensor:
        inner = _attention(tokens, *projections, heads=16)
        wide = functional.gelu(functional.linear(functional.layer_norm(inner, inner.shape[2:]), up))
        return inner + functional.linear(wide, down)

    return run


def _attention(tokens: Tensor, inward: Tensor, outward: Tensor, heads: int) -> Tensor:
    """Return self-attention of tokens, (batch, tokens, width), added to them."""
    normed = functional.layer_norm(tokens, tokens.shape[2:])
    batch, count, width = tokens.shape
    split = functional.linear(normed, inward).view(batch, count, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    attended = functional.scaled_dot_product_attention(split[0], split[1], split[2])
    return tokens + functional.linear(attended.transpose(1, 2).flatten(2), outward)


def _numbers(dtype: torch.dtype, *shape: int) -> Tensor:
    """Return numbers of the size of weights. Random ones would take longer than what is measured."""
    return torch.linspace(-0.05, 0.05, prod(shape)).view(shape).to(dtype)
