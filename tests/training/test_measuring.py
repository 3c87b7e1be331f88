"""What the evaluation reads from a picture, and what it says of an aim."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from evaluate import write_report
from measures import Line, Result, corner_colour, half, seen_hue, share
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
        Result("Seeds", [Line("Distance", "0.3")]),
    ]
    options = argparse.Namespace(steps=20, guidance=3.0, quick=False, judge_steps=10)
    write_report(results, tmp_path / "EVALUATION.md", options)
    text = (tmp_path / "EVALUATION.md").read_text()
    assert "| Name | 75.0 % of 4 | ≥ 70 % | yes |" in text
    assert "| Five | 50.0 % of 2 | ≥ 90 % | no |" in text
    assert "| Distance | 0.3 |  |  |" in text
