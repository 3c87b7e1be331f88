"""The cells of a grid differ by little: in its row stand the first one, and what is otherwise in each of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Where in a value of JSON something stands, and what stands there.
Path = tuple[str | int, ...]
Change = tuple[Path, Any]


def changes_from(first: Any, other: Any, path: Path = ()) -> Iterator[Change]:
    """Yield what makes `other` of `first`, both as JSON has values of the same fields."""
    if first == other:
        return
    if isinstance(first, dict) and isinstance(other, dict) and first.keys() == other.keys():
        for key in first:
            yield from changes_from(first[key], other[key], (*path, key))
    elif isinstance(first, list) and isinstance(other, list) and len(first) == len(other):
        for place, (one, another) in enumerate(zip(first, other, strict=True)):
            yield from changes_from(one, another, (*path, place))
    else:
        yield path, other


def with_changes(first: Mapping[str, Any], changes: tuple[Change, ...]) -> dict[str, Any]:
    """Return what `changes_from` has told of; `first` stays, and what is as in it is shared with it."""
    made: Any = dict(first)
    copied: set[Path] = {()}
    for path, value in changes:
        into = made
        for depth, step in enumerate(path[:-1], start=1):
            if path[:depth] not in copied:
                into[step] = into[step].copy()
                copied.add(path[:depth])
            into = into[step]
        into[path[-1]] = value
    whole: dict[str, Any] = made
    return whole
