"""What in a prompt may mean something else than its writer thinks: each with its place in the text."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from modules.prompts.composition import subprompts_of
from modules.prompts.extra_networks import tags_in
from modules.prompts.schedule_tree import tree_of

MOST_HINTS = 20

_COMMENT = re.compile(r"#[^\n]*")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_OPEN_TAG = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*")
_TOKEN = re.compile(r"\\.|[][()]|\b(?:AND|BREAK)\b", re.DOTALL)
_OPENING = {")": "(", "]": "["}
# What is read gives nothing back, so that a number of ten thousand digits costs no more than its length.
_NUMBER = re.compile(r"\s*+([+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++))\s*+")
_LIKE_A_NUMBER = re.compile(r"\s*+(?=[-+.,]*+[0-9])[-+.,0-9]++\s*+")
_LARGE_WEIGHT = 5.0
_LONGEST_SHOWN = 20


class Hint(NamedTuple):
    """Something worth a second look, from `start` to `end` of the text, in characters."""

    start: int
    end: int
    message: str


def hints_of(text: str, *, negative: bool = False, comments: bool = True) -> tuple[Hint, ...]:
    """Return what is worth a second look in a prompt, in the order of its places; at most `MOST_HINTS`.

    `comments`: whether `#` hides the rest of a line. Linear in the text's length.
    """
    found: list[Hint] = []
    if comments:
        for colour in _COLOUR.finditer(text):
            found.append(Hint(*colour.span(), f"{colour[0]} is a comment, and so is the rest of its line."))
        text = _without(text, [comment.span() for comment in _COMMENT.finditer(text)])
    tags = list(tags_in(text))
    text = _without(text, [(start, end) for start, end, _tag in tags])
    for start, end, tag in tags:
        found += (Hint(start, end, problem) for problem in tag.problems)
    found += (Hint(*tag.span(), "This tag has no > at its end: it is text.") for tag in _OPEN_TAG.finditer(text))
    reader = _Reader(text, [start for start, _end, _tag in tags], negative)
    found += reader.read()
    found += _loose(_without_variants(text))
    if not negative:
        found += _weight_of_all(text)
    return tuple(sorted(found)[:MOST_HINTS])


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the text with spaces in these places, so that all others stay where they are."""
    kept: list[str] = []
    place = 0
    for start, end in spans:
        kept += (text[place:start], " " * (end - start))
        place = end
    return "".join([*kept, text[place:]])


def _without_variants(text: str) -> str:
    """Return the text with spaces in the place of bars in `{one|another}`, of which one is chosen before all else."""
    if "{" not in text:
        return text
    depth, letters = 0, list(text)
    for place, letter in enumerate(letters):
        depth = max(depth + (letter == "{") - (letter == "}"), 0)
        if letter == "|" and depth:
            letters[place] = " "
    return "".join(letters)


class _Reader:
    """Reads the brackets of a prompt from left to right. `tags` are where tags of networks were."""

    def __init__(self, text: str, tags: Sequence[int], negative: bool) -> None:
        self._text = text
        self._tags = collections.deque(tags)
        self._words = {
            "BREAK": "BREAK in brackets is a word like any other: write it outside of them.",
            "AND": "" if negative else "AND parts the prompt here, and brackets end with the part that they are in.",
        }
        self._open: dict[str, list[int]] = {"(": [], "[": []}

    def read(self) -> Iterator[Hint]:
        """Yield what is to be said of brackets, and of words within them."""
        for token in _TOKEN.finditer(self._text):
            mark, place = token[0], token.start()
            if mark in self._open:
                self._open[mark].append(place)
            elif mark in _OPENING:
                if self._open[_OPENING[mark]]:
                    yield from self._closed(self._open[_OPENING[mark]].pop(), place)
                else:
                    yield Hint(place, place + 1, f"This {mark} closes nothing: it is text.")
            elif any(self._open.values()) and (message := self._words.get(mark)):
                yield Hint(*token.span(), message)
        for mark, places in self._open.items():
            for place in places:
                yield Hint(place, place + 1, f"This {mark} is not closed: it counts to the end of the prompt.")

    def _closed(self, start: int, end: int) -> Iterator[Hint]:
        colon = self._text.rfind(":", start + 1, end)
        written = self._text[colon + 1 : end] if colon >= 0 else ""
        number = _NUMBER.fullmatch(written)
        if self._text[start] == "[":
            if number:
                yield from self._scheduled(start, end, number[1])
        elif number is None and _LIKE_A_NUMBER.fullmatch(written):
            why = "is no number: it is text, and the brackets count 1.1. Write 1.2, for example."
            yield Hint(colon + 1, end, f"{_shown(written)} {why}")
        elif number is not None and abs(float(number[1])) > _LARGE_WEIGHT:
            why = "spoils most pictures: 0.5 to 1.5 is what models bear."
            yield Hint(colon + 1, end, f"A weight of {_shown(number[1])} {why}")

    def _scheduled(self, start: int, end: int, when: str) -> Iterator[Hint]:
        if "." in when and float(when) > 1:
            is_alone, shown = self._text.count(":", start, end) == 1, _shown(when)
            alone = f"[…:{shown}] is no weight but a change, in hires fix only: write (…:{shown}) for a weight."
            yield Hint(start, end + 1, alone if is_alone else f"[…:{shown}] changes in hires fix only.")
        while self._tags and self._tags[0] < end:
            place = self._tags.popleft()
            if place > start:
                yield Hint(place, place + 1, "A network counts in all steps: a change around it is no matter to it.")


def _loose(text: str) -> Iterator[Hint]:
    """Yield what makes the whole prompt plain text where something was to change in it."""
    if tree_of(text) is not None or "[" not in text:
        return
    bar, end = text.find("|"), len(text) - 1
    tidy = text.replace("|", " ").removesuffix("\\")
    if all(isinstance(item, str) for item in tree_of(tidy) or ("",)):
        return
    if text.endswith("\\"):
        yield Hint(end, end + 1, "A backslash at the end makes all of the prompt plain text: nothing in it changes.")
    if bar >= 0:
        message = "A | outside of […|…] makes all of the prompt plain text: nothing in it changes."
        yield Hint(bar, bar + 1, message)


def _weight_of_all(text: str) -> Iterator[Hint]:
    """Yield the number behind a colon with which a prompt ends that AND parts from no other."""
    parts = subprompts_of(text)
    if len(parts) == 1 and parts[0].weight != 1:
        message = (
            f"A number behind a colon at the end weighs the whole prompt: {parts[0].weight:g} times. A comma after "
        )
        yield Hint(text.rindex(":"), len(text.rstrip()), f"{message}it makes it text.")


def _shown(number: str) -> str:
    text = number.strip()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
