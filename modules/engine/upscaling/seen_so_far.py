"""What a picture that is being enlarged looks like so far, small, for previews."""

from __future__ import annotations

import numpy as np
from PIL import Image

from modules.engine.upscaling.tiling import Floats, Span


class SeenSoFar:
    """A small picture of the whole, as it was before, into which each tile is put once it is done."""

    def __init__(self, picture: Image.Image, longest: int) -> None:
        self._whole = picture.size
        share = min(1.0, longest / max(picture.size))
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        self.picture = picture.convert("RGB").resize(size, Image.Resampling.BILINEAR)

    def add(self, column: Span, row: Span, tile: Floats) -> None:
        """Put in what was made of a tile, (height, width, 3) from 0 to 255; its place is that in the picture before."""
        across, down = self.picture.width / self._whole[0], self.picture.height / self._whole[1]
        left, top = round(column.start * across), round(row.start * down)
        right, bottom = max(round(column.end * across), left + 1), max(round(row.end * down), top + 1)
        # A few of the rows and columns are enough for so small a picture.
        every = max(1, min(tile.shape[1] // (right - left), tile.shape[0] // (bottom - top)) // 2)
        pixels = np.rint(tile[::every, ::every]).astype(np.uint8)
        made = Image.fromarray(pixels).resize((right - left, bottom - top), Image.Resampling.BILINEAR)
        self.picture.paste(made, (left, top))
