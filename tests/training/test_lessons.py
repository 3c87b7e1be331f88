"""What the denoiser is shown: two things joined from halves, in the places that their captions say."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import lessons
import pytest
import torch
from lessons import EverydayNames, Lessons, Pairs
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


def test_names_that_common_words_are_read_as_come_often_in_all_sets_and_favourites_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = {"hot beverage": True, "brain": False, "tooth": False, "abacus": False}
    entries = [
        {"label": label, "style": style, "favourite": favourite}
        for label, favourite in labels.items()
        for style in STYLES
    ]
    monkeypatch.setattr(lessons, "MOST_NAMES", 2)
    weights = {"hot beverage": 4.0, "brain": 4.0, "tooth": 1.0, "abacus": 0.5, "not drawn": 9.0}
    names, chance = EverydayNames(weights, entries, set(range(len(entries)))), random.Random(3)
    drawn = [entries[names.draw(chance)["entry"]] for _ in range(4000)]
    counts = Counter(entry["label"] for entry in drawn)
    assert set(counts) == {"hot beverage", "brain", "tooth"}, "the least common one is left out"
    assert counts["brain"] > counts["tooth"] > counts["hot beverage"] > 0
    assert counts["brain"] < 4 * counts["tooth"], "the weights are flattened"
    assert {entry["style"] for entry in drawn} == set(STYLES)
