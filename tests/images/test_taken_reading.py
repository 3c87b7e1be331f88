"""Emphasis and old timelines come back out of infotext and files, into a request and into the page's fields."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from modules.images.infotext import parse, write
from modules.images.picture_info import read_parameters
from modules.images.png import encode_png
from modules.images.takeover import take_over
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.options import Settings
from tests.jobs.kinds.test_txt2img import resolved

INFOTEXT = "[(a):b:1.5]\nSteps: 20, Sampler: Euler, Seed: 1"


@pytest.mark.parametrize(
    ("pairs", "overrides"),
    [
        ("", {}),
        ("Emphasis: No norm", {"emphasis": "No norm"}),
        ("Emphasis: None", {"emphasis": "None"}),
        ("Emphasis: Louder", {}),
        ("Old prompt editing timelines: True", {"use_old_scheduling": True}),
        ("Old prompt editing timelines: False", {}),
        ("Version: v1.5.2", {"use_old_scheduling": True}),
        ("Version: v1.10.1", {}),
        ("Version: f2.0.1v1.10.1-previous-1-gabc", {}),
        ("Version: steady-0.1.0", {}),
    ],
)
def test_an_infotext_says_how_words_are_read(pairs: str, overrides: dict[str, Any]) -> None:
    assert parse(f"{INFOTEXT}, {pairs}".rstrip(", ")).get("override_settings", {}) == overrides


def test_old_versions_had_old_timelines_where_something_changes() -> None:
    assert "override_settings" not in parse("(a)\nSteps: 20, Sampler: Euler, Seed: 1, Version: v1.5.2")
    assert parse("a\nNegative prompt: [b:3]\nSteps: 20, Sampler: Euler, Seed: 1, Version: v1.5.2")["override_settings"]


def test_a_picture_is_drawn_again_as_it_was() -> None:
    settings = Settings(emphasis="Ignore", use_old_scheduling=True, comma_padding_backtrack=7)
    made = resolved({"prompt": "[(a):b:1.5]"}, settings=settings)
    data = encode_png(Image.new("RGB", (8, 8)), write(made, 0), TXT2IMG.picture(made, 0))
    request = validate_drawing("txt2img", read_parameters(data).parameters)
    assert request.settings_over(Settings(sd_model_checkpoint="emoji")) == Settings(
        emphasis="Ignore", use_old_scheduling=True, comma_padding_backtrack=7, sd_model_checkpoint="emoji"
    )


def test_the_page_shows_them_in_its_fields() -> None:
    taken = take_over(f"{INFOTEXT}, Emphasis: No norm, Old prompt editing timelines: True", [])
    assert (taken.values["emphasis"], taken.values["use_old_scheduling"]) == ("No norm", "True")
    assert [label for label in taken.taken if label in ("Emphasis", "Prompt editing")] == ["Emphasis", "Prompt editing"]
    assert [left.label for left in taken.left] == []
    sent = {"override_settings": {"use_old_scheduling": "True", "emphasis": ""}}
    assert validate_drawing("txt2img", sent).override_settings == {"use_old_scheduling": True}
