"""In which order the cells of a grid are drawn: models change as seldom as they can."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from modules.jobs.kinds.base import ResolvedJob, Source
from modules.jobs.kinds.grid.resolved import Cell
from modules.jobs.kinds.network_texts import calls_of


def in_drawing_order(cells: Sequence[Cell], loaded: str | None = None) -> tuple[Cell, ...]:
    """Return cells such that those that share a model follow each other; what is alike in all stays as it was.

    What takes longest to change comes first: checkpoint, VAE, models of later passes, LoRAs. `loaded` is the hash of
    the checkpoint that is in memory, which begins.
    """
    ranks: list[dict[Hashable, int]] = [{_whole(cell.drawn.sources.checkpoint): 0} for cell in _with(cells, loaded)[:1]]
    ranks = ranks or [{}]
    ranks += [{} for _ in _keys(cells[0].drawn)[1:]] if cells else []
    placed = [
        tuple(rank.setdefault(key, len(rank)) for rank, key in zip(ranks, _keys(cell.drawn), strict=True))
        for cell in cells
    ]
    return tuple(cells[at] for at in sorted(range(len(cells)), key=lambda at: (placed[at], at)))


def _with(cells: Sequence[Cell], loaded: str | None) -> list[Cell]:
    return [cell for cell in cells if loaded is not None and cell.drawn.sources.checkpoint.hash == loaded]


def _keys(drawn: ResolvedJob) -> tuple[Hashable, ...]:
    """Return the models of a cell, those first that take longest to load."""
    later = tuple(None if one.checkpoint is None else _whole(one.checkpoint) for one in drawn.passes)
    vae = drawn.sources.vae
    return _whole(drawn.sources.checkpoint), None if vae is None else vae.hash, later, calls_of(drawn, 0)


def _whole(model: Source) -> Hashable:
    """Return what tells a model, with the files beside it, from others."""
    parts = sorted((part, one.hash) for part, one in (model.parts or {}).items())
    return model.hash, tuple(parts)
