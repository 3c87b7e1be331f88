"""The Extras tab: what its fields ask for, and what they show of a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modules.errors import InvalidRequest
from webui.tabs import extras
from webui.tabs.drawing.rows.upscaling import BY, TO

FIELDS: dict[str, Any] = {
    "source": extras.SINGLE, "image": "a.png", "images": json.dumps(["b.png", "c.png"]), "input_dir": "/pictures",
    "resize_mode": BY, "upscaling_resize": 2, "upscaler_1": "Lanczos", "captioner": "clip",
}  # fmt: skip
SHARED = {"resize_mode": 0, "upscaling_resize": 2, "upscaler_1": "Lanczos"}


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        (extras.SINGLE, {"image": "a.png"}),
        (extras.SEVERAL, {"images": ["b.png", "c.png"]}),
        (extras.FOLDER, {"input_dir": "/pictures"}),
        (["never"], {"image": "a.png"}),
    ],
)
def test_of_the_sources_the_chosen_one_is_sent(source: object, asked: dict[str, Any]) -> None:
    assert extras.request(FIELDS | {"source": source}) == SHARED | asked
    assert extras.request(FIELDS | {"resize_mode": TO})["resize_mode"] == 1


@pytest.mark.parametrize(("source", "field"), extras.SOURCES.items())
def test_nothing_is_sent_before_there_is_a_picture(source: str, field: str) -> None:
    with pytest.raises(InvalidRequest, match="first") as refused:
        extras.request(FIELDS | {"source": source, field: ""})
    assert refused.value.field == field


def test_what_is_no_list_of_pictures_is_left_to_the_kind_to_refuse() -> None:
    assert extras.request(FIELDS | {"source": extras.SEVERAL, "images": "[" * 9})["images"] == "[" * 9


@pytest.mark.parametrize("source", list(extras.SOURCES))
def test_an_edited_job_shows_where_its_pictures_came_from(source: str) -> None:
    fields = FIELDS | {"source": source, "resize_mode": TO}
    shown = extras.shown(extras.request(fields))
    field = extras.SOURCES[source]
    assert {name: shown[name] for name in ("source", "resize_mode", field)} == {
        name: fields[name] for name in ("source", "resize_mode", field)
    }
