"""Find names in a prompt by their tokens, as A1111 finds textual inversions: large letters are small, and no space or
bracket around them counts.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from modules.prompts.tokens import stamp_of_tokenizer, token_ids

_Named = tuple[tuple[int, ...], str]  # tokens, and the name that they are


class TokenNames:
    """Names by their tokens. Of several that begin at one place the longest counts; it is found in linear time."""

    def __init__(self, tokens_of: Mapping[str, Sequence[int]]) -> None:
        by_first: dict[int, list[_Named]] = {}
        for name, tokens in tokens_of.items():
            if tokens:
                by_first.setdefault(tokens[0], []).append((tuple(tokens), name))
        # Sorting keeps the order of those that are as long: the first of two names with the same tokens counts.
        self._by_first = {
            first: sorted(named, key=lambda one: len(one[0]), reverse=True) for first, named in by_first.items()
        }

    def at(self, tokens: Sequence[int], place: int) -> tuple[str, int] | None:
        """Return the name that begins at this place, and how many tokens it has; None: none does."""
        for wanted, name in self._by_first.get(tokens[place], ()):
            if tuple(tokens[place : place + len(wanted)]) == wanted:
                return name, len(wanted)
        return None

    def found_in(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Return the names that these tokens hold, each once, in order."""
        found: dict[str, None] = {}
        place = 0
        while place < len(tokens):
            named = self.at(tokens, place)
            if named is not None:
                found[named[0]] = None
            place += 1 if named is None else named[1]
        return tuple(found)


def names_by_tokens(tokenizer_file: Path, names: tuple[str, ...]) -> TokenNames:
    """Return names by their tokens; those of thousands are kept for the next prompt.

    Raises:
        ModelError: the tokenizer cannot be read.
    """
    return _made(tokenizer_file, stamp_of_tokenizer(tokenizer_file), names)


@functools.lru_cache(maxsize=8)
def _made(tokenizer_file: Path, _stamp: int, names: tuple[str, ...]) -> TokenNames:
    return TokenNames(dict(zip(names, token_ids(tokenizer_file, names), strict=True)))
