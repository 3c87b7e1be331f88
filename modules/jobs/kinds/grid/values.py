"""What decides the bytes of a grid's pictures, what their infotexts tell, and what the events of its job do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.grid.layout import LETTERS
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.img2img import IMG2IMG
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.txt2img import TXT2IMG

_OF_CELLS: Mapping[str, Kind[ResolvedJob]] = {kind.name: kind for kind in (TXT2IMG, IMG2IMG)}


def in_picture(resolved: ResolvedGrid, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes: as if its cell were a job of its own."""
    return _of_cell(resolved, index, lambda kind: kind.picture)


def in_infotext(resolved: ResolvedGrid, index: int) -> dict[str, Any]:
    """Return the pairs that tell how a picture was made, so that it can be made alone."""
    return _of_cell(resolved, index, lambda kind: kind.infotext)


def told(resolved: ResolvedGrid) -> dict[str, Any]:
    """Return the values of the first cell, and where all cells stand.

    `grid` has the script's title, of each axis label and values, the margin, and whether there is a sheet; `places` of
    each cell, in the order in which they are drawn, which values of x, y and z it has; `cells` how many pictures each
    has, in one number where that is the same.
    """
    layout, counts = resolved.layout, resolved.counts
    axes = [getattr(layout, letter).model_dump(mode="json") for letter in LETTERS]
    return _OF_CELLS[resolved.first.kind].told(resolved.first) | {
        "grid": {"script": layout.script, "axes": axes, "margin": layout.margin, "has_sheet": layout.has_sheet},
        "places": [list(place) for place in resolved.places],
        "cells": counts[0] if len(set(counts)) == 1 else list(counts),
    }


def _of_cell(
    resolved: ResolvedGrid,
    index: int,
    what: Callable[[Kind[ResolvedJob]], Callable[[ResolvedJob, int], dict[str, Any]]],
) -> dict[str, Any]:
    spot = resolved.spot_of(index)
    drawn = resolved.cells[spot.cell].drawn
    return what(_OF_CELLS[drawn.kind])(drawn, spot.index)
