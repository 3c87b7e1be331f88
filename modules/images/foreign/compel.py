"""The weights of compel, which InvokeAI reads prompts with, as A1111 writes them."""

from __future__ import annotations

import re

from modules.images.foreign.reading import WEIGHED_LONGEST

_MORE, _LESS = 1.1, 0.9
_IN_BRACKETS = re.compile(r"\(([^()]{1,2000})\)([0-9]{1,3}(?:\.[0-9]{1,4})?|\+{1,20}|-{1,20})(?![\w.+-])")
_WORD = re.compile(r"(?<![\w\-:.)])([^\W_][\w']{0,60}+)(\+{1,20}+|-{1,20}+)(?=[\s,.;]|$)")
_NEGATIVE = re.compile(r"\[([^\[\]]{0,5000})\]")


def a1111_weights(text: str) -> str:
    """Return a prompt with `word+`, `(two words)1.2` and `(two words)--` as `(word:1.1)` and so on."""
    if len(text) > WEIGHED_LONGEST:
        return text
    return _WORD.sub(_weighted, _IN_BRACKETS.sub(_weighted, text))


def split_negative(text: str) -> tuple[str, str]:
    """Return a prompt without what stands in square brackets, and that: the negative prompt of version 2."""
    if len(text) > WEIGHED_LONGEST:
        return text, ""
    negative = ", ".join(part.strip() for part in _NEGATIVE.findall(text))
    return re.sub(r" {2,}", " ", _NEGATIVE.sub(" ", text)).strip(), negative


def _weighted(found: re.Match[str]) -> str:
    words, mark = found[1], found[2]
    factor = {"+": _MORE, "-": _LESS}.get(mark[0])
    weight = float(mark) if factor is None else factor ** len(mark)
    return f"({words}:{round(weight, 4):g})"
