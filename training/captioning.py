"""Word one picture in many ways, so that the denoiser knows short names, synonyms and lists of words alike.

A record says what a picture shows: `{"kind": "plain", "entry": 7}`, and for other kinds also `colour` (the thing's new
colour), `background` (words for what is behind it) or `right` (the entry of a second thing beside it).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

from palette import COLOURS

Record = dict[str, Any]

SUBJECTS = ("{}", "{}", "{}", "{}", "a {}", "a {}", "the {}", "{} emoji", "a {} emoji", "a picture of a {}", "one {}")
STYLED = ("{style} {}", "a {style} {}", "{}, {style}", "{}, {style} style", "{style} style {}", "{} in {style} style")
BEHIND = ("{} on {article} {background} background", "{}, {background} background", "{} with a {background} background")
BESIDE = ("{} and {}", "{} and {}", "a {} and a {}", "a {} next to a {}", "{}, {}", "a {} beside a {}")
GROUPS = {
    0: "smileys", 3: "animal", 4: "food", 5: "travel", 6: "activity", 7: "object", 8: "symbol", 9: "flag",
}  # fmt: skip
WITHOUT_STYLE = 0.5


def without_colour(label: str) -> str:
    """Take the colour out of a name: "red apple" becomes "apple"."""
    return re.sub(rf"\b({'|'.join(COLOURS)}|light|dark)\b ?", "", label).strip() or label


class Captioner:
    """Draws captions for records.

    A tag stands alone more often the fewer names carry it: "car" should mean the automobile, "face" says little.
    """

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries
        self._random = random.Random(0)
        tags_of = {entry["label"]: set(entry["tags"]) for entry in entries if entry["weight"] > 0.005}
        counts = Counter(tag for tags in tags_of.values() for tag in tags)
        self._rarity = {tag: count**-1.5 for tag, count in counts.items()}
        self._names = set(tags_of)

    def restart(self, seed: int) -> None:
        """Make the draws that follow depend on `seed` alone."""
        self._random.seed(seed)

    def vocabulary_texts(self) -> list[str]:
        """Return texts that hold all words, each about as often as it should count for the tokenizer."""
        texts = [f"a {e['label']} emoji" for e in self._entries] + [", ".join(e["tags"]) for e in self._entries]
        for colour in COLOURS:
            texts += [template.format("cat", article="a", background=colour) for template in BEHIND] * 20
        texts += [template.format("cat", style=e["style"]) for e in self._entries[::40] for template in STYLED]
        return texts + [template.format("cat", "moon") for template in BESIDE] * 50 + ["gradient from to"] * 50

    def draw(self, record: Record) -> str:
        """Word a record once."""
        entry = self._entries[record["entry"]]
        if record["kind"] == "colour":
            text = self._subject(f"{record['colour']} {without_colour(entry['label'])}")
        elif record["kind"] == "pair":
            other = self._entries[record["right"]]
            text = self._random.choice(BESIDE).format(entry["label"], other["label"])
        elif record["kind"] == "background":
            article = "an" if record["background"].startswith("orange") else "a"
            name = self._subject(entry["label"])
            text = self._random.choice(BEHIND).format(name, article=article, background=record["background"])
        else:
            text = self._plain(entry)
        text = re.sub(r"\ba (?=[aeio])", "an ", text)
        if self._random.random() < WITHOUT_STYLE:
            return text
        has_article = text.split()[0] in ("a", "an", "the", "one")
        template = self._random.choice(STYLED[-4:-2] + STYLED[-1:] if has_article else STYLED)
        return template.format(text, style=entry["style"])

    def _plain(self, entry: dict[str, Any]) -> str:
        label, tags = entry["label"], [tag for tag in entry["tags"] if tag not in self._names]
        choice = self._random.random()
        if not tags or choice < 0.68:
            return self._subject(label)
        if choice < 0.82:
            weights = [self._rarity.get(tag, 0.01) for tag in tags]
            return self._subject(self._random.choices(tags, weights=weights)[0])
        some = self._random.sample(tags, min(len(tags), self._random.randint(1, 3)))
        if choice < 0.86 and entry["group"] in GROUPS:
            some = [GROUPS[entry["group"]]]
        if choice < 0.95:
            return ", ".join([self._subject(label), *some])
        words = [label, *some]
        self._random.shuffle(words)
        return self._random.choice((" ", ", ")).join(words)

    def _subject(self, words: str) -> str:
        return self._random.choice(SUBJECTS).format(words)
