"""What the denoiser is shown: two things joined from halves, in the places that their captions say."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import lessons
import pytest
import torch
from lessons import EverydayWords, Lessons, Pairs
from palette import is_held_out_pair

NAMES = ("cat", "dog", "moon", "star", "house", "pizza")
PLACES = ("left", "right", "top", "bottom")
STYLES = ("3d", "flat")


def make_pairs() -> tuple[Pairs, list[dict[str, Any]]]:
    """Make pairs of things whose latents are their entry's number, plus a hundred times the number of their place."""
    entries = [{"label": name, "style": style} for style in STYLES for name in NAMES]
    records: list[dict[str, Any]] = [
        {"kind": "half", "entry": entry, "place": place} for entry in range(len(entries)) for place in PLACES
    ]
    values = [record["entry"] + 100 * PLACES.index(record["place"]) for record in records]
    return Pairs(torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 16, 16, 16), records, entries), entries


def test_each_thing_lies_where_the_record_says() -> None:
    pairs, entries = make_pairs()
    chance, seen = random.Random(1), set()
    for _ in range(300):
        latents, record = pairs.draw(chance)
        assert latents.shape == (16, 16, 16)
        first, second = record["entry"], record["right"]
        assert entries[first]["style"] == entries[second]["style"]
        if record["place"] == "above":
            assert (latents[:, :8] == first + 200).all()
            assert (latents[:, 8:] == second + 300).all()
        else:
            assert (latents[:, :, :8] == first).all()
            assert (latents[:, :, 8:] == second + 100).all()
        seen.add(record["place"])
    assert seen == {"above", "beside"}


def test_a_pair_that_is_held_out_is_never_shown_and_all_others_are() -> None:
    pairs, entries = make_pairs()
    chance = random.Random(2)
    drawn = [pairs.draw(chance)[1] for _ in range(2000)]
    shown = {frozenset(entries[record[key]]["label"] for key in ("entry", "right")) for record in drawn}
    free = {frozenset((a, b)) for a in NAMES for b in NAMES if a < b and not is_held_out_pair(a, b)}
    assert shown == free
    assert len(free) < len(NAMES) * (len(NAMES) - 1) / 2, "choose names of which some pair is held out"


def test_a_pool_without_halves_is_told_of_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "POOL", tmp_path)
    with pytest.raises(SystemExit, match=r"05_pool\.py halves"):
        Lessons(0.3, 0.28, 0.2)


def test_a_word_shows_each_of_its_pictures_as_often_as_it_stands_for_it_in_all_sets() -> None:
    entries = [{"code": code, "style": style} for code in ("2615", "1f9cb", "1f44b") for style in STYLES]
    keywords = [
        {"word": "coffee", "weight": 3.0, "pictures": {"2615": 0.8, "1f9cb": 0.2}},
        {"word": "hello", "weight": 1.0, "pictures": {"1f44b": 1.0}},
        {"word": "goodbye", "weight": 9.0, "pictures": {"1f44b": 0.5, "1f6aa": 0.5}},  # no picture of the second
    ]
    words, chance = EverydayWords(keywords, entries, set(range(len(entries)))), random.Random(3)
    drawn = [words.draw(chance) for _ in range(4000)]
    assert {record["word"] for record in drawn} == {"coffee", "hello"}
    assert {entries[record["entry"]]["style"] for record in drawn} == set(STYLES)
    coffee = [entries[record["entry"]]["code"] for record in drawn if record["word"] == "coffee"]
    assert 0.7 < len(coffee) / len(drawn) < 0.8
    assert 0.75 < coffee.count("2615") / len(coffee) < 0.85
    assert all(entries[record["entry"]]["code"] == "1f44b" for record in drawn if record["word"] == "hello")
