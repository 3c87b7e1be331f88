"""Styles: words by a name that are put into prompts, and found again in prompts that have them. A1111's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modules.errors import InvalidRequest

# Where the prompt stands in a style's text; without it the style follows the prompt.
PLACE = "{prompt}"
_JOINT = ", "


@dataclass(frozen=True)
class Style:
    """Words for both prompts, by a name."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""


class Found(NamedTuple):
    """What was found in two prompts: the names of styles in their order, and the prompts without them."""

    names: tuple[str, ...]
    prompt: str
    negative_prompt: str


def with_styles(prompt: str, texts: Iterable[str], longest: int) -> str:
    """Return a prompt with the texts of styles, each put into or behind what the one before made.

    Raises:
        InvalidRequest: one of them makes it longer than `longest`, which is told before it is made: a few styles that
            have the prompt in many places would fill the memory.
    """
    for text in texts:
        length = _length_with_style(prompt, text)
        if length > longest:
            message = f"With its styles a prompt has {length:,} characters: {longest:,} are possible, leave some out."
            raise InvalidRequest(message, "styles")
        prompt = _with_style(prompt, text)
    return prompt


def without_styles(prompt: str, texts: Sequence[str]) -> str:
    """Return what styles with these texts were put on, as far as they stand in the prompt."""
    for text in reversed(texts):
        before = _without(prompt, text)
        prompt = prompt if before is None else before
    return prompt


def find_styles(prompt: str, negative_prompt: str, styles: Sequence[Style]) -> Found:
    """Return which styles stand in two prompts: those that give both of them anew. The one with most words comes first.

    Each is found once at most, as with A1111.
    """
    left = sorted((one for one in styles if one.prompt or one.negative_prompt), key=_longest_first)
    names: list[str] = []
    while (found := _outermost(prompt, negative_prompt, left)) is not None:
        style, prompt, negative_prompt = found
        left.remove(style)
        names.append(style.name)
    return Found(tuple(reversed(names)), prompt, negative_prompt)


def _with_style(prompt: str, text: str) -> str:
    if PLACE in text:
        return text.replace(PLACE, prompt)
    return _JOINT.join(part for part in (prompt.strip(), text.strip()) if part)


def _length_with_style(prompt: str, text: str) -> int:
    places = text.count(PLACE)
    return len(text) + places * (len(prompt) - len(PLACE)) if places else len(_with_style(prompt, text))


def _longest_first(style: Style) -> int:
    return -len(style.prompt) - len(style.negative_prompt)


def _outermost(prompt: str, negative_prompt: str, styles: Iterable[Style]) -> tuple[Style, str, str] | None:
    """Return the first style that was put on last, and what it was put on."""
    for style in styles:
        before, negative_before = _without(prompt, style.prompt), _without(negative_prompt, style.negative_prompt)
        if before is not None and negative_before is not None:
            return style, before, negative_before
    return None


def _without(prompt: str, text: str) -> str | None:
    """Return what the text of a style was put on to give this prompt; None: that gives none."""
    if PLACE not in text:
        text = text.strip()
        if not text:
            return prompt
        if prompt.strip() == text:
            return ""
        return prompt.removesuffix(_JOINT + text) if prompt.endswith(_JOINT + text) else None
    start, _, end = text.strip().partition(PLACE)
    end = end.rpartition(PLACE)[2]
    if len(prompt) < len(start) + len(end) or not (prompt.startswith(start) and prompt.endswith(end)):
        return None
    before = prompt[len(start) : len(prompt) - len(end)]
    if text.count(PLACE) > 1:
        before = _repeated(prompt, text.strip())
    return before if _with_style(before, text.strip()) == prompt else None


def _repeated(prompt: str, text: str) -> str:
    """Return what stands at each of several places of a prompt, if it is the same at all of them."""
    places = text.count(PLACE)
    length = (len(prompt) - len(text) + places * len(PLACE)) // places
    start = text.index(PLACE)
    return prompt[start : start + max(0, length)]
