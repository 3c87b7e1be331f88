"""Reads prompts with variants, wildcards and variables, in the syntax of sd-dynamic-prompts.

    {red|0.5::blue|} {2$$ and $$a|b|c} __colours__ ${season=!{summer|winter}} ${season}

Reading never fails, and takes time in proportion to the text: what has no meaning is text, as are groups within more
than `MOST_LEVELS` others.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from modules.prompts.dynamic.nodes import Assignment, Node, Nodes, Option, Recall, Sampler, Variants, Wildcard

MOST_LEVELS = 40
# What is read of a text takes a hundred times as much memory as it, and while somebody writes each letter makes another
# one: of lines of wildcards, which come again and again, thousands are remembered, and of long prompts those of now.
LONGEST_SHORT = 300
_SAMPLERS: dict[str | None, Sampler | None] = {"~": "random", "@": "cyclical"}

_VARIABLE_IN_NAME = r"\$\{\w{1,40}\}"
_WILDCARD = rf"""
    __(?P<sampler>[~@!]?)
    (?P<name>(?:[^\s_{{}}|$()<>:"\\]|{_VARIABLE_IN_NAME})(?:[^\n{{}}|$()<>:"\\]|{_VARIABLE_IN_NAME}){{0,120}}?(?<!\s))
    (?:\((?P<parameters>[^()\n]{{0,1000}})\))?__
