"""What the evaluation reads from a picture, and what it says of an aim."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import pytest
from captioning import EMPTY_WORDS
from evaluate import write_report
from measures import (
    STRANGE_WORDS,
    Line,
    Result,
    corner_colour,
    half,
    moved,
    nearest_set,
    on_white,
    seen_hue,
    share,
)
from palette import COLOURS, colour_of_hue
from PIL import Image, ImageDraw


@pytest.mark.parametrize("name", COLOURS)
def test_the_corners_tell_the_background(name: str) -> None:
    picture = Image.new("RGB", (256, 256), COLOURS[name])
    ImageDraw.Draw(picture).ellipse((20, 20, 236, 236), fill="magenta")
    assert corner_colour(picture) == name


def test_the_hue_is_that_of_what_is_not_white() -> None:
    picture = Image.new("RGB", (256, 256), "white")
    assert seen_hue(picture) is None
    ImageDraw.Draw(picture).ellipse((90, 90, 160, 160), fill=COLOURS["green"])
    hue = seen_hue(picture)
    assert hue is not None
    assert colour_of_hue(hue) == "green"


def test_each_half_is_a_square_of_its_side() -> None:
    picture = Image.new("RGB", (256, 256), "red")
    picture.paste("blue", (128, 0, 256, 256))
    for side, colour in ((0, (255, 0, 0)), (1, (0, 0, 255))):
        part = half(picture, side)
        assert part.size == (128, 128)
        assert part.getcolors() == [(128 * 128, colour)]


def test_the_report_says_which_aims_are_reached(tmp_path: Path) -> None:
    results = [
        Result("Names", [share("Name", [True, True, True, False], 70), share("Five", [True, False], 90)]),
        Result("Seeds", [Line("Distance", "0.3"), share("Judge", [True, True])]),
    ]
    options = argparse.Namespace(steps=20, guidance=3.0, quick=False, judge_steps=10)
    write_report(results, tmp_path / "EVALUATION.md", options)
    text = (tmp_path / "EVALUATION.md").read_text()
    assert "| Name | 75.0 % of 4 | ≥ 70 % | yes |" in text
    assert "| Five | 50.0 % of 2 | ≥ 90 % | no |" in text
    assert "| Distance | 0.3 |  |  |" in text
    assert "| Judge | 100.0 % of 2 |  |  |" in text


def test_a_style_is_that_of_the_set_whose_picture_is_nearest() -> None:
    def thing(colour: str, shape: str) -> Image.Image:
        picture = Image.new("RGBA", (256, 256))
        getattr(ImageDraw.Draw(picture), shape)((40, 40, 216, 216), fill=COLOURS[colour])
        return picture

    made = {"3d": ("red", "ellipse"), "flat": ("pink", "ellipse"), "noto": ("red", "rectangle")}
    originals = {style: thing(*how) for style, how in made.items()}
    sets = {style: on_white(picture) for style, picture in originals.items()}
    for style, picture in originals.items():
        assert nearest_set(moved(picture, random.Random(2)), sets) == style
    assert nearest_set(Image.new("RGB", (256, 256), "white"), sets) in sets


def test_a_moved_original_stays_whole_on_white() -> None:
    picture = Image.new("RGBA", (256, 256))
    ImageDraw.Draw(picture).rectangle((64, 64, 191, 191), fill=(0, 0, 255, 255))
    for seed in range(5):
        values = np.asarray(moved(picture, random.Random(seed)), int)
        drawn = (values[..., 0] < 128).sum()
        assert (0.9 * 128) ** 2 * 0.97 <= drawn <= 128**2 * 1.03
        assert values[0, 0].tolist() == [255, 255, 255]


def test_no_word_that_is_strange_to_the_model_is_taught() -> None:
    assert not {word.lower() for word in STRANGE_WORDS} & set(EMPTY_WORDS)
