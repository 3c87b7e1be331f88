"""All pictures of a job in one, as A1111 lays them out."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def lay_out(pictures: Sequence[Image.Image], grid: Grid, batch_size: int) -> Image.Image:
    """Return the grid: row by row, on black; places without a picture stay so."""
    rows, columns = rows_and_columns(len(pictures), grid, batch_size)
    width, height = max(one.width for one in pictures), max(one.height for one in pictures)
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB"), (index % columns * width, index // columns * height))
    return sheet