"""
_TOKEN = re.compile(
    rf"""(?P<text>\\.|\$\$|[^\\_${{}}|\[\]]+)|(?P<mark>\$\{{|[{{}}|\[\]])|(?P<wildcard>{_WILDCARD})|(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
# What may stand behind the brace that opens a group.
_HOW_MANY = re.compile(
    r"""(?:\s*(?P<sampler>[~@!]))?
    (?:\s*(?:(?P<low>\d{1,4})(?P<to>-(?P<high>\d{1,4})?)?|-(?P<most>\d{1,4}))\$\$(?:(?P<separator>[^${}]{1,40})\$\$)?)?
    """,
    re.VERBOSE,
)
_WEIGHT = re.compile(r"\s*(?P<weight>\d{0,9}\.?\d{1,9}|\d{1,9}\.)::")
_VARIABLE = re.compile(r"\s*(?P<name>[A-Za-z_-][\w-]{0,40})\s*(?P<mark>\??=!?|:|$)\s*")
_HINT = re.compile(r"[{$]|__")


def read_template(text: str) -> Nodes:
    """Return what a text is made of; one string where nothing of it is to be chosen."""
    if not _HINT.search(text):
        return (text,)
    return _read_short(text) if len(text) <= LONGEST_SHORT else _read_long(text)


@functools.lru_cache(maxsize=2048)
def _read_short(text: str) -> Nodes:
    return _Reader(text).read()


@functools.lru_cache(maxsize=8)
def _read_long(text: str) -> Nodes:
    return _Reader(text).read()


def is_template(text: str) -> bool:
    """Tell whether something in a text is to be chosen."""
    return any(not isinstance(node, str) for node in read_template(text))


class _Frame:
    """A bracket that is open: where it stands, and what has come since, parted by bars."""

    __slots__ = ("bound", "opening", "parts", "start")

    def __init__(self, opening: str, start: int) -> None:
        self.opening = opening
        self.start = start
        self.parts: list[list[Node]] = [[]]
        self.bound: re.Match[str] | None = None

    def text(self) -> Iterable[Node]:
        """What it stands for where it is no group."""
        yield self.opening + (self.bound.group() if self.bound else "")
        for number, part in enumerate(self.parts):
            if number:
                yield "|"
            yield from part


class _Reader:
    """Reads one text, bracket by bracket."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open = [_Frame("", 0)]
        self._groups = 0  # how many of the open brackets may become groups
        self._too_deep = 0  # how many braces are open beyond those

    def read(self) -> Nodes:
        """Return what the text is made of."""
        place = 0
        while (token := _TOKEN.match(self._text, place)) is not None:
            place = token.end()
            if token.lastgroup == "mark":
                place = self._mark(token.group(), place)
            else:
                node = _wildcard(token) if token.lastgroup == "wildcard" else token.group()
                self._open[-1].parts[-1].append(node)
        whole = self._open[0].parts[0]
        for frame in self._open[1:]:
            whole.extend(frame.text())
        return _joined(whole)

    def _add(self, *nodes: Node) -> None:
        self._open[-1].parts[-1].extend(nodes)

    def _mark(self, mark: str, place: int) -> int:
        """Take in a mark that ends at a place; return where reading goes on."""
        if mark == "[":
            self._open.append(_Frame(mark, place - 1))
        elif mark == "]" and self._open[-1].opening == "[":
            self._add(*_joined([*self._open.pop().text(), mark]))
        elif mark == "|" and self._open[-1].opening in ("{", "[") and not self._too_deep:
            self._open[-1].parts.append([])
        elif mark in ("{", "${"):
            return self._begin(mark, place)
        elif mark == "}" and self._groups:
            self._end(place)
        else:
            self._add(mark)
        return place

    def _begin(self, mark: str, place: int) -> int:
        if self._groups == MOST_LEVELS:
            self._too_deep += 1
            self._add(mark)
            return place
        self._groups += 1
        frame = _Frame(mark, place - len(mark))
        self._open.append(frame)
        if mark == "{":
            frame.bound = _HOW_MANY.match(self._text, place)
        return frame.bound.end() if frame.bound else place

    def _end(self, place: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
            self._add("}")
            return
        first = next(n for n in range(len(self._open) - 1, 0, -1) if self._open[n].opening != "[")
        frame, unclosed = self._open[first], self._open[first + 1 :]
        del self._open[first:]
        self._groups -= 1
        for one in unclosed:
            self._take_back(one, frame)
        written = self._text[frame.start : place]
        made = _variable(frame, written) if frame.opening == "${" else _group(frame, written)
        self._add(*(_joined([*frame.text(), "}"]) if made is None else made))

    @staticmethod
    def _take_back(bracket: _Frame, group: _Frame) -> None:
        """Let the bars behind a square bracket that nobody closes part the options of the group that it stands in."""
        group.parts[-1].append(bracket.opening)
        group.parts[-1].extend(bracket.parts[0])
        if group.opening == "{":
            group.parts.extend(bracket.parts[1:])
        else:
            for part in bracket.parts[1:]:
                group.parts[-1].extend(["|", *part])


def _group(frame: _Frame, written: str) -> Nodes | None:
    """Return what a pair of braces means; None: it is text."""
    options = tuple(_option(part) for part in frame.parts)
    bound = frame.bound
    counted = bound is not None and (bound["low"] or bound["most"])
    if len(options) == 1 and not counted:
        nodes = options[0].nodes
        return nodes if any(not isinstance(node, str) for node in nodes) else None
    sampler = _SAMPLERS.get(bound["sampler"] if bound else None)
    if bound is None or not counted:
        return (Variants(options, written, sampler=sampler),)
    # With one option its lines are counted, where it is a wildcard.
    most = len(options) if len(options) > 1 else 9999
    low = int(bound["low"]) if bound["low"] else 1
    high = int(bound["most"] or bound["high"] or (most if bound["to"] else low))
    separator = ", " if bound["separator"] is None else bound["separator"]
    return (Variants(options, written, min(low, high), max(low, high), separator, sampler),)


def _option(part: list[Node]) -> Option:
    nodes = _joined(part)
    weight = 1.0
    if nodes and isinstance(nodes[0], str):
        found = _WEIGHT.match(nodes[0])
        first = nodes[0][found.end() if found else 0 :].lstrip()
        weight = float(found["weight"]) if found else weight
        nodes = (first, *nodes[1:]) if first else nodes[1:]
    return Option(weight, nodes)


def _variable(frame: _Frame, written: str) -> Nodes | None:
    nodes = _joined(frame.text())
    first = nodes[0]
    found = _VARIABLE.match(first, len(frame.opening)) if isinstance(first, str) else None
    if found is None or not isinstance(first, str):
        return None
    rest = first[found.end() :]
    value = ((rest,) if rest else ()) + nodes[1:]
    name, mark = found["name"], found["mark"]
    if mark in ("", ":"):
        return (Recall(name, written, value if mark else None),) if mark or not value else None
    return (Assignment(name, value, written, at_once="!" in mark, keep="?" in mark),)


def _wildcard(token: re.Match[str]) -> Wildcard:
    pairs = (pair.partition("=") for pair in (token["parameters"] or "").split(",") if "=" in pair)
    parameters = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return Wildcard(token["name"], token.group(), parameters, _SAMPLERS.get(token["sampler"]))


def _joined(nodes: Iterable[Node]) -> Nodes:
    """Return nodes with strings that follow each other made into one, and none that is empty."""
    made: list[Node] = []
    words: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            words.append(node)
            continue
        if text := "".join(words):
            made.append(text)
        words = []
        made.append(node)
    text = "".join(words)
    return (*made, text) if text or not made else tuple(made)
