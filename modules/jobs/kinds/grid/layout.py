"""Where the pictures of a grid belong, and what stands beside them."""

from __future__ import annotations

from modules.jobs.kinds.frozen import Frozen

# How often a grid's values stand along each of x, y and z.
Place = tuple[int, int, int]


class Axis(Frozen):
    """One direction of a grid: what varies along it, and how each of its values is written beside the pictures.

    An axis along which nothing varies has the label "" and one value, "".
    """

    label: str = ""
    values: tuple[str, ...] = ("",)


class Layout(Frozen):
    """A grid as it is seen: `script` is what asked for it, by A1111's title; `z` makes several sheets.

    `legend`: labels and values are written beside the pictures. `margin` is how many pixels lie between them. The
    sheets of each z are pictures of their own with `sub_grids`.
    """

    script: str
    x: Axis = Axis()
    y: Axis = Axis()
    z: Axis = Axis()
    legend: bool = True
    margin: int = 0
    sub_grids: bool = False

    @property
    def shape(self) -> Place:
        """How many places there are along x, y and z."""
        return len(self.x.values), len(self.y.values), len(self.z.values)
