"""Pictures that a denoiser is told of beside its input: those of models for masks, and of models that change pictures.

The pipeline draws as it does from words alone. What else its denoiser takes is put beside its input, and what it says
of that is taken away again, by hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch.nn import functional


@dataclass(frozen=True)
class Told:
    """What a denoiser is told. `latents`: (batch, …) as the scheduler sees them, of the pictures.

    For models of masks the pictures are grey where they are drawn anew, and `mask`, (batch, 1, height, width) in
    pixels, is 1 there. `image_guidance_scale`: how much the picture counts, where 1 is as much as the words say. Where
    a pipeline makes latents of the pictures by itself they are `pictures`, and of `latents` there are none.
    """

    latents: torch.Tensor
    mask: torch.Tensor | None = None
    image_guidance_scale: float = 1.5
    pictures: tuple[Image.Image, ...] = ()


@contextmanager
def beside(denoiser: Any, more: torch.Tensor, dim: int) -> Iterator[None]:
    """Put `more`, (batch, …), beside a denoiser's input in the dimension `dim`, for each prompt of a call."""

    def before(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return _with_sample(inputs, named, lambda sample: torch.cat([sample, _for_each(more, sample)], dim))

    with _hooked(denoiser, before):
        yield


@contextmanager
def instructed(denoiser: Any, picture: torch.Tensor, scale: float) -> Iterator[None]:
    """Let a UNet be guided by words and a picture (InstructPix2Pix, https://arxiv.org/abs/2211.09800, formula 3).

    A pipeline asks it about the negative prompt and the prompt in one call, and weighs what it says of both. It is
    asked about the negative one without the picture too, and what it says of that is weighed against what it says with
    it: by `scale`. `picture`: (batch, channels, height, width), as the VAE gives them.
    """
    batch = len(picture)

    def before(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        sample = inputs[0]
        if len(sample) == batch:  # without guidance
            return _with_sample(inputs, named, lambda one: torch.cat([one, picture.to(one)], dim=1))
        shown = torch.cat([torch.zeros_like(picture), picture, picture]).to(sample)
        return (torch.cat([_thrice(sample, batch), shown], dim=1), *inputs[1:]), _all_thrice(named, batch)

    def after(_module: Any, _inputs: Any, output: Any) -> Any:
        if len(output[0]) != 3 * batch:
            return output
        alone, seen, told = output[0].chunk(3)
        negative = alone + scale * (seen - alone)
        return torch.cat([negative, negative + told - seen]), *output[1:]

    with _hooked(denoiser, before, after):
        yield


@contextmanager
def beside_tokens(denoiser: Any, tokens: torch.Tensor, place: int) -> Iterator[None]:
    """Let a transformer read `tokens` of a picture, (batch, tokens, channels), after as many that it draws.

    They are where those are, but for the first number of each place, which is `place` for all of them.
    """

    def before(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        more = named["img_ids"].clone()
        more[..., 0] = place
        told = {**named, "img_ids": torch.cat([named["img_ids"], more], dim=-2)}
        return _with_sample(inputs, told, lambda sample: torch.cat([sample, _for_each(tokens, sample)], dim=1))

    def after(_module: Any, _inputs: Any, output: Any) -> Any:
        return output[0][:, : -tokens.shape[1]], *output[1:]

    with _hooked(denoiser, before, after):
        yield


def mask_in_latents(mask: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a mask, (batch, 1, height, width), as large as latents, by the nearest of its pixels."""
    return functional.interpolate(mask.to(like), like.shape[-2:])


def packed_mask(mask: torch.Tensor, side: int) -> torch.Tensor:
    """Return a mask, (batch, 1, height, width), in tokens of two by two latents that are `side` pixels wide.

    (batch, tokens, 4 * side * side): the pixels of a latent, each with the four latents of its token, as Flux Fill has
    it.
    """
    batch, high, wide = len(mask), mask.shape[2] // side, mask.shape[3] // side
    pixels = mask.view(batch, high, side, wide, side).permute(0, 2, 4, 1, 3).reshape(batch, side * side, high, wide)
    blocks = pixels.view(batch, side * side, high // 2, 2, wide // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(batch, -1, 4 * side * side)


def _with_sample(
    inputs: tuple[Any, ...], named: dict[str, Any], change: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[Any, dict[str, Any]]:
    """Return a denoiser's arguments with another sample, which comes first or by its name."""
    if inputs:
        return (change(inputs[0]), *inputs[1:]), named
    name = "hidden_states" if "hidden_states" in named else "sample"
    return inputs, {**named, name: change(named[name])}


def _for_each(more: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
    """Return (batch of the sample, …): the same for the prompt and the negative one."""
    return more.to(sample).repeat(len(sample) // len(more), *[1] * (more.ndim - 1))


def _thrice(both: torch.Tensor, batch: int) -> torch.Tensor:
    """Return what belongs to the negative prompt twice, then what belongs to the prompt."""
    return torch.cat([both[:batch], both])


def _all_thrice(value: Any, batch: int) -> Any:
    """Return arguments with all that there is of both prompts for three."""
    if isinstance(value, torch.Tensor):
        return _thrice(value, batch) if value.ndim and len(value) == 2 * batch else value
    if isinstance(value, dict):
        return {name: _all_thrice(one, batch) for name, one in value.items()}
    return value


@contextmanager
def _hooked(denoiser: Any, before: Callable[..., Any], after: Callable[..., Any] | None = None) -> Iterator[None]:
    hooks = [denoiser.register_forward_pre_hook(before, with_kwargs=True)]
    if after is not None:
        # First, so that who listens hears what the pipeline is told.
        hooks.append(denoiser.register_forward_hook(after, prepend=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
