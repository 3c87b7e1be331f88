"""Ask about tensors by name and shape."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property

from modules.jobs.models.tensor_header import TensorEntry


class Tensors:
    """The tensors of a file, or of a part of it, as signs of what it is are looked for."""

    def __init__(self, entries: Mapping[str, TensorEntry]) -> None:
        self.entries = entries

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def has(self, *names: str) -> bool:
        """Tell whether all of them are there."""
        return all(name in self.entries for name in names)

    def has_any(self, *names: str) -> bool:
        """Tell whether one of them is there."""
        return any(name in self.entries for name in names)

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self.entries)

    def begins(self, *prefixes: str) -> bool:
        """Tell whether the name of one begins so."""
        names = self._in_order
        places = ((bisect_left(names, prefix), prefix) for prefix in prefixes)
        return any(place < len(names) and names[place].startswith(prefix) for place, prefix in places)

    def ends(self, *suffixes: str) -> bool:
        """Tell whether the name of one ends so."""
        return any(name.endswith(suffixes) for name in self.entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return its shape, () when it is not there."""
        entry = self.entries.get(name)
        return entry.shape if entry is not None else ()

    def side(self, axis: int, *names: str) -> int | None:
        """Return how long the first of these that is there is along an axis, None when none is."""
        for name in names:
            shape = self.shape(name)
            if len(shape) > axis:
                return shape[axis]
        return None

    def blocks(self, before: str, after: str) -> int:
        """Return how many there are that differ in a number counted from 0 alone."""
        count = 0
        while f"{before}{count}{after}" in self.entries:
            count += 1
        return count

    def under(self, prefix: str) -> Tensors:
        """Return those whose names begin so, without that."""
        cut = len(prefix)
        return Tensors({name[cut:]: entry for name, entry in self.entries.items() if name.startswith(prefix)})
