"""Makes of a prompt with variants and wildcards the prompt of one picture, by that picture's seed alone."""

from __future__ import annotations

from random import Random

from modules.prompts.dynamic.nodes import Assignment, Node, Nodes, Recall, Variants, Wildcard
from modules.prompts.dynamic.template import read_template
from modules.prompts.dynamic.values import Lookup, Values, numbers_of

# Wildcards and groups within each other; one that names itself would go on for ever.
MOST_DEPTH = 64
MOST_NODES = 20_000


class _TooMuch(Exception):  # noqa: N818
    """What is to be made is too long, or leads back to itself."""


def expand(text: str, seed: int, wildcards: Lookup, longest: int, stream: str = "") -> str:
    """Return a prompt with one of each variants and a line for each wildcard, as the seed says.

    A wildcard that is not there stays as it is written, and so does one that leads to more than `longest` characters or
    back to itself, and all where the whole becomes longer. `stream` is what else tells one prompt of a picture from
    another.
    """
    nodes = read_template(text)
    if all(isinstance(node, str) for node in nodes):
        return text
    made = _Expansion(seed, stream, wildcards, longest).whole(nodes)
    return made if len(made) <= longest else text


class _Expansion:
    def __init__(self, seed: int, stream: str, wildcards: Lookup, longest: int) -> None:
        self._chance = Random(f"{seed} {stream}")
        self._seed = seed
        self._wildcards = wildcards
        self._letters = longest
        self._nodes = MOST_NODES
        self._variables: dict[str, str | Nodes] = {}

    def whole(self, nodes: Nodes) -> str:
        """Return the text of the nodes of a prompt; of each that leads to too much, as it is written."""
        made: list[str] = []
        failed: set[str] = set()
        for node in nodes:
            if not isinstance(node, str) and node.written in failed:
                made.append(node.written)
                continue
            letters, variables = self._letters, self._variables
            try:
                made.append(self._of(node, 0))
            except _TooMuch:
                self._letters, self._variables = letters, variables
                made.append(node if isinstance(node, str) else node.written)
                failed.add(made[-1])
        return "".join(made)

    def _text(self, nodes: Nodes, depth: int) -> str:
        return "".join(self._of(node, depth) for node in nodes)

    def _of(self, node: Node, depth: int) -> str:
        self._nodes -= 1
        if depth > MOST_DEPTH or self._nodes < 0:
            raise _TooMuch
        if isinstance(node, str):
            return self._counted(node)
        if isinstance(node, Variants):
            return self._variants(node, depth + 1)
        if isinstance(node, Wildcard):
            return self._wildcard(node, depth + 1)
        if isinstance(node, Assignment):
            if not (node.keep and node.name in self._variables):
                self._variables[node.name] = self._text(node.nodes, depth + 1) if node.at_once else node.nodes
            return ""
        return self._recall(node, depth + 1)

    def _counted(self, text: str) -> str:
        self._letters -= len(text)
        if self._letters < 0:
            raise _TooMuch
        return text

    def _variants(self, node: Variants, depth: int) -> str:
        inner = node.options[0].nodes
        if len(node.options) == 1 and len(inner) == 1 and isinstance(inner[0], Wildcard):
            return self._wildcard(inner[0], depth, node)
        values = Values([""] * len(node.options), [option.weight for option in node.options])
        chosen = numbers_of(values, self._chance, self._turn(node), self._count(node, len(values)))
        return self._counted_join(node.separator, [self._text(node.options[number].nodes, depth) for number in chosen])

    def _wildcard(self, node: Wildcard, depth: int, several: Variants | None = None) -> str:
        """Return a line of a wildcard, or as many as the variants say of which it is the only option."""
        name = node.name if "$" not in node.name else self._text(read_template(node.name), depth)
        values = self._wildcards.values(name)
        if not values:
            return self._counted(node.written)
        outer = self._variables
        if node.parameters:
            self._variables = {**outer, **{name: read_template(text) for name, text in node.parameters}}
        how = node if several is None or several.sampler is None else several
        count = 1 if several is None else self._count(several, len(values))
        chosen = numbers_of(values, self._chance, self._turn(how), count)
        made = [self._text(read_template(values.texts[number]), depth) for number in chosen]
        if node.parameters:
            self._variables = outer
        return self._counted_join("" if several is None else several.separator, made)

    def _recall(self, node: Recall, depth: int) -> str:
        value = self._variables.get(node.name, node.default)
        if value is None:
            return self._counted(node.written)
        return self._counted(value) if isinstance(value, str) else self._text(value, depth)

    def _count(self, node: Variants, available: int) -> int:
        """Return how many are chosen, of the so many that there are."""
        if node.low == node.high:
            return min(node.low, available)
        high = min(node.high, available)
        low = min(node.low, high)
        if node.sampler == "cyclical":
            return low + self._seed % (high - low + 1)
        return low + int(self._chance.random() * (high - low + 1))

    def _turn(self, node: Variants | Wildcard) -> int | None:
        return self._seed if node.sampler == "cyclical" else None

    def _counted_join(self, separator: str, texts: list[str]) -> str:
        self._counted(separator * max(0, len(texts) - 1))
        return separator.join(texts)
