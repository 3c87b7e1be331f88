"""Word one picture in many ways, so that the denoiser knows short names, synonyms and lists of words alike."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

TEMPLATES = (
    "{}", "{}", "{}", "a {}", "a {}", "the {}", "{} emoji", "a {} emoji", "an emoji of a {}", "a picture of a {}",
    "3d {}", "one {}",
)  # fmt: skip


class Captioner:
    """Draws captions for the entries of stage 02.

    A tag stands alone more often the fewer pictures carry it: "car" should mean the automobile, "face" says little.
    """

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries
        self._random = random.Random(0)
        counts = Counter(tag for entry in entries for tag in set(entry["tags"]))
        self._rarity = {tag: 1.0 / count for tag, count in counts.items()}

    def restart(self, seed: int) -> None:
        """Make the draws that follow depend on `seed` alone."""
        self._random.seed(seed)

    def draw(self, index: int) -> str:
        """Word picture `index` once."""
        label, tags = self._entries[index]["label"], self._entries[index]["tags"]
        choice = self._random.random()
        if not tags or choice < 0.55:
            return self._fill(label)
        if choice < 0.8:
            return self._fill(self._distinctive(tags))
        some = self._random.sample(tags, min(len(tags), self._random.randint(1, 3)))
        if choice < 0.93:
            return ", ".join([self._fill(label), *some])
        words = [label, *some]
        self._random.shuffle(words)
        return self._random.choice((" ", ", ")).join(words)

    def _fill(self, words: str) -> str:
        return self._random.choice(TEMPLATES).format(words)

    def _distinctive(self, tags: list[str]) -> str:
        return self._random.choices(tags, weights=[self._rarity[tag] for tag in tags])[0]
