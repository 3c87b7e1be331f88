"""Which pictures an everyday word stands for: those that the sources agree on, and none for a word that all have."""

from __future__ import annotations

from pathlib import Path

import keywords
import pytest
from keywords import Emoji, Keyword, build_keywords, code_of, commonness

LEVELS = {"coffee": 10, "hot": 10, "steam": 20, "flag": 10, "pirate": 35, "rain": 10, "face": 10}


def emoji(code: str, label: str, *sources: str, favourite: bool = False) -> Emoji:
    """Make one of which each source gives the words of one text."""
    return Emoji(code, label, tuple(frozenset(source.split()) for source in sources), favourite)


def taught(*known: Emoji) -> dict[str, Keyword]:
    return {keyword.word: keyword for keyword in build_keywords(list(known), LEVELS)}


def test_a_word_stands_for_the_picture_that_all_sources_give_it_for() -> None:
    words = taught(
        emoji("2615", "hot beverage", "coffee hot steam", "coffee cup", "coffee tea"),
        emoji("1f90e", "brown heart", "heart", "heart coffee", "heart"),
    )
    assert words["coffee"].pictures == {"2615": 1.0}
    assert words["steam"].weight < words["coffee"].weight  # one source of three


def test_a_word_that_many_pictures_share_is_taught_less_than_one_of_its_own() -> None:
    faces = [emoji(f"1f60{number}", f"odd face {number}", *["face"] * 3) for number in range(9)]
    words = taught(emoji("2615", "hot beverage", *["coffee"] * 3), *faces)
    assert words["face"].weight < 0.7 * words["coffee"].weight
    assert len(words["face"].pictures) <= 4
    assert sum(words["face"].pictures.values()) == pytest.approx(1, abs=0.01)


def test_a_picture_is_what_the_head_of_its_name_says() -> None:
    cloud = emoji("1f327", "cloud with rain", *["rain weather cloud"] * 3)
    assert cloud.head == "cloud"
    assert emoji("1f3f4", "pirate flag", "").head == "flag"
    buffalo = emoji("1f403", "flag buffalo", *["flag"] * 3)
    shares = taught(emoji("1f3f4", "pirate flag", *["flag"] * 3), buffalo)["flag"].pictures
    assert shares["1f3f4"] > shares.get("1f403", 0)


def test_a_common_word_is_taught_more_often_and_words_that_are_no_words_never() -> None:
    assert commonness("coffee", LEVELS) > commonness("steam", LEVELS) > commonness("pirate", LEVELS) > 0
    assert commonness("pirate", LEVELS) > commonness("arrr", LEVELS)
    words = taught(emoji("1f600", "grin", *["coffee :d ^_^ 100"] * 3))
    assert set(words) == {"coffee", "grin"}


def test_selectors_and_joiners_of_a_symbol_are_read_as_the_sets_write_them() -> None:
    assert code_of("☕\ufe0f") == code_of("☕") == "2615"
    assert code_of("🏴\u200d☠\ufe0f") == "1f3f4-200d-2620"


def test_the_names_and_the_keywords_of_gemoji_are_read_out_of_its_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "shortcodes" / "package" / "index.js"
    script.parent.mkdir(parents=True)
    script.write_text(
        """/** @property {string} emoji Example: `'😀'`. */
export const gemoji = [
  {
    emoji: '☕',
    names: ['coffee'],
    tags: [],
    description: 'hot beverage',
    category: 'Food & Drink'
  },
  {
    emoji: '🏖️',
    names: ['beach_umbrella'],
    tags: ['sea', 'summer'],
    description: 'beach with umbrella',
    category: 'Travel & Places'
  },
]
""",
        encoding="utf-8",
    )
    monkeypatch.setattr(keywords, "NPM", tmp_path)
    assert keywords.read_gemoji() == {"2615": ["coffee"], "1f3d6": ["beach umbrella", "sea", "summer"]}
