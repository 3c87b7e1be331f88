"""Reads a file of wildcards: a text with one line for each value, or YAML or JSON with lists in a tree of names."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modules.errors import SteadyError
from modules.jobs.models.untrusted_file import read_bounded
from modules.prompts.dynamic.values import Values

TEXTS, TREES = (".txt",), (".yaml", ".yml", ".json")
_LARGEST_TEXT_BYTES, _LARGEST_TREE_BYTES = 32 << 20, 4 << 20
_MOST_VALUES, _MOST_LEVELS = 200_000, 12
_LONGEST_VALUE, _LONGEST_NAME = 10_000, 200
_NOTE = re.compile(r"(?:^|\s)#.*$")
_WEIGHT = re.compile(r"\s*(\d{0,9}\.?\d{1,9}|\d{1,9}\.)::(.*)", re.DOTALL)


class BrokenWildcards(SteadyError):  # noqa: N818
    """A file of wildcards that cannot be read."""


def read_wildcards(path: Path) -> dict[str, Values]:
    """Return the wildcards in a file, by their names in its folder. A text has one, with the name of the file.

    The name of a list in a tree is made of the keys above it, and that of the file is no part of it; a file that is
    one list has its name. Notes begin with `#`.

    Raises:
        BrokenWildcards: it cannot be read; the message names the file.
    """
    try:
        if path.suffix.lower() in TEXTS:
            text = read_bounded(path, _LARGEST_TEXT_BYTES).decode("utf-8-sig", errors="replace")
            return {path.stem: Values(dict.fromkeys(_lines(text)))}
        return _of_tree(path, _parse(path))
    except OSError as error:
        raise BrokenWildcards(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BrokenWildcards(f"{path} holds no wildcards that can be read: {reason}.") from error


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        value = _NOTE.sub("", line).strip()
        if value and len(value) <= _LONGEST_VALUE:
            yield value


def _parse(path: Path) -> Any:
    data = read_bounded(path, _LARGEST_TREE_BYTES)
    if path.suffix.lower() == ".json":
        return json.loads(data)
    import yaml  # Here, since it takes a tenth of a second, and few people have such a file.

    try:
        return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")) from error


def _of_tree(path: Path, tree: Any) -> dict[str, Values]:
    found: dict[str, Values] = {}
    left = _MOST_VALUES
    for name, leaves in _lists(tree, "" if isinstance(tree, Mapping) else path.stem, 0, itertools.count()):
        left -= len(leaves)
        if left < 0:
            raise ValueError(f"more than {_MOST_VALUES:,} values")
        pairs = [_weighted(str(leaf)) for leaf in leaves if isinstance(leaf, str | int | float)]
        kept = [(weight, text) for weight, text in pairs if text and len(text) <= _LONGEST_VALUE]
        found[name] = Values((text for _, text in kept), (weight for weight, _ in kept))
    return found


def _lists(tree: Any, name: str, level: int, seen: Iterator[int]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of a tree with their names; a single text is a list of one.

    `seen` counts: in YAML one branch may stand in many places, so that a short file is a tree of a million branches.
    """
    if level > _MOST_LEVELS:
        raise ValueError(f"nested more than {_MOST_LEVELS} levels deep")
    if next(seen) > _MOST_VALUES:
        raise ValueError(f"more than {_MOST_VALUES:,} branches")
    if isinstance(tree, Mapping):
        for key, branch in tree.items():
            longer = f"{name}/{key}" if name else str(key)
            if len(longer) <= _LONGEST_NAME:  # what is longer cannot be called
                yield from _lists(branch, longer, level + 1, seen)
    elif name and isinstance(tree, list | str):
        yield name, tree if isinstance(tree, list) else [tree]


def _weighted(text: str) -> tuple[float, str]:
    found = _WEIGHT.fullmatch(text)
    return (float(found[1]), found[2].strip()) if found else (1.0, text.strip())
