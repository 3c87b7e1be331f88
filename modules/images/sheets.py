"""A grid as one picture: its pictures at their places, and beside them what varies."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from modules.images.grids import MOST_PIXELS, rows_and_columns
from modules.images.legends import Legend, legend
from modules.images.picture_files import FILE_FORMATS
from modules.jobs.kinds.files import Grid
from modules.jobs.kinds.grid.layout import Axis, Layout, Place
from modules.jobs.kinds.grid.resolved import ResolvedGrid

_BACKGROUND, _NOT_THERE, _TEXT = "white", "#dddddd", "black"
_LONGEST_SIDE = 32_767  # what programs that show pictures can take
_LETTERS_OF_CELL = 25  # width and height of a cell together are so many times as large as its letters, as with A1111
_SMALLEST_LETTERS = 10
_SHARE_BESIDE = 0.75  # of a cell's width for what stands left of a row, at most, as with A1111
_SHARE_ABOVE = 1.0  # of its height, for what stands above a column
_PADDING = 0.5  # of the letters' size, around texts

Size = tuple[int, int]
# The picture with an index in the job; None: it is not there.
Open = Callable[[int], Image.Image | None]


@dataclass(frozen=True)
class SheetCell:
    """What stands at a place: pictures with these indices in the job, of these sizes, so many of them in a row."""

    place: Place
    indices: tuple[int, ...]
    sizes: tuple[Size, ...]
    batch_size: int = 1

    @property
    def columns(self) -> int:
        """How many of its pictures stand beside each other."""
        return rows_and_columns(len(self.indices), Grid(), self.batch_size)[1]

    @property
    def largest(self) -> Size:
        """Width and height that each of its pictures has room in."""
        return max(width for width, _ in self.sizes), max(height for _, height in self.sizes)

    @property
    def size(self) -> Size:
        """Width and height of all of it."""
        width, height = self.largest
        return self.columns * width, math.ceil(len(self.indices) / self.columns) * height


def cells_of(grid: ResolvedGrid) -> list[SheetCell]:
    """Return what stands on the sheets of a grid."""
    made = []
    for number, cell in enumerate(grid.cells):
        first, drawn = grid.first_of(number), cell.drawn
        own = range(drawn.image_count)
        indices, sizes = tuple(first + index for index in own), tuple(map(drawn.size_of, own))
        made.append(SheetCell(cell.place, indices, sizes, drawn.batch_size))
    return made


def opened_in(root: Path, names: Mapping[int, str]) -> Open:
    """Return what opens the picture with an index in the job, by the `names` of their files within `root`."""

    def opened(index: int) -> Image.Image | None:
        if index not in names:
            return None
        try:
            return Image.open(root / PurePosixPath(names[index]), formats=FILE_FORMATS)
        except FileNotFoundError:
            return None  # Somebody has deleted it.

    return opened


def compose(
    layout: Layout,
    cells: Sequence[SheetCell],
    opened: Open,
    z: int | None = None,
    most_pixels: int = MOST_PIXELS,
    font_file: str = "",
) -> Image.Image:
    """Return the sheet of a value of z; None: those of all values below each other.

    Pictures are made smaller where there would be more than `most_pixels`. One of them is open at a time; where one is
    not there the place stays grey.

    Raises:
        IndexError: z has no such value.
        OSError: a picture cannot be read.
    """
    sheets = range(len(layout.z.values)) if z is None else range(z, z + 1)
    at: Mapping[Place, SheetCell] = {cell.place: cell for cell in cells}
    whole = max(cell.size[0] for cell in cells), max(cell.size[1] for cell in cells)
    plan = _planned(layout, whole, len(sheets), most_pixels, font_file)
    sheet = Image.new("RGB", plan.size(len(sheets)), _BACKGROUND)
    for number, value in enumerate(sheets):
        plan.write(sheet, number, layout.z.values[value])
        for y in range(len(layout.y.values)):
            for x in range(len(layout.x.values)):
                box = plan.box_of(number, x, y)
                if (cell := at.get((x, y, value))) is None:
                    sheet.paste(_NOT_THERE, box)
                else:
                    _paste(sheet, cell, box, whole, opened)
    return sheet


@dataclass(frozen=True)
class _Plan:
    """Where on a sheet everything stands: cells of one size, texts above the columns and left of the rows."""

    cell: Size
    margin: int
    above: tuple[Legend, ...]
    beside: tuple[Legend, ...]
    titles: Mapping[str, Legend]
    padding: int

    @functools.cached_property
    def _top(self) -> int:
        return _with_padding(max(one.height for one in self.above), self.padding)

    @functools.cached_property
    def _left(self) -> int:
        return _with_padding(max(one.width for one in self.beside), self.padding)

    @functools.cached_property
    def _title(self) -> int:
        return _with_padding(max(one.height for one in self.titles.values()), self.padding)

    @property
    def _one(self) -> Size:
        """Width and height of the sheet of one value of z."""
        columns, rows = len(self.above), len(self.beside)
        width = columns * self.cell[0] + (columns - 1) * self.margin
        height = rows * self.cell[1] + (rows - 1) * self.margin
        return self._left + width, self._title + self._top + height

    def size(self, sheets: int) -> Size:
        """Return width and height of so many sheets below each other."""
        width, height = self._one
        return width, sheets * height + (sheets - 1) * self.margin

    def box_of(self, sheet: int, x: int, y: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a cell."""
        width, height = self.cell
        left = self._left + x * (width + self.margin)
        top = self._begin_of(sheet) + self._title + self._top + y * (height + self.margin)
        return left, top, left + width, top + height

    def write(self, picture: Image.Image, sheet: int, title: str) -> None:
        """Write all that stands beside the cells of a sheet."""
        begin, (width, height) = self._begin_of(sheet), self.cell
        self.titles[title].draw(picture, (self._left, begin, self._one[0] - self._left, self._title), _TEXT)
        for x, one in enumerate(self.above):
            one.draw(picture, (self.box_of(sheet, x, 0)[0], begin + self._title, width, self._top), _TEXT)
        for y, one in enumerate(self.beside):
            one.draw(picture, (0, self.box_of(sheet, 0, y)[1], self._left, height), _TEXT)

    def _begin_of(self, sheet: int) -> int:
        return sheet * (self._one[1] + self.margin)


