"""Captions say what a picture shows, in many words, and the same ones for one seed."""

from __future__ import annotations

import re
from typing import Any

import captioning
import pytest
from captioning import Captioner, plural, without_colour

STYLES = ("3d", "flat", "noto", "twemoji")
APPLE, FOX, GLASSES = 0, 1, 2


def entry(label: str, style: str, group: int, *tags: str) -> dict[str, Any]:
    return {"label": label, "style": style, "tags": list(tags), "group": group, "weight": 1.0, "favourite": True}


@pytest.fixture
def captioner() -> Captioner:
    made = Captioner(
        [entry("red apple", "3d", 4, "fruit"), entry("fox", "flat", 3, "animal"), entry("glasses", "noto", 7)]
    )
    made.restart(1)
    return made


def drawn(captioner: Captioner, **record: Any) -> list[str]:
    return [captioner.draw(record) for _ in range(300)]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("cat", "cats"), ("fox", "foxes"), ("cherry", "cherries"), ("donkey", "donkeys"), ("brush", "brushes"),
        ("watch", "watches"), ("mouse", "mice"), ("maple leaf", "maple leaves"), ("glass", "glasses"),
        ("grapes", None), ("polar bear", "polar bears"), ("fish", "fish"),
    ],
)  # fmt: skip
def test_more_than_one_of_a_thing(name: str, more: str | None) -> None:
    assert plural(name) == more


def test_a_new_colour_takes_the_place_of_the_old_one(captioner: Captioner) -> None:
    texts = drawn(captioner, kind="colour", entry=APPLE, colour="blue")
    assert all("blue apple" in text and not re.search(r"\bred\b", text) for text in texts)
    assert (without_colour("red apple"), without_colour("orange")) == ("apple", "orange")


def test_what_is_behind_a_thing_is_named_with_its_article(captioner: Captioner) -> None:
    texts = drawn(captioner, kind="background", entry=FOX, background="orange")
    assert all("fox" in text and "orange background" in text for text in texts)
    assert any("an orange background" in text for text in texts)
    assert not any("a orange" in text for text in texts)


def test_two_things_stand_where_the_words_put_them(captioner: Captioner) -> None:
    for place, turned in (("beside", ("right of",)), ("above", ("below", "under"))):
        texts = drawn(captioner, kind="pair", entry=FOX, right=GLASSES, place=place)
        assert all("fox" in text and "glasses" in text for text in texts)
        backwards = [text for text in texts if any(word in text for word in turned)]
        assert backwards
        for text in texts:
            assert (text.index("glasses") < text.index("fox")) == (text in backwards), text


def test_a_count_is_said_with_the_plural(captioner: Captioner) -> None:
    texts = drawn(captioner, kind="count", entry=FOX, count=3)
    assert all("foxes" in text and ("three" in text or "3" in text) for text in texts)


def test_style_stands_in_most_captions_and_is_the_pictures_own(captioner: Captioner) -> None:
    texts = drawn(captioner, kind="plain", entry=FOX)
    styled = [text for text in texts if "flat" in text]
    assert 0.7 < len(styled) / len(texts) < 0.9
    assert not any(other in text for text in texts for other in ("3d", "noto", "twemoji"))
    assert not any(text.startswith("a a ") or " a a " in text for text in texts)


def test_a_word_that_says_nothing_stands_beside_some_names_and_takes_none_away(
    captioner: Captioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner.restart(3)
    monkeypatch.setattr(captioning, "STRAY", 0.0)
    known = set(re.findall(r"\w+", " ".join(drawn(captioner, kind="plain", entry=FOX))))
    monkeypatch.undo()
    texts = drawn(captioner, kind="plain", entry=FOX)
    strange = [text for text in texts if set(re.findall(r"\w+", text)) - known]
    assert 0.1 < len(strange) / len(texts) < 0.3
    monkeypatch.setattr(captioning, "STRAY", 1.0)
    texts = drawn(captioner, kind="pair", entry=FOX, right=GLASSES, place="beside")
    assert all("fox" in text and "glasses" in text for text in texts)
    assert not any(re.search(r"\ban? (a|the|one) |\ba [aeio]", text) for text in texts)


def test_the_name_that_a_word_is_read_as_stands_alone_and_in_phrases_of_its_group(captioner: Captioner) -> None:
    texts = drawn(captioner, kind="word", entry=FOX)
    assert all("fox" in text for text in texts)
    assert "fox" in texts
    assert any("my fox" in text or "cute fox" in text for text in texts)  # said of animals
    assert any("draw a fox" in text for text in texts)  # said of anything
    assert 0.45 < sum("flat" in text for text in texts) / len(texts) < 0.75
    assert not any(re.search(r"\ba (a|an|the) ", text) for text in texts)


def test_a_seed_draws_the_same_words_again(captioner: Captioner) -> None:
    captioner.restart(7)
    first = drawn(captioner, kind="plain", entry=APPLE)
    captioner.restart(7)
    assert drawn(captioner, kind="plain", entry=APPLE) == first
    assert len(set(first)) > 30
