"""Which name an everyday word stands for in the embedded model's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import words
from everyday import read_list
from keywords import Keyword
from settings import MODEL


def entry(label: str, weight: float = 1.0) -> dict[str, Any]:
    return {"label": label, "weight": weight, "favourite": weight >= 1}


ENTRIES = {
    "1": entry("hot beverage"),
    "2": entry("red apple"),
    "3": entry("beach with umbrella", 0.01),
    "4": entry("sun"),
}


def test_a_word_stands_for_the_name_that_the_model_knows_if_its_picture_fits_nearly_as_well() -> None:
    assert words.best_name(Keyword("beach", 1, {"3": 0.52, "4": 0.48}), ENTRIES) == "sun"
    assert words.best_name(Keyword("beach", 1, {"3": 0.6, "4": 0.4}), ENTRIES) == "beach with umbrella"


def test_names_stand_for_themselves_and_what_stands_around_them_for_nothing() -> None:
    given = [
        Keyword(word, 1, {"1": 1.0}) for word in ("coffee", "sun", "apple", "apples", "red", "the", "you", "style")
    ]
    listed = words.list_words([*given, Keyword("cafe au lait", 1, {"1": 1.0}, 1)], ENTRIES)
    assert listed["coffee"] == listed["cafe au lait"] == "hot beverage"
    names = {"sun", "suns", "apple", "apples", "red apple", "red apples", "hot beverage", "beach with umbrella"}
    assert {text for text, name in listed.items() if text == name} >= names
    assert not {"red", "the", "you", "style"} & listed.keys()


def test_a_name_is_taught_as_often_as_common_words_are_read_as_it() -> None:
    keywords = [Keyword("coffee", 2.0, {}), Keyword("tea", 1.0, {}), Keyword("sun", 0.5, {}), Keyword("java", 9.0, {})]
    listed = {"coffee": "hot beverage", "tea": "hot beverage", "sun": "sun", "red apple": "red apple"}
    assert words.weigh_names(keywords, listed) == {"hot beverage": 3.0, "sun": 0.5}


def test_what_one_source_alone_says_of_one_word_is_not_believed() -> None:
    assert "java" not in words.list_words([Keyword("java", 1, {"1": 1.0}, 1)], ENTRIES)
    assert words.list_words([Keyword("java", 1, {"1": 1.0}, 2)], ENTRIES)["java"] == "hot beverage"


def test_most_of_the_everyday_words_are_names_or_stand_for_a_name_of_the_model() -> None:
    listed = json.loads((MODEL / words.FILE).read_text(encoding="utf-8"))
    names = set(json.loads((MODEL / "symbols.json").read_text(encoding="utf-8")).values())
    assert {name for text, name in listed.items() if text != name} <= names
    known = [word.text for word in read_list() if word.text in listed]
    assert len(known) >= 180


def test_the_file_is_written_in_the_order_of_the_alphabet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "read_captions", lambda: [{"code": code, **one} for code, one in ENTRIES.items()])
    monkeypatch.setattr(words, "read_emoji", list)
    monkeypatch.setattr(words, "read_commonness", dict)
    words.write_words(tmp_path)
    assert list(json.loads((tmp_path / words.FILE).read_text(encoding="utf-8"))) == sorted(
        words.list_words([], ENTRIES)
    )
