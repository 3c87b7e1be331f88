"""What of a prompt's wildcards stays as it is written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from modules.prompts.dynamic.nodes import Assignment, Nodes, Recall, Variants, Wildcard
from modules.prompts.dynamic.template import read_template
from modules.prompts.dynamic.values import Lookup

_SHOWN_AT_MOST = 5
_LONGEST_SHOWN = 60
# Of a prompt while it is written; each that is a pattern is compared with all names.
_LOOKED_UP_AT_MOST = 100


def describe_missing(text: str, wildcards: Lookup) -> str | None:
    """Return what people are told of the wildcards in a prompt that are not there; None: all are.

    Of a prompt of hundreds the first ones are looked up.
    """
    written = {one.written: one.name for one in wildcards_in(read_template(text)) if "$" not in one.name}
    first = itertools.islice(written.items(), _LOOKED_UP_AT_MOST)
    return _missing(dict.fromkeys(words for words, name in first if not wildcards.values(name)))


def describe_left(texts: Iterable[str], wildcards: Lookup) -> str | None:
    """Return the same of the prompts that pictures are drawn with, where a wildcard may also lead to too much."""
    left = {one.written: one.name for text in texts for one in wildcards_in(read_template(text))}
    there = dict.fromkeys(written for written, name in left.items() if wildcards.values(name))
    words = [_missing(dict.fromkeys(written for written in left if written not in there))]
    if there:
        words.append(
            f"These lead to themselves, or to too long a text, and stay as they are written: {_listed(there)}."
        )
    return " ".join(filter(None, words)) or None


def wildcards_in(nodes: Nodes) -> Iterator[Wildcard]:
    """Yield the wildcards of a prompt, in their order; not those in the lines that these have."""
    for node in nodes:
        if isinstance(node, Wildcard):
            yield node
        elif isinstance(node, Variants):
            for option in node.options:
                yield from wildcards_in(option.nodes)
        elif isinstance(node, Assignment):
            yield from wildcards_in(node.nodes)
        elif isinstance(node, Recall) and node.default is not None:
            yield from wildcards_in(node.default)


def _missing(names: dict[str, None]) -> str | None:
    if not names:
        return None
    return f"There is no wildcard {_listed(names)}: it stays as text. Wildcards are files in the folder data/wildcards."


def _listed(names: dict[str, None]) -> str:
    shown = [name if len(name) <= _LONGEST_SHOWN else f"{name[: _LONGEST_SHOWN - 1]}…" for name in names]
    more = len(shown) - _SHOWN_AT_MOST
    return ", ".join(shown[:_SHOWN_AT_MOST]) + (f" and {more} more" if more > 0 else "")
