"""Say which name an everyday word stands for: `python training/words.py`.

Writes `words.json` into the committed model's folder; the export writes it too. Programs that know the file put the
name in the place of the word before they encode a prompt, as they do with emoji (`symbols.py`): "a cup of coffee" is
encoded as "a cup of hot beverage". Names stand there as themselves: beside one of these a word is left as it is.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

from captioning import plural, without_colour, words_around
from keywords import Keyword, build_keywords, read_commonness, read_emoji
from palette import COLOURS
from settings import MODEL, ROOT, STYLES, is_toned, read_captions

log = logging.getLogger("words")

FILE = "words.json"
LEAST_SOURCES = 2  # that give a single word for its picture; several words say enough by themselves
# Words that say how, where, whose or how much; alone they say nothing that could be drawn.
SAYING_NOTHING = frozenset((ROOT / "words_saying_nothing.txt").read_text(encoding="utf-8").split())
# How much better a picture is as the meaning of a word where the model knows its name well.
WELL_KNOWN = 1.2
TONES = tuple(f"{tone} skin tone" for tone in ("light", "medium-light", "medium", "medium-dark", "dark"))
TRIGGERS = ("pixel art", "sprig")  # what calls for the LoRA and for the embedding of the model's family


def best_name(keyword: Keyword, entries: dict[str, dict[str, Any]]) -> str:
    """Choose the name of the one picture that a word is to mean; `entries` are by plain code."""

    def worth(code: str) -> tuple[float, str]:
        known = WELL_KNOWN if entries[code]["favourite"] else 1.0
        return keyword.pictures[code] * known, code

    label: str = entries[max(keyword.pictures, key=worth)]["label"]
    return label


def names_of(entries: dict[str, dict[str, Any]]) -> set[str]:
    """Return all names, also of skin tones, and those that it knows well without a colour and in the plural."""
    names = {entry["label"] for entry in entries.values()} | set(TONES)
    known = {entry["label"] for entry in entries.values() if entry["favourite"]}
    known |= {more for name in known if (more := plural(name)) is not None}
    return names | known | set(map(without_colour, known))


def words_that_stay() -> set[str]:
    """Return what stands around names and means what it says."""
    around = {word for text in words_around() for word in re.findall(r"[a-z]+", text)}
    return around | {*COLOURS, *STYLES, *TRIGGERS} | SAYING_NOTHING


def list_words(keywords: list[Keyword], entries: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Map words to names, and names to themselves."""
    names, around = names_of(entries), words_that_stay()
    words = {
        one.word: best_name(one, entries)
        for one in keywords
        if one.word not in names | around
        and re.fullmatch(r"[a-z]+( [a-z]+)*", one.word)
        and (one.sources >= LEAST_SOURCES or " " in one.word)
    }
    return {**words, **{name: name for name in sorted(names - around) if re.fullmatch(r"[a-z][a-z', -]+", name)}}


def weigh_names(keywords: list[Keyword], words: dict[str, str]) -> dict[str, float]:
    """Say how often to teach each name: how much of what common words stand for it is."""
    weights: dict[str, float] = {}
    for keyword in keywords:
        name = words.get(keyword.word)
        if name is not None:
            weights[name] = weights.get(name, 0.0) + keyword.weight
    return weights


def write_words(folder: Path) -> None:
    """Write the file into a model's folder."""
    entries = {entry["code"]: entry for entry in read_captions() if not is_toned(entry["code"])}
    keywords = build_keywords([one for one in read_emoji() if one.code in entries], read_commonness())
    words = list_words(keywords, entries)
    (folder / FILE).write_text(json.dumps(words, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    log.info("%d words and names", len(words))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_words(MODEL)