def _planned(layout: Layout, cell: Size, sheets: int, most_pixels: int, font_file: str) -> _Plan:
    """Return where everything stands; cells are as large as they are, or smaller, until all of it is small enough."""
    scale = 1.0
    while True:
        width, height = (max(1, round(side * scale)) for side in cell)
        plan = _plan_for(layout, (width, height), font_file)
        whole = plan.size(sheets)
        excess = max(math.sqrt(whole[0] * whole[1] / most_pixels), max(whole) / _LONGEST_SIDE)
        if excess <= 1 or (width, height) == (1, 1):
            return plan
        scale = min(scale / excess, (max(width, height) - 1) / max(cell))


def _plan_for(layout: Layout, cell: Size, font_file: str) -> _Plan:
    width, height = cell
    letters = max((width + height) // _LETTERS_OF_CELL, _SMALLEST_LETTERS)

    def legends(axis: Axis, wide: float, high: float) -> tuple[Legend, ...]:
        texts = axis.values if layout.legend else ("",) * len(axis.values)
        return tuple(legend(text, letters, round(wide), round(high), font_file) for text in texts)

    columns = len(layout.x.values)
    titles = legends(layout.z, columns * width, height * _SHARE_ABOVE)
    return _Plan(
        cell,
        layout.margin,
        above=legends(layout.x, width, height * _SHARE_ABOVE),
        beside=legends(layout.y, width * _SHARE_BESIDE, height),
        titles=dict(zip(layout.z.values, titles, strict=True)),
        padding=round(letters * _PADDING),
    )


def _with_padding(length: int, padding: int) -> int:
    return length + 2 * padding if length else 0


def _paste(sheet: Image.Image, cell: SheetCell, box: tuple[int, int, int, int], whole: Size, opened: Open) -> None:
    """Put the pictures of a cell into its box, the whole of which is `whole` before it is made smaller."""
    scale = (box[2] - box[0]) / whole[0], (box[3] - box[1]) / whole[1]
    own, (width, height) = cell.size, cell.largest
    left, top = ((room - side) / 2 for room, side in zip(whole, own, strict=True))
    for number, index in enumerate(cell.indices):
        row, column = divmod(number, cell.columns)
        picture = opened(index)
        x, y = left + column * width, top + row * height
        corner = box[0] + round(x * scale[0]), box[1] + round(y * scale[1])
        sides = cell.sizes[number] if picture is None else picture.size
        size = max(1, round(sides[0] * scale[0])), max(1, round(sides[1] * scale[1]))
        if picture is None:
            sheet.paste(_NOT_THERE, (*corner, corner[0] + size[0], corner[1] + size[1]))
            continue
        with picture:
            plain = picture.convert("RGB")
        sheet.paste(plain if plain.size == size else plain.resize(size, Image.Resampling.LANCZOS), corner)
