"""The list of everyday words, and what the measures read from pictures that were drawn for them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from captioning import SAID, SAID_OF
from everyday import PHRASES_OF_MOODS, PHRASES_OF_THINGS, everyday, fits, phrases, read_list
from keywords import code_of
from measures import Examiner
from PIL import Image, ImageDraw, ImageFilter
from settings import MODEL, plain
from sharpness import detail, steepness


def test_the_list_has_two_hundred_words_each_with_emoji_that_the_model_has_names_for() -> None:
    words = read_list()
    assert len({word.text for word in words}) == len(words) == 200
    assert sum(word.is_mood for word in words) == 60
    known = set(map(code_of, json.loads((MODEL / "symbols.json").read_text(encoding="utf-8"))))
    for word in words:
        assert word.fitting, word.text
        assert word.fitting <= known, word.text


def examiner_that_draws(*found: str) -> Examiner:
    """Stand in for one whose pictures are nearest to these codes, one after another, whatever is asked for."""
    entries = [{"code": code} for code in found]
    asked: list[str] = []

    def draw(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        asked.extend(prompts)
        return [Image.new("RGB", (8, 8)) for _ in prompts]

    def nearest(pictures: list[Image.Image], count: int) -> list[list[int]]:
        return [[number % len(found)] for number in range(len(pictures))]

    return cast(Examiner, SimpleNamespace(entries=entries, draw=draw, nearest_entries=nearest, asked=asked))


def test_a_word_is_drawn_if_the_nearest_picture_fits_in_any_tone(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# nouns\ncoffee: ☕ 🧋\n\n# moods\nhello: 👋\n", encoding="utf-8")
    words = read_list(path)
    assert [(word.text, word.is_mood) for word in words] == [("coffee", False), ("hello", True)]
    examiner = examiner_that_draws("2615", "1f44b-1f3fd", "2764")
    assert fits(examiner, [[0], [1]], words) == [True, True]
    assert fits(examiner, [[2], [2]], words) == [False, False]
    assert fits(examiner, [[2, 0], [0, 2]], words) == [True, False]


def test_the_measure_counts_things_and_moods_apart() -> None:
    coffee = examiner_that_draws(plain("2615"))
    line, _, things, moods = everyday(coffee, 200).lines
    right = sum("2615" in word.fitting for word in read_list())
    assert line.value == f"{right / 2:.1f} % of 200"
    assert line.reached is False
    assert things.value.endswith("of 140")
    assert moods.value == "0.0 % of 60"


def test_phrases_hold_the_word_and_are_none_that_was_taught() -> None:
    examiner = examiner_that_draws("2615")
    prompts = phrases(examiner, 100).captions
    texts = [word.text for word in read_list()]
    assert all(any(text in prompt for text in texts) for prompt in prompts)
    taught = {template for templates in (SAID, *SAID_OF.values()) for template in templates}
    assert not taught & {*PHRASES_OF_MOODS, *PHRASES_OF_THINGS}


@pytest.mark.parametrize("measure", [steepness, detail])
def test_a_softened_picture_has_less_of_edges_and_details(measure: Any) -> None:
    sharp = Image.new("RGB", (128, 128), "white")
    for place in range(16, 112, 12):
        ImageDraw.Draw(sharp).rectangle((place, 20, place + 5, 108), fill="navy")
    soft = sharp.filter(ImageFilter.GaussianBlur(1.5))
    assert 0 < measure(soft) < 0.8 * measure(sharp)
    assert measure(Image.new("RGB", (128, 128), "white")) == 0
