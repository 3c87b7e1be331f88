"""Say which pictures an everyday word stands for, from the keywords that four sources give for each emoji.

"coffee" stands for a hot beverage, since all sources say so; "face" for so many pictures that it says nothing. A
word is taught the more often the more common it is in English, the fewer pictures share it and the more sources agree.
Nothing here is chosen by hand: `everyday_words.txt`, by which a model is judged, is not read.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from captioning import clean
from settings import FAVOURITES, NPM, is_toned, plain

COMPONENTS, COUNTRY_FLAG = 2, "1f1"
SHARPNESS = 3.5
MOST_PICTURES, LEAST_SHARE = 4, 0.25  # of the best picture's share
# The level of SCOWL, a list of English words by how common they are, and how often such a word is taught.
COMMON = {10: 1.0, 20: 0.7, 35: 0.35, 40: 0.1, 50: 0.1}
SEVERAL_WORDS, UNCOMMON = 0.25, 0.05
AGREED = (0.0, 0.25, 0.7, 1.0, 1.0)  # by how many sources give the word
KNOWN_PICTURE = 1.5
# An entry of gemoji, which is a script: what it is, how people call it by colons, and its few keywords.
GEMOJI = re.compile(r"emoji: '([^']+)',\s+names: \[(.*?)\],\s+tags: \[(.*?)\],", re.DOTALL)
PREPOSITIONS = re.compile(r" (?:with|of|in|on|showing|without|and|over|behind|under|for)\b|,")


@dataclass(frozen=True)
class Keyword:
    """A word, how often it is taught, and the share that each picture's plain code has in what it stands for.

    `sources` is how many give it for one of the pictures.
    """

    word: str
    weight: float
    pictures: dict[str, float]
    sources: int = 3


@dataclass(frozen=True)
class Emoji:
    """What the sources say of one emoji: its name, and a set of keywords from each."""

    code: str
    label: str
    sources: tuple[frozenset[str], ...]
    favourite: bool

    @property
    def head(self) -> str:
        """The word of the name that says what it is: "cloud" of "cloud with rain", "flag" of "pirate flag"."""
        return PREPOSITIONS.split(self.label)[0].split()[-1]

    def votes(self, word: str) -> int:
        """Return how many sources give the word; the name counts as one that all agree on."""
        return len(self.sources) if word == self.label else sum(word in source for source in self.sources)


def code_of(symbol: str) -> str:
    """Return the plain code of characters."""
    return plain("-".join(f"{ord(character):x}" for character in symbol))


def read_emoji() -> list[Emoji]:
    """Read all that have no skin tone and are no country's flag; a country's name is taught by its flag's name."""
    annotations = json.loads((NPM / "annotations/package/annotations/en/annotations.json").read_text(encoding="utf-8"))
    cldr = {code_of(s): v.get("default", []) for s, v in annotations["annotations"]["annotations"].items()}
    content = json.loads((NPM / "synonyms/package/dist/emoji-en-US.json").read_text(encoding="utf-8"))
    emojilib = {code_of(s): [word.replace("_", " ") for word in words] for s, words in content.items()}
    gemoji = read_gemoji()
    found = []
    for entry in json.loads((NPM / "words/package/en/data.json").read_text(encoding="utf-8")):
        code, label = plain(entry["hexcode"]), clean(entry["label"])
        if is_toned(code) or code.startswith(COUNTRY_FLAG) or entry.get("group", COMPONENTS) == COMPONENTS:
            continue
        lists = (cldr.get(code, []), emojilib.get(code, []), entry.get("tags") or [], gemoji.get(code, []))
        sources = tuple(frozenset(word.lower() for word in words) for words in lists)
        found.append(Emoji(code, label, sources, entry["label"] in FAVOURITES))
    return found


def read_gemoji() -> dict[str, list[str]]:
    """Map each plain code to the names and keywords of gemoji."""
    script = (NPM / "shortcodes" / "package" / "index.js").read_text(encoding="utf-8")
    return {
        code_of(symbol): [word.replace("_", " ") for word in re.findall(r"'([^']*)'", names + tags)]
        for symbol, names, tags in GEMOJI.findall(script)
    }


def read_commonness() -> dict[str, int]:
    """Map each English word to the lowest level of SCOWL that holds it."""
    levels: dict[str, int] = {}
    for level in COMMON:
        path = NPM / "commonness" / "package" / f"english-words-{level}.json"
        for word in json.loads(path.read_text(encoding="utf-8")):
            levels.setdefault(word, level)
    return levels


def fitness(emoji: Emoji, word: str) -> float:
    """Say how well a picture fits a word that its sources or its name hold.

    A source that gives few keywords says more with each; a man or a woman who does something fits less than the thing.
    """
    votes = sum(word in source for source in emoji.sources)
    score = votes + 0.3 * (votes > 1)
    if word == emoji.label:
        score += 5.0
    elif word == emoji.head:
        score += 2.0
    elif word in emoji.label.split():
        score += 1.5
    keywords = len(frozenset().union(*emoji.sources)) + 1
    score *= (keywords / 10) ** -0.25
    if re.match(r"(man|woman|men|women)\b", emoji.label) and word != emoji.label:
        score *= 0.5
    if emoji.label.startswith("japanese ") and word != emoji.label:
        score *= 0.5
    return score * (1.25 if emoji.favourite else 1.0)


def commonness(word: str, levels: Mapping[str, int]) -> float:
    """Say how common a word is, 1 for the most common ones."""
    if " " in word:
        return SEVERAL_WORDS
    return COMMON.get(levels.get(word, 0), UNCOMMON)


def build_keywords(emoji: list[Emoji], levels: Mapping[str, int]) -> list[Keyword]:
    """List all words that are worth teaching, in alphabetical order."""
    given = {word for one in emoji for source in one.sources for word in source}
    fits: dict[str, list[tuple[float, Emoji]]] = defaultdict(list)
    for one in emoji:
        parts = {part for part in one.label.split() if part in given}
        for word in frozenset().union(*one.sources) | parts | {one.label}:
            if re.fullmatch(r"[a-z][a-z '\-]+", word):
                fits[word].append((fitness(one, word) ** SHARPNESS, one))
    return [choose_pictures(word, pictures, commonness(word, levels)) for word, pictures in sorted(fits.items())]


def choose_pictures(word: str, pictures: list[tuple[float, Emoji]], common: float) -> Keyword:
    """Keep the pictures that fit best, and weigh the word by how much of all that fits they are."""
    best = sorted(pictures, key=lambda pair: (-pair[0], pair[1].code))[:MOST_PICTURES]
    best = [(score, one) for score, one in best if score >= LEAST_SHARE * best[0][0]]
    kept, whole = sum(score for score, _ in best), sum(score for score, _ in pictures)
    sources = max(one.votes(word) for _, one in best)
    known = KNOWN_PICTURE if any(one.favourite for _, one in best) else 1.0
    weight = common * known * AGREED[sources] * (kept / whole) ** 0.7
    shares = {one.code: round(score / kept, 4) for score, one in best}
    return Keyword(word, round(weight, 4), shares, sources)
