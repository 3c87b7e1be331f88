"""Where each latent, as a scheduler sees them, is in what the VAE decodes, and how it is scaled for that.

Many pipelines pack their latents, each in its own way. The way is asked for, not known: numbers are decoded with a VAE
that only keeps what it is given.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

# Digits few enough for half precision to tell them apart.
_BASE = 16
_SIZES_KEPT_AT_MOST = 8


class Decoded(Exception):  # noqa: N818  (no error: the pipeline came as far as it was meant to)
    """The pipeline has come to its decoder."""


@dataclass(frozen=True)
class Layout:
    """Where the latents of one picture are. `spatial` latents are (batch, channels, height, width), not scaled.

    `source`: for each place of those, which of the picture's running latents is there; None: they are the same.
    `scale` and `shift`, which broadcast to (1, channels, height, width), make of them what the VAE decodes; it takes
    `frames` (1, channels, 1, height, width) where it is one for videos.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    source: torch.Tensor | None = None
    target: torch.Tensor | None = None
    running_shape: torch.Size | None = None
    frames: bool = False

    @classmethod
    def asked(cls, ask: Callable[[torch.Tensor], torch.Tensor], running_shape: torch.Size) -> Layout:
        """Return the layout of running latents of a shape, (1, …). `ask` returns what the pipeline hands its VAE.

        Raises:
            ValueError: it does more to them than to move and scale them.
        """
        shift = ask(torch.zeros(running_shape))
        scale = ask(torch.ones(running_shape)) - shift
        count, digit = running_shape.numel(), 1
        if shift.numel() != count or not bool((scale != 0).all()):
            raise ValueError(f"{count} latents become {shift.numel()} values for the decoder")
        numbers = torch.arange(count)
        source = torch.zeros(shift.shape, dtype=torch.long)
        while digit < count:
            told = ask((numbers // digit % _BASE).reshape(running_shape).float())
            source += ((told - shift) / scale).round().long() * digit
            digit *= _BASE
        if not torch.equal(source.flatten().sort().values, numbers):
            raise ValueError("the latents are not moved one by one")
        frames = shift.ndim == 5
        if frames:
            source, scale, shift = source[:, :, 0], scale[:, :, 0], shift[:, :, 0]
        target = torch.empty_like(numbers)
        target[source.flatten()] = numbers
        return cls(_constant(scale), _constant(shift), source, target, running_shape, frames)

    def spatial(self, running: torch.Tensor) -> torch.Tensor:
        """Return running latents, (batch, …), as (batch, channels, height, width)."""
        if self.source is None:
            return running
        return running.flatten(1)[:, self.source[0].to(running.device)]

    def running(self, spatial: torch.Tensor) -> torch.Tensor:
        """Return the opposite. What has one channel, a mask, is the same for all."""
        if self.source is None or self.target is None or self.running_shape is None:
            return spatial
        whole = spatial.expand(len(spatial), *self.source.shape[1:])
        moved = whole.flatten(1)[:, self.target.to(spatial.device)]
        return moved.reshape(len(spatial), *self.running_shape[1:])

    def for_vae(self, spatial: torch.Tensor) -> torch.Tensor:
        """Return what the VAE decodes."""
        scaled = spatial * self.scale.to(spatial) + self.shift.to(spatial)
        return scaled[:, :, None] if self.frames else scaled


def plain_layout(vae: Any) -> Layout:
    """Return the layout of latents that are as the VAE takes them, but for the scale that its configuration says.

    None as a VAE: they are the pixels themselves.
    """
    config = {} if vae is None else vae.config
    factor = 1.0 / float(config.get("scaling_factor") or 1.0)
    shift = torch.tensor(float(config.get("shift_factor") or 0.0))
    scale = torch.tensor(factor)
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is not None and deviation is not None:
        scale, shift = (_column(deviation) * factor), _column(mean)
    return Layout(scale, shift)


def _column(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)


def _constant(values: torch.Tensor) -> torch.Tensor:
    """Return one value a channel where it is the same all over the picture, which then may have any size."""
    corner = values[:, :, :1, :1]
    return corner.clone() if torch.allclose(values, corner.expand_as(values), rtol=1e-3, atol=1e-5) else values


class KeepingDecoder:
    """Stands for a VAE in all but its decoding, which keeps what it is given in `kept`, and raises `Decoded`."""

    def __init__(self, vae: Any) -> None:
        self._vae = vae
        self.kept: torch.Tensor | None = None

    @property  # type: ignore[misc]  # so that `isinstance` answers for the VAE
    def __class__(self) -> type:
        return type(self._vae)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vae, name)

    def decode(self, latents: torch.Tensor, *_arguments: Any, **_more: Any) -> None:
        """Keep the latents in float32, on the CPU."""
        self.kept = latents.detach().float().cpu()
        raise Decoded


_KNOWN: weakref.WeakKeyDictionary[Any, OrderedDict[tuple[int, int], Layout]] = weakref.WeakKeyDictionary()


def known_layout(pipeline: Any, size: tuple[int, int]) -> Layout | None:
    """Return the layout of a pipeline for pictures of a size that was asked for before."""
    return _KNOWN.get(pipeline, OrderedDict()).get(size)


def known_layout_of(pipeline: Any, spatial: torch.Tensor) -> Layout:
    """Return the layout that has made latents `spatial`. On any thread.

    Raises:
        LookupError: none of this pipeline has.
    """
    for layout in reversed(list(_KNOWN.get(pipeline, OrderedDict()).values())):
        if layout.source is None or layout.source.shape[1:] == spatial.shape[1:]:
            return layout
    raise LookupError(f"No layout is known of latents of {tuple(spatial.shape)}")


def remember_layout(pipeline: Any, size: tuple[int, int], layout: Layout) -> Layout:
    """Keep a layout as long as its pipeline lives; those of few sizes, as an index of each latent is in it."""
    known = _KNOWN.setdefault(pipeline, OrderedDict())
    known[size] = layout
    if len(known) > _SIZES_KEPT_AT_MOST:
        known.popitem(last=False)
    return layout
