"""How a picture is cut into tiles that overlap, and what is made of them put together without seams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tiling:
    """Tiles have `side` pixels at most in each direction, and neighbours share `overlap` or more; side 0: no tiles."""

    side: int = 192
    overlap: int = 8

    def halved(self, smallest: int) -> Tiling | None:
        """Return tiles that take a quarter of the memory, None where they would be too small."""
        side = self.side // 2
        return Tiling(side, min(self.overlap, side // 4)) if side >= smallest else None


@dataclass(frozen=True)
class Span:
    """A part of an axis, in pixels."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The first pixel behind it."""
        return self.start + self.length

    def times(self, scale: int) -> Span:
        """Return where it is once all is so many times larger."""
        return Span(self.start * scale, self.length * scale)


@dataclass(frozen=True)
class Layout:
    """The tiles of a picture: each of the `rows` with each of the `columns`, top left first. All have one size."""

    columns: tuple[Span, ...]
    rows: tuple[Span, ...]

    def __len__(self) -> int:
        """How many tiles there are."""
        return len(self.columns) * len(self.rows)

    def __iter__(self) -> Iterator[tuple[Span, Span]]:
        """Yield column and row of each tile, row by row."""
        return ((column, row) for row in self.rows for column in self.columns)


def lay_out(width: int, height: int, tiling: Tiling, multiple: int = 1) -> Layout:
    """Return the tiles of a picture of this size, their sides multiples of `multiple` where the picture is so large."""
    return Layout(_spans(width, tiling, multiple), _spans(height, tiling, multiple))


def _spans(whole: int, tiling: Tiling, multiple: int) -> tuple[Span, ...]:
    """Return as few spans as are needed, all as short as they can be: the rest of a last one is not worked on twice."""
    if tiling.side <= 0 or whole <= tiling.side:
        return (Span(0, whole),)
    overlap = min(tiling.overlap, tiling.side // 2)
    count = math.ceil((whole - overlap) / (tiling.side - overlap))
    length = math.ceil((whole + (count - 1) * overlap) / count / multiple) * multiple
    length = min(length, whole)
    return tuple(Span(round(number * (whole - length) / (count - 1)), length) for number in range(count))


class Mosaic:
    """A picture that is put together of tiles, each `scale` times larger than it was, given in the layout's order.

    Where two share pixels the one fades into the other. Beside the picture itself, 8 bits a colour, it holds one row of
    tiles in floats.
    """

    def __init__(self, layout: Layout, scale: int) -> None:
        self._columns = tuple(span.times(scale) for span in layout.columns)
        self._rows = tuple(span.times(scale) for span in layout.rows)
        width, height = self._columns[-1].end, self._rows[-1].end
        self.picture: Bytes = np.zeros((height, width, 3), np.uint8)
        self._band: Floats = np.zeros((self._rows[0].length, width, 3), np.float32)
        self._above: Floats | None = None  # the last rows of the band above, which fade into this one
        self._count = 0

    def add(self, tile: Floats) -> None:
        """Take the next tile, (height, width, 3) from 0 to 255."""
        row, column = divmod(self._count, len(self._columns))
        self._count += 1
        before, here = self._columns[column - 1], self._columns[column]
        shared = before.end - here.start if column else 0
        place = self._band[:, here.start : here.end]
        if shared:
            fading = _fading(shared)[None, :, None]
            place[:, :shared] += (tile[:, :shared] - place[:, :shared]) * fading
        place[:, shared:] = tile[:, shared:]
        if column == len(self._columns) - 1:
            self._end_row(row)

    def _end_row(self, row: int) -> None:
        here, band = self._rows[row], self._band
        if self._above is not None:
            shared = len(self._above)
            band[:shared] = self._above + (band[:shared] - self._above) * _fading(shared)[:, None, None]
        last = row == len(self._rows) - 1
        finished = here.length if last else self._rows[row + 1].start - here.start
        # In pieces, so that no second copy of the band is made.
        for start in range(0, finished, _ROWS_AT_ONCE):
            end = min(start + _ROWS_AT_ONCE, finished)
            self.picture[here.start + start : here.start + end] = np.rint(band[start:end])
        self._above = None if last else band[finished:].copy()


_ROWS_AT_ONCE = 64


def _fading(length: int) -> Floats:
    """Return the share of the later of two tiles at each of the pixels that they share."""
    return ((np.arange(length, dtype=np.float32) + np.float32(0.5)) / np.float32(length)).astype(np.float32)
