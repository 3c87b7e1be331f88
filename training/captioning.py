"""Word one picture in many ways, so that the denoiser knows short names, synonyms and lists of words alike.

A record says what a picture shows: `{"kind": "plain", "entry": 7}`, and for other kinds also `colour` (the thing's new
colour), `background` (words for what is behind it), `right` (the entry of a second thing, to the right of it, or below
it where `place` is "above") or `count` (how often the thing is there). A record of kind "word" shows what everyday
words are read as (`words.py`); its captions say the name as people say such a word.
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
BESIDE = (
    "{} and {}", "{} and {}", "a {} and a {}", "a {} next to a {}", "{}, {}", "a {} beside a {}",
    "a {} to the left of a {}", "{} left of {}",
)  # fmt: skip
ABOVE = ("a {} above a {}", "{} above {}", "a {} over a {}", "{} on top of {}")
# The same pictures, told from the second thing.
RIGHT_OF, BELOW = ("a {} to the right of a {}", "{} right of {}"), ("a {} below a {}", "{} below {}", "{} under {}")
TURNED = 0.2
NUMBERS = {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3"), 4: ("four", "four", "4")}
COUNTED = ("{} {}", "{} {}", "{} {} emoji", "a picture of {} {}")
IRREGULAR = {"sheep": "sheep", "fish": "fish", "mouse": "mice", "foot": "feet", "tooth": "teeth", "leaf": "leaves",
    "knife": "knives", "wolf": "wolves", "person": "people", "man": "men", "woman": "women"}  # fmt: skip
GROUPS = {
    0: "smileys", 3: "animal", 4: "food", 5: "travel", 6: "activity", 7: "object", 8: "symbol", 9: "flag",
}  # fmt: skip
# What people say around an everyday word, whatever it is, and what they say of one of a group.
SAID = (
    "{}", "{}", "{}", "{}", "{}", "a {}", "the {}", "{} emoji", "{}!", "I love {}", "a picture of {}", "draw a {}",
    "{} please",
)  # fmt: skip
SAID_OF = {
    0: ("I am {}", "I am so {}", "I feel {}", "feeling {}", "so {}", "very {}", "a {} face", "{} mood"),
    1: ("my {}", "a {} at work", "when I grow up I will be a {}", "say {}", "I am a {}"),
    3: ("my {}", "a cute {}", "a little {}", "I saw a {}", "look, a {}"),
    4: ("a cup of {}", "some {}", "I want {}", "{} for dinner", "a plate of {}", "time for {}", "fresh {}"),
    5: ("at the {}", "a trip to the {}", "going by {}", "a big {}", "what a {}", "in the {}"),
    6: ("let us play {}", "time for {}", "a {} with friends", "happy {}", "I like {}"),
    7: ("my {}", "a new {}", "an old {}", "I need a {}", "where is my {}", "some {}"),
    8: ("{} sign", "{} symbol", "it means {}"),
}
BY_WORD_WITHOUT_STYLE = 0.3
WITHOUT_STYLE = 0.2
# Words that change nothing: what people write in prompts for large models, and words that no language has. Beside them
# the thing is the same, so the model learns to see past what it does not know.
STRAY = 0.2
EMPTY_WORDS = (
    "beautiful", "detailed", "masterpiece", "best quality", "high quality", "cinematic", "elegant", "modern", "ancient",
    "digital art", "4k", "cosy", "epic", "fantasy", "realistic", "vintage", "minimalist", "dramatic", "surreal",
    "trending", "professional", "simple", "ornate", "retro", "mysterious", "wooden", "plastic", "stylish", "lovely",
)  # fmt: skip
ONSETS = (
    "", "b", "br", "c", "ch", "d", "dr", "f", "g", "gl", "h", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "th",
    "v", "w", "z",
)  # fmt: skip
RIMES = (
    "a", "al", "an", "ar", "e", "ed", "el", "en", "er", "i", "ic", "in", "ing", "o", "on", "or", "u", "un", "us", "y",
)  # fmt: skip


def clean(label: str) -> str:
    """Write a label as a person would type it: "flag: Samoa" becomes "flag of Samoa", quotes go."""
    label = re.sub(r"[“”\"]", "", label).replace("’", "'")
    label = re.sub(r"^flag: ", "flag of ", label)
    return re.sub(r"^keycap: ", "keycap ", label).replace(": ", ", ").lower()


def without_colour(label: str) -> str:
    """Take the colour out of a name: "red apple" becomes "apple"."""
    return re.sub(rf"\b({'|'.join(COLOURS)}|light|dark)\b ?", "", label).strip() or label


def plural(label: str) -> str | None:
    """Return a name for more than one of a thing; None where the name has one already ("grapes")."""
    first, _, last = label.rpartition(" ")
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif last.endswith(("ss", "x", "ch", "sh", "z")):
        last += "es"
    elif last.endswith("s"):
        return None
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "s"
    return f"{first} {last}".strip()


def words_around() -> list[str]:
    """Return what captions put around names, and what they name besides things."""
    templates = (*SUBJECTS, *STYLED, *BEHIND, *BESIDE, *ABOVE, *RIGHT_OF, *BELOW, *COUNTED)
    numbers = (number for some in NUMBERS.values() for number in some)
    plain_texts = (re.sub(r"\{\w*\}", "", text) for text in templates)
    return [*plain_texts, *numbers, *GROUPS.values(), *EMPTY_WORDS, "gradient from to"]


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
        places = BESIDE + ABOVE + RIGHT_OF + BELOW
        texts += [word.format("cat", "moon") for word in places] * 50 + ["gradient from to"] * 50
        texts += [f"{number} emoji" for numbers in NUMBERS.values() for number in numbers] * 50
        return texts + [more for entry in self._entries if entry["favourite"] and (more := plural(entry["label"]))] * 4

    def draw(self, record: Record) -> str:
        """Word a record once."""
        entry = self._entries[record["entry"]]
        if record["kind"] == "colour":
            text = self._subject(f"{record['colour']} {without_colour(entry['label'])}")
        elif record["kind"] == "pair":
            text = self._two(record)
        elif record["kind"] == "count":
            number = self._random.choice(NUMBERS[record["count"]])
            text = self._random.choice(COUNTED).format(number, plural(entry["label"]))
        elif record["kind"] == "background":
            article = "an" if record["background"].startswith("orange") else "a"
            name = self._subject(entry["label"])
            text = self._random.choice(BEHIND).format(name, article=article, background=record["background"])
        elif record["kind"] == "word":
            text = self._everyday(entry)
        else:
            text = self._plain(entry)
        if self._random.random() < STRAY:
            text = self._beside_a_stray_word(text)
        text = re.sub(r"\ba (?=[aeio])", "an ", text)
        if self._random.random() < (BY_WORD_WITHOUT_STYLE if record["kind"] == "word" else WITHOUT_STYLE):
            return text
        has_article = text.split()[0] in ("a", "an", "the", "one") or record["kind"] == "word"
        template = self._random.choice(STYLED[-4:-2] + STYLED[-1:] if has_article else STYLED)
        return template.format(text, style=entry["style"])

    def _beside_a_stray_word(self, text: str) -> str:
        if self._random.random() < 0.5:
            stray = self._random.choice(EMPTY_WORDS)
        else:
            syllables = self._random.choices(ONSETS, k=self._random.randint(2, 3))
            stray = "".join(onset + self._random.choice(RIMES) for onset in syllables)
        if self._random.random() < 0.3:
            return f"{text}, {stray}"
        article = re.match(r"(a|the|one) ", text)
        return f"{article[0]}{stray} {text[article.end() :]}" if article else f"{stray} {text}"

    def _two(self, record: Record) -> str:
        first, second = self._entries[record["entry"]]["label"], self._entries[record["right"]]["label"]
        above = record.get("place") == "above"
        if self._random.random() < TURNED:
            return self._random.choice(BELOW if above else RIGHT_OF).format(second, first)
        return self._random.choice(ABOVE if above else BESIDE).format(first, second)

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

    def _everyday(self, entry: dict[str, Any]) -> str:
        around = SAID if self._random.random() < 0.6 else SAID_OF.get(entry["group"], SAID)
        return self._random.choice(around).format(entry["label"])

    def _subject(self, words: str) -> str:
        return self._random.choice(SUBJECTS).format(words)
