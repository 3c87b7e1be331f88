"""Cheaper settings for a job that ran out of memory: what is tried once more before it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from modules.engine.models.devices import Device
from modules.jobs.kinds.base import ResolvedJob

_CELLS = "cells"


@dataclass(frozen=True)
class Economy:
    """How a job draws with less memory. As it stands, nothing is changed.

    `vae_tiling` decodes in small tiles (seams are blended; the picture differs a little), `offload` keeps each network
    on the accelerator only while it works, `batch_size` replaces that of the request; pictures keep their seeds. The
    denoiser sees `tile` pixels a side at a time: a second pass comes out a little different.
    """

    vae_tiling: bool = False
    offload: bool = False
    batch_size: int | None = None
    tile: int | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Self:
        """Return what a job's row holds; keys that this version does not know are left out."""
        known = {name: value for name, value in (stored or {}).items() if name in cls.__dataclass_fields__}
        return cls(**known)

    def stored(self) -> dict[str, Any]:
        """Return it as it is stored: what is changed, alone."""
        values = {
            "vae_tiling": self.vae_tiling, "offload": self.offload, "batch_size": self.batch_size, "tile": self.tile
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of_cell(cls, stored: Mapping[str, Any] | None, cell: int) -> Self | None:
        """Return what the row of a grid holds of the cell with this number; None: it is drawn as was asked for."""
        found = ((stored or {}).get(_CELLS) or {}).get(str(cell))
        return None if found is None else cls.of(found)

    def stored_of_cell(self, stored: Mapping[str, Any] | None, cell: int) -> dict[str, Any]:
        """Return what the row of a grid is to hold when this is that of a cell; of the others it keeps what it had."""
        return {_CELLS: ((stored or {}).get(_CELLS) or {}) | {str(cell): self.stored()}}

    def batch_size_of(self, resolved: ResolvedJob) -> int:
        """Return how many pictures are drawn at once."""
        return self.batch_size or resolved.batch_size

    def __str__(self) -> str:
        """Say it in words, empty where nothing is changed."""
        words = []
        if self.vae_tiling:
            words.append("VAE tiling")
        if self.batch_size is not None:
            words.append(f"batch size {self.batch_size}")
        if self.tile is not None:
            words.append(f"tiles of {self.tile} pixels")
        if self.offload:
            words.append("networks off the device while they rest")
        return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def cheaper(
    resolved: ResolvedJob, device: Device, phase: str | None, can_tile: bool, draws_in_tiles: bool = True
) -> Economy | None:
    """Return the settings to try again with after memory ran out in `phase` (None: nobody knows); None: none helps.

    There is one more try only, so it gets all that helps from that phase on. `can_tile`: the VAE can work in tiles;
    `draws_in_tiles`: the denoiser can.
    """
    economy = Economy(
        vae_tiling=can_tile and phase in ("prepare", "upscale", "sample", "decode", None),
        offload=device.torch_name != "cpu" and phase != "save",
        batch_size=1 if phase in ("sample", None) and resolved.batch_size > 1 else None,
        tile=_size_before(resolved) if draws_in_tiles and phase in ("sample", None) else None,
    )
    helps = economy.offload or economy.batch_size is not None or economy.tile is not None
    return economy if helps or (phase != "sample" and economy.vae_tiling) else None


def _size_before(resolved: ResolvedJob) -> int | None:
    """Return how long the sides of a picture were before it was enlarged, at most: so much there was room for.

    None: no pass enlarges any, or it sees no more than that already.
    """
    for number, one in enumerate(resolved.passes):
        if one.enlarging is None:
            continue
        if number:
            side = max(resolved.passes[number - 1].width, resolved.passes[number - 1].height)
        else:
            side = max((max(its.width, its.height) for its in one.start.pictures), default=0) if one.start else 0
        if 0 < side < min(one.tile or side + 1, max(one.width, one.height)):
            return side
    return None
