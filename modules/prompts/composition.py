"""Prompts that are put together of several: `cat :1.2 AND dog AND fog :-0.5`."""

from __future__ import annotations

import re
from typing import NamedTuple

from modules.prompts.attention import LARGEST_WEIGHT

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"\s*([-+]?(?:\d+\.?|\d*\.\d+))")


class SubPrompt(NamedTuple):
    """One of the prompts that are added up, and how much of it."""

    text: str
    weight: float = 1.0


def subprompts_of(text: str) -> tuple[SubPrompt, ...]:
    """Return the parts between the words AND, each with the weight at its end; always at least one.

    What is drawn follows uncond + Σ weight · cfg · (cond - uncond). As in A1111 the word counts within brackets too, a
    prompt without AND may end with a weight ("ratio 16:9" is "ratio 16", nine times), and spaces at an end are cut off.
    """
    return tuple(map(_weighed, _AND.split(text)))


def _weighed(part: str) -> SubPrompt:
    part = part.rstrip()
    before, colon, end = part.rpartition(":")
    if colon and (number := _WEIGHT.fullmatch(end)):
        return SubPrompt(before.rstrip(), min(max(float(number[1]), -LARGEST_WEIGHT), LARGEST_WEIGHT))
    return SubPrompt(part)
