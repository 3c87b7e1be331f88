"""Networks that a prompt calls for: `<lora:name:0.8>`, by A1111's rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = re.compile(r"<(\w+):")
_ALIASES = {"lyco": "lora"}


class NetworkTag(NamedTuple):
    """One call for a network: `<lora:name:te:unet:dyn>`, or with `te=`, `unet=` and `dyn=`.

    `kind` is "lora", "hypernet" or whatever stands before the first colon; `lyco` is another word for lora. `te` and
    `unet` are how much of it the text encoder and the denoiser get, `dyn` how many of its ranks are used; None: all.
    `arguments` are those without a meaning here, as they stand ("lbw=1,0,0,1"). `problems` are sentences about values
    that cannot be read; in their place are the defaults. `written` is the whole tag.
    """

    kind: str
    name: str
    te: float = 1.0
    unet: float = 1.0
    dyn: int | None = None
    arguments: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    written: str = ""


def without_networks(text: str) -> tuple[str, tuple[NetworkTag, ...]]:
    """Return a prompt without its tags `<kind:…>`, and these, in order.

    A tag ends with the first `>`; one that has none is text. Linear in the text's length.
    """
    kept: list[str] = []
    tags: list[NetworkTag] = []
    place = 0
    for start, end, tag in tags_in(text):
        kept.append(text[place:start])
        tags.append(tag)
        place = end
    kept.append(text[place:])
    return "".join(kept), tuple(tags)


def tags_in(text: str) -> Iterator[tuple[int, int, NetworkTag]]:
    """Yield where each tag begins and ends, in characters, and what it says."""
    opening = _OPENING.search(text)
    while opening is not None:
        end = text.find(">", opening.end())
        if end < 0:
            return
        if end > opening.end():  # <kind:> calls for nothing
            yield opening.start(), end + 1, _tag(opening[1], text[opening.end() : end], text[opening.start() : end + 1])
        opening = _OPENING.search(text, end + 1)


def _tag(kind: str, text: str, written: str) -> NetworkTag:
    positional: list[str] = []
    named: dict[str, str] = {}
    for argument in text.split(":"):
        key, equals, said = argument.partition("=")
        if equals and "=" not in said:
            named[key] = said
        else:
            positional.append(argument)
    problems: list[str] = []
    name = positional[0] if positional else ""
    if not name.strip():
        problems.append(f"{written} calls for no name: write <{kind}:name:1>.")

    def value(key: str, place: int) -> str | None:
        return named.pop(key, positional[place] if place < len(positional) else None)

    te = _number(value("te", 1), 1.0, written, problems)
    unet = _number(value("unet", 2), te, written, problems)
    dyn = _ranks(value("dyn", 3), written, problems)
    arguments = (*positional[4:], *(f"{key}={said}" for key, said in named.items()))
    return NetworkTag(_ALIASES.get(kind, kind), name, te, unet, dyn, arguments, tuple(problems), written)


def _number(text: str | None, default: float, written: str, problems: list[str]) -> float:
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    problems.append(f"{written}: {text!r} is not a number, {default:g} is used.")
    return default


def _ranks(text: str | None, written: str, problems: list[str]) -> int | None:
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number >= 1:
        return number
    problems.append(f"{written}: {text!r} is not a number of ranks, all are used.")
    return None
