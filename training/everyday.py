"""Ask for everyday words, and read what fits each from `everyday_words.txt`: a measure of the evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keywords import code_of
from measures import Examiner, Result, share
from settings import ROOT, SEED, without_tone

LIST = ROOT / "everyday_words.txt"
MOODS_FROM = "# moods"
# No caption has the word in any of these.
PHRASES_OF_THINGS = ("have you seen the {}", "nothing like {}", "once more {}", "we met at the {}", "{} again")
PHRASES_OF_MOODS = ("today was {}", "when somebody says {}", "nothing but {}", "it makes me {}", "{} again")


@dataclass(frozen=True)
class Word:
    """An everyday word with the plain codes of all pictures that fit it."""

    text: str
    fitting: frozenset[str]
    is_mood: bool


def read_list(path: Path = LIST) -> list[Word]:
    """Read the words: one a line, a colon, the fitting emoji; after the heading of moods come these."""
    words, is_mood = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        is_mood |= line.startswith(MOODS_FROM)
        if line and not line.startswith("#"):
            text, _, symbols = line.partition(": ")
            words.append(Word(text, frozenset(code_of(symbol) for symbol in symbols.split()), is_mood))
    return words


def fits(examiner: Examiner, found: list[list[int]], words: list[Word]) -> list[bool]:
    """Tell for each word whether one of the entries found fits it; skin tones are no matter."""
    codes = [{without_tone(examiner.entries[index]["code"]) for index in row} for row in found]
    return [bool(seen & word.fitting) for seen, word in zip(codes, words, strict=True)]


def everyday(examiner: Examiner, count: int) -> Result:
    """Draw everyday words; the nearest picture must be one that fits."""
    words = read_list()
    words = [words[number * len(words) // count] for number in range(min(count, len(words)))]
    pictures = examiner.draw([word.text for word in words], [SEED] * len(words))
    near = examiner.nearest_entries(pictures, 5)
    first, five = fits(examiner, [row[:1] for row in near], words), fits(examiner, near, words)
    things = [hit for hit, word in zip(first, words, strict=True) if not word.is_mood]
    moods = [hit for hit, word in zip(first, words, strict=True) if word.is_mood]
    lines = [
        share("Everyday word: nearest picture fits", first, 70),
        share("Everyday word: one of the five nearest fits", five),
        share("Everyday word: nearest picture fits, of things", things),
        share("Everyday word: nearest picture fits, of moods and greetings", moods),
    ]
    captions = [f"{'' if hit else 'x '}{word.text}" for hit, word in zip(first, words, strict=True)]
    return Result("Everyday words", lines, pictures, captions)


def phrases(examiner: Examiner, count: int) -> Result:
    """Draw everyday words within phrases that no caption has; the nearest picture must be one that fits."""
    words = read_list()
    words = [words[number * len(words) // count] for number in range(min(count, len(words)))]
    prompts = []
    for number, word in enumerate(words):
        around = PHRASES_OF_MOODS if word.is_mood else PHRASES_OF_THINGS
        prompts.append(around[number % len(around)].format(word.text))
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    hits = fits(examiner, examiner.nearest_entries(pictures, 1), words)
    return Result(
        "Everyday phrases", [share("Everyday word in a phrase: nearest picture fits", hits)], pictures, prompts
    )
