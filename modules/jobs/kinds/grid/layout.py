"""Where the pictures of a grid belong, and what stands beside them."""

from __future__ import annotations

from pydantic import Field

from modules.jobs.kinds.frozen import Frozen

# Which of the values along x, y and z stands there, each counted from 0.
Place = tuple[int, int, int]
LETTERS = "xyz"
LEGEND_LONGEST = 200


class Axis(Frozen):
    """One direction of a grid: what varies along it, and the whole of what stands beside the pictures of each value.

    That is "Steps: 20" for an axis with the label "Steps", and a sampler's name alone. An axis along which nothing
    varies has the label "" and one value, "".
    """

    label: str = ""
    values: tuple[str, ...] = ("",)


class Layout(Frozen):
    """A grid as it is seen: `script` is what asked for it, by A1111's title; `z` makes several sheets.

    `legend`: labels and values are written beside the pictures. `margin` is how many pixels lie between them. The
    sheets of each z are pictures of their own with `sub_grids`, and each cell's picture is with `lone_images`. Without
    `has_sheet` there are the cells' pictures alone, as of prompts from a file. `pairs` are what the infotext of a sheet
    tells beside that of its first cell.
    """

    script: str
    x: Axis = Axis()
    y: Axis = Axis()
    z: Axis = Axis()
    legend: bool = True
    margin: int = 0
    sub_grids: bool = False
    lone_images: bool = True
    has_sheet: bool = True
    pairs: dict[str, str] = Field(default_factory=dict)

    @property
    def shape(self) -> Place:
        """How many places there are along x, y and z."""
        return len(self.x.values), len(self.y.values), len(self.z.values)


def shortened(legend: str) -> str:
    """Return what stands beside pictures: on one line, not longer than anybody reads there."""
    line = " ".join(legend.split())
    return line if len(line) <= LEGEND_LONGEST else f"{line[: LEGEND_LONGEST - 1]}…"
