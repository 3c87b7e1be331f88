"""Find a model by any of the names that clients and pictures give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """`names` are exact ones: the name, the title, the hashes. Of the name alone more forms are understood."""

    @property
    def name(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...


T = TypeVar("T", bound=Named)
_HASH_BEHIND = re.compile(r"\s*\[([0-9a-fA-F]{4,64})\]$")


class Names(Generic[T]):
    """An index of models. What several could be meant by is the first one, by name."""

    def __init__(self, all: tuple[T, ...]) -> None:
        self.all = all
        self._exact: dict[str, T] = {}
        self._loose: dict[str, T] = {}
        self._short: dict[str, T] = {}
        for one in all:
            self._exact.setdefault(one.name, one)
        for one in all:
            for name in one.names:
                self._exact.setdefault(name, one)
            self._loose.setdefault(one.name.casefold(), one)
        for one in all:
            bare = without_suffix(one.name).casefold()
            self._loose.setdefault(bare, one)
            self._short.setdefault(bare.rpartition("/")[2], one)
            self._short.setdefault(bare.replace("/", "_"), one)

    def find(self, name: str) -> T | None:
        """Return the model with this name, title, path or hash; letters large or small, with or without suffix.

        A title may be that of before its hash was known, or have the hash of other weights: then the name counts. The
        hash in it counts where nothing has the name.
        """
        wanted = name.strip()
        exact = self._exact.get(wanted) or self._exact.get(wanted.lower())
        if exact is not None:
            return exact
        behind = _HASH_BEHIND.search(wanted)
        whole = wanted.replace("\\", "/").casefold()
        bare = whole[: behind.start()] if behind else whole
        found = self._loose.get(whole) or self._loose.get(bare)
        found = found or self._short.get(bare) or self._short.get(without_suffix(bare))
        if found is None and behind is not None:
            found = self._exact.get(behind[1].lower())
        return found


def without_suffix(name: str) -> str:
    """Return the name of a file without what tells its form: "dream" for "dream.safetensors"."""
    for suffix in MODEL_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pth", ".pt", ".bin", ".pkl")
