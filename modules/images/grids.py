"""All pictures of a job in one, as A1111 lays them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from PIL import Image

from modules.jobs.kinds.files import Grid

# As A1111's img_max_size_mp; more would take more memory than the drawing.
MOST_PIXELS = 200_000_000


def rows_and_columns(count: int, grid: Grid, batch_size: int) -> tuple[int, int]:
    """Return how many rows and columns so many pictures have."""
    if grid.rows > 0:
        rows = grid.rows
    elif grid.rows == 0:
        rows = batch_size
    elif grid.no_empty_spots:
        rows = math.isqrt(count)
        while count % rows:
            rows -= 1
    else:
        rows = round(math.sqrt(count))
    rows = max(1, min(rows, count))
    return rows, math.ceil(count / rows)


def wanted(count: int, grid: Grid | None) -> bool:
    """Tell whether so many pictures get a grid."""
    return grid is not None and count > (1 if grid.only_if_multiple else 0)


def grid_size(sizes: Sequence[tuple[int, int]], grid: Grid, batch_size: int) -> tuple[int, int]:
    """Return width and height of the grid of pictures of these sizes."""
    rows, columns = rows_and_columns(len(sizes), grid, batch_size)
    return columns * max(width for width, _ in sizes), rows * max(height for _, height in sizes)


def lay_out_within(
    pictures: Iterable[Image.Image], sizes: Sequence[tuple[int, int]], grid: Grid, batch_size: int, most_pixels: int
) -> Image.Image:
    """Return the grid as `lay_out` does, with pictures made smaller where it would have more pixels than that."""
    width, height = grid_size(sizes, grid, batch_size)
    share = math.sqrt(most_pixels / (width * height))
    if share >= 1:
        return lay_out(pictures, sizes, grid, batch_size)
    smaller = [(max(1, int(width * share)), max(1, int(height * share))) for width, height in sizes]
    resized = (one.resize(size, Image.Resampling.LANCZOS) for one, size in zip(pictures, smaller, strict=True))
    return lay_out(resized, smaller, grid, batch_size)


def lay_out(
    pictures: Iterable[Image.Image], sizes: Sequence[tuple[int, int]], grid: Grid, batch_size: int
) -> Image.Image:
    """Return the grid of pictures of these sizes: row by row, on black; places without a picture stay so.

    They may be opened one after the other: none is asked for before the one before it lies on the sheet.
    """
    _, columns = rows_and_columns(len(sizes), grid, batch_size)
    width, height = max(width for width, _ in sizes), max(height for _, height in sizes)
    sheet = Image.new("RGB", grid_size(sizes, grid, batch_size))
    for index, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB"), (index % columns * width, index // columns * height))
    return sheet
