"""Find what means something in a prompt of A1111 and is drawn as plain text here: weights, schedules, networks."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NETWORK = re.compile(r"<\w+:[^<>]+>")
_KEYWORD = re.compile(r"\b(?:AND|BREAK)\b")
_ESCAPED = re.compile(r"\\[\\()\[\]]")
_OPENING = {")": "(", "]": "["}
_PARTS_SHOWN = 5
_LONGEST_SHOWN = 40


def plain_syntax(text: str) -> tuple[str, ...]:
    """Return the parts of a prompt that A1111 would obey and this version takes as text, each once, in order.

    Those are `(more:1.3)`, `(more)`, `[less]`, `[from:to:when]`, `[one|another]`, `<lora:name:1>` and its kin, `AND`
    and `BREAK`. Brackets that are escaped or have no counterpart are text for both. Linear in the text's length.
    """
    # Without a pair of backslash and bracket, but as long as before.
    bare = _ESCAPED.sub("  ", text)
    spans = [*_brackets(bare), *(found.span() for what in (_NETWORK, _KEYWORD) for found in what.finditer(bare))]
    parts: dict[str, None] = {}
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reached:  # else it lies within the one before
            parts[text[start:end]] = None
            reached = end
    return tuple(parts)


def describe_plain_syntax(prompt: str, negative_prompt: str = "") -> str | None:
    """Return what people are told of such parts; None: there are none."""
    parts = tuple(dict.fromkeys(plain_syntax(prompt) + plain_syntax(negative_prompt)))
    if not parts:
        return None
    shown = ", ".join(_shortened(part) for part in parts[:_PARTS_SHOWN])
    more = f" and {len(parts) - _PARTS_SHOWN} more" if len(parts) > _PARTS_SHOWN else ""
    return f"Taken as plain text, since this version has no weights, schedules or networks in prompts: {shown}{more}."


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each pair of brackets with something in it begins and ends."""
    open_at: dict[str, list[tuple[int, int]]] = {"(": [], "[": []}
    contents = 0  # letters so far that are more than brackets and spaces
    for place, letter in enumerate(text):
        if letter in open_at:
            open_at[letter].append((place, contents))
        elif (opening := _OPENING.get(letter)) and open_at[opening]:
            start, contents_before = open_at[opening].pop()
            if contents > contents_before:
                yield start, place + 1
        contents += letter not in "()[] "


def _shortened(part: str) -> str:
    return part if len(part) <= _LONGEST_SHOWN else part[: _LONGEST_SHOWN - 1] + "…"
