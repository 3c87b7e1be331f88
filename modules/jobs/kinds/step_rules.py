"""From a strength to steps: of which list, and from which of them on; the rules of A1111."""

from __future__ import annotations

from typing import NamedTuple

# A list has no more levels than models were trained with.
LONGEST_LIST = 1000
# A pass over a picture never begins with noise alone.
_STRONGEST = 0.999


class Steps(NamedTuple):
    """A list of so many steps, of which those before `begin` are left out."""

    of_list: int
    begin: int


def part_of(steps: int, strength: float) -> Steps:
    """Return the last part of a list of `steps`, the more of it the higher the strength (0 to 1); one step at least."""
    return Steps(steps, steps - int(min(strength, _STRONGEST) * steps) - 1)


def exactly(steps: int, strength: float) -> Steps:
    """Return the last `steps` of a longer list, which begin at this strength, 0 to 1.

    Where that list would be too long they are fewer: the strength is kept.
    """
    if strength <= 0:
        return Steps(steps, steps - 1)
    of_list = int(steps / min(strength, _STRONGEST))
    if of_list <= LONGEST_LIST:
        return Steps(of_list, of_list - steps)
    return Steps(LONGEST_LIST, LONGEST_LIST - max(1, int(LONGEST_LIST * strength)))
