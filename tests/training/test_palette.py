"""Colours are named, turned and held out as captions and evaluation agree on."""

from __future__ import annotations

import numpy as np
import pytest
from palette import COLOURS, HUES, colour_of_hue, dominant_hue, is_held_out_colour, is_held_out_pair, turn_hue
from settings import FAVOURITES, is_held_out, plain, without_tone


def disc(colour: tuple[int, int, int]) -> np.ndarray:
    """A coloured disc on nothing, (64, 64, 4) uint8."""
    y, x = np.mgrid[:64, :64] - 31.5
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[x * x + y * y < 600] = (*colour, 255)
    return rgba


@pytest.mark.parametrize("name", HUES)
def test_a_colour_is_seen_as_what_it_is_called(name: str) -> None:
    hue = dominant_hue(disc(COLOURS[name]))
    assert hue is not None
    assert colour_of_hue(hue) == name


@pytest.mark.parametrize("name", HUES)
def test_a_turned_picture_has_the_colour_that_its_caption_says(name: str) -> None:
    red = disc(COLOURS["red"])
    before = dominant_hue(red)
    assert before is not None
    turned = turn_hue(red, HUES[name] - before)
    after = dominant_hue(turned)
    assert after is not None
    assert colour_of_hue(after) == name
    assert (turned[..., 3] == red[..., 3]).all()


def test_no_hue_rules_a_grey_picture_or_one_of_many_colours() -> None:
    assert dominant_hue(disc((120, 120, 120))) is None
    many = disc((0, 0, 0))
    for row, name in enumerate(HUES):
        many[row * 9 : row * 9 + 9, :, :3] = COLOURS[name]
    assert dominant_hue(many) is None


def test_one_in_eight_is_held_out_and_the_order_of_a_pair_does_not_matter() -> None:
    names = sorted(FAVOURITES)
    pairs = [(first, second) for first in names[:80] for second in names[80:160]]
    assert all(is_held_out_pair(first, second) == is_held_out_pair(second, first) for first, second in pairs)
    assert 0.1 < np.mean([is_held_out_pair(*pair) for pair in pairs]) < 0.15
    assert 0.08 < np.mean([is_held_out_colour(name, colour) for name in names for colour in HUES]) < 0.17


def test_all_forms_of_a_thing_are_one_to_the_autoencoder() -> None:
    assert plain("1F44D-1F3FB-FE0F") == "1f44d-1f3fb"
    assert plain("0023_20e3") == "23-20e3"
    assert without_tone("1f44d-1f3fb") == "1f44d"
    assert is_held_out("1f44d-1f3ff") == is_held_out("1f44d")
