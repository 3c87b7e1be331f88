"""A denoiser that is shown a large picture part by part, and whose answers are blended (MultiDiffusion, 2302.08113).

What it is told beside the latents, such as the size of the picture, stays that of the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from modules.engine.families.denoiser_calls import DenoiserCall, Forward, answering
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.upscaling.tiling import Layout, Span, Tiling, lay_out

# Sides of a part in latents: UNets halve them three times, transformers take two or four as one.
_MULTIPLE = 8
# What neighbours share of their sides. Less would show, more costs more.
_SHARED = 1 / 4


def parts_of(model: LoadedModel, size: tuple[int, int], tile: int) -> Layout:
    """Return the parts of the latents of a picture, `size` (width, height), that are `tile` pixels or less a side."""
    width, height = model.family.latent_size(model.pipeline, size)
    pixels = model.family.rounded(model.pipeline, size)[0] // width
    side = max(tile // pixels // _MULTIPLE, 1) * _MULTIPLE

    def spans(whole: int) -> tuple[Span, ...]:
        shown = whole if whole * pixels <= tile else side  # What fits is not cut for being no multiple.
        return lay_out(whole, 1, Tiling(shown, int(shown * _SHARED)), _MULTIPLE).columns

    return Layout(spans(width), spans(height))


@contextmanager
def in_tiles(model: LoadedModel, size: tuple[int, int], tile: int | None) -> Iterator[None]:
    """Let a model's denoiser see no more than `tile` pixels a side at a time; None, or as many as there are: all."""
    parts = None if tile is None or not model.family.draws_in_tiles else parts_of(model, size, tile)
    if parts is None or len(parts) == 1:
        yield
        return
    with answering(model.denoiser, functools.partial(_by_parts, parts)):
        yield


def _by_parts(parts: Layout, whole: Forward, call: DenoiserCall) -> tuple[Any]:
    """Return what a denoiser says of latents that it is shown part by part."""
    latents = call.sample
    blended: list[_Blended] = []
    for column, row in parts:
        said = call.with_sample(_part(latents, column, row)).ask(whole)[0]
        for place, one in enumerate(said if isinstance(said, list | tuple) else [said]):
            if place == len(blended):
                blended.append(_Blended(one, parts))
            blended[place].add(one, column, row)
    made = [one.picture() for one in blended]
    return (made if isinstance(latents, list | tuple) else made[0],)


class _Blended:
    """The answers to all parts, each counting most in its middle: sums in float32, (…, height, width)."""

    def __init__(self, like: torch.Tensor, parts: Layout) -> None:
        height, width = parts.rows[-1].end, parts.columns[-1].end
        self._dtype = like.dtype
        self._sum = torch.zeros(*like.shape[:-2], height, width, device=like.device)
        self._weights = torch.zeros(height, width, device=like.device)

    def add(self, said: torch.Tensor, column: Span, row: Span) -> None:
        """Take the answer to one part."""
        weights = _rising(row.length, said.device)[:, None] * _rising(column.length, said.device)[None]
        where = (..., slice(row.start, row.end), slice(column.start, column.end))
        self._sum[where] += said.float() * weights
        self._weights[where] += weights

    def picture(self) -> torch.Tensor:
        """Return the blend."""
        return (self._sum / self._weights).to(self._dtype)


def _part(latents: Any, column: Span, row: Span) -> Any:
    if isinstance(latents, list | tuple):
        return type(latents)(_part(one, column, row) for one in latents)
    return latents[..., row.start : row.end, column.start : column.end]


def _rising(length: int, device: torch.device) -> torch.Tensor:
    """Return what counts along a side: more from its ends on, until where no neighbour reaches."""
    places = torch.arange(1, length + 1, device=device, dtype=torch.float32)
    return torch.minimum(places, length + 1 - places).clamp(max=max(int(length * _SHARED), 1))
