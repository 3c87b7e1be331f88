"""The lines of a wildcard, and where they are looked up."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol


class Values:
    """Texts to choose from, with weights. Without any that is above 0 all are as likely as each other."""

    def __init__(self, texts: Iterable[str], weights: Iterable[float] = ()) -> None:
        self.texts = tuple(texts)
        given = tuple(weights)
        self.weights = given if any(weight != 1 for weight in given) and any(given) else None
        self._sums = None if self.weights is None else tuple(itertools.accumulate(self.weights))

    def __len__(self) -> int:
        return len(self.texts)

    def choose(self, chance: Random) -> int:
        """Return the number of one of them, by chance. The same chance gives the same one, on every machine."""
        if self._sums is None:
            return int(chance.random() * len(self.texts))
        found = bisect.bisect_right(self._sums, chance.random() * self._sums[-1])
        return min(found, len(self.texts) - 1)

    def choose_several(self, chance: Random, count: int) -> list[int]:
        """Return the numbers of so many, each once; all of them, in an order of chance, where there are no more."""
        size = len(self.texts)
        if self.weights is not None:
            # As if one after the other was drawn: Efraimidis and Spirakis, "Weighted random sampling", 2006.
            lots = [chance.random() ** (1 / weight) if weight else -1.0 for weight in self.weights]
            return sorted(range(size), key=lambda number: -lots[number])[:count]
        moved: dict[int, int] = {}
        chosen: list[int] = []
        for last in range(size - 1, max(-1, size - 1 - count), -1):
            place = int(chance.random() * (last + 1))
            chosen.append(moved.get(place, place))
            moved[place] = moved.get(last, last)
        return chosen

    def in_turn(self, turn: int, count: int) -> list[int]:
        """Return the numbers of so many that follow each other, each once, beginning with that of a turn."""
        size = len(self.texts)
        return [(turn + number) % size for number in range(min(count, size))]


class Lookup(Protocol):
    """Knows wildcards by name."""

    def values(self, name: str) -> Values | None:
        """Return the lines of a wildcard; None: there is none of this name."""
        ...


class NoWildcards:
    """Knows none."""

    def values(self, name: str) -> Values | None:
        """Return None."""


NO_WILDCARDS = NoWildcards()


def numbers_of(values: Values, chance: Random, turn: int | None, count: int) -> Sequence[int]:
    """Return the numbers of so many of them: by chance, or in turn."""
    if turn is not None:
        return values.in_turn(turn, count)
    return [values.choose(chance)] if count == 1 else values.choose_several(chance, count)
