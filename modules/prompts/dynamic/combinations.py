"""Makes all prompts that a prompt with variants and wildcards can become."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from modules.prompts.dynamic.expansion import MOST_DEPTH, MOST_NODES
from modules.prompts.dynamic.nodes import Assignment, Node, Nodes, Recall, Variants, Wildcard
from modules.prompts.dynamic.template import read_template
from modules.prompts.dynamic.values import Lookup

# A prompt so far, and the variables that it has set.
_Variables = dict[str, "str | Nodes"]
_Branch = tuple[str, _Variables]


# Letters that are put behind others, all in all: each part of a long prompt is put behind all before it.
MOST_LETTERS = 100_000_000


class TooManyCombinations(Exception):  # noqa: N818
    """There are more than may be made, or they are too long, or one leads back to itself."""


def combinations(text: str, wildcards: Lookup, most: int, longest: int) -> tuple[str, ...]:
    """Return all that a prompt can become, each once, in the order of its parts: the last one changes first.

    What is to be chosen by chance or in turn whatever the mode (`{~a|b}`, `__@name__`) is left as it is written.

    Raises:
        TooManyCombinations: there are more than `most`, one has more than `longest` characters, or all have too many.
    """
    made = _Combinations(wildcards, most, longest).of(read_template(text), [("", {})], 0)
    return tuple(dict.fromkeys(words for words, _ in made))


class _Combinations:
    def __init__(self, wildcards: Lookup, most: int, longest: int) -> None:
        self._wildcards = wildcards
        self._most = most
        self._longest = longest
        self._work = MOST_NODES * 10
        self._letters = MOST_LETTERS

    def of(self, nodes: Nodes, branches: list[_Branch], depth: int) -> list[_Branch]:
        """Return what each of the branches becomes with these nodes behind it."""
        if depth > MOST_DEPTH:
            raise TooManyCombinations
        for node in nodes:
            if isinstance(node, str):
                branches = [(words + node, variables) for words, variables in branches]
                self._spend(branches)
                continue
            further: list[_Branch] = []
            for branch in branches:
                further.extend(self._after(node, branch, depth + 1))
                if len(further) > self._most:
                    raise TooManyCombinations
            branches = further
        return branches

    def _spend(self, branches: Sequence[_Branch]) -> None:
        lengths = [len(words) for words, _ in branches]
        self._work -= len(lengths)
        self._letters -= sum(lengths)
        if min(self._work, self._letters) < 0 or max(lengths, default=0) > self._longest:
            raise TooManyCombinations

    def _after(self, node: Node, branch: _Branch, depth: int) -> list[_Branch]:
        self._spend([branch])
        words, variables = branch
        if isinstance(node, Variants) and node.sampler is None:
            return self._variants(node, branch, depth)
        if isinstance(node, Wildcard) and node.sampler is None:
            return self._wildcard(node, branch, depth)
        if isinstance(node, Assignment):
            return self._assigned(node, branch, depth)
        if isinstance(node, Recall):
            value = variables.get(node.name, node.default)
            if value is not None:
                return self.of((value,) if isinstance(value, str) else value, [branch], depth)
        assert not isinstance(node, str)
        return [(words + node.written, variables)]

    def _variants(self, node: Variants, branch: _Branch, depth: int) -> list[_Branch]:
        inner = node.options[0].nodes
        options: Sequence[Nodes] = [option.nodes for option in node.options if option.weight > 0]
        if len(node.options) == 1 and len(inner) == 1 and isinstance(inner[0], Wildcard):
            values = self._wildcards.values(inner[0].name)
            if values and len(values) > self._most:
                raise TooManyCombinations
            if values:
                options = [read_template(text) for text in values.texts]
        high = min(node.high, len(options))
        made: list[_Branch] = []
        for count in range(min(node.low, high), high + 1):
            for chosen in itertools.permutations(options, count):
                made.extend(self.of(_between(chosen, node.separator), [branch], depth))
                if len(made) > self._most:
                    raise TooManyCombinations
        return made

    def _wildcard(self, node: Wildcard, branch: _Branch, depth: int) -> list[_Branch]:
        words, variables = branch
        values = self._wildcards.values(node.name)
        if not values:
            return [(words + node.written, variables)]
        if len(values) > self._most:
            raise TooManyCombinations
        inner = variables | {name: read_template(text) for name, text in node.parameters}
        made: list[_Branch] = []
        for text in values.texts:
            made.extend(self.of(read_template(text), [(words, inner)], depth))
            if len(made) > self._most:
                raise TooManyCombinations
        return [(one, variables) for one, _ in made] if node.parameters else made

    def _assigned(self, node: Assignment, branch: _Branch, depth: int) -> list[_Branch]:
        words, variables = branch
        if node.keep and node.name in variables:
            return [branch]
        if not node.at_once:
            return [(words, variables | {node.name: node.nodes})]
        values = self.of(node.nodes, [("", variables)], depth)
        return [(words, variables | {node.name: value}) for value, _ in values]


def _between(options: Sequence[Nodes], separator: str) -> Nodes:
    """Return options in a row, with the separator between them."""
    joined: list[Node] = []
    for number, nodes in enumerate(options):
        joined.extend((separator, *nodes) if number else nodes)
    return tuple(joined)
