"""The Extras tab: pictures that are there made larger, and faces in them restored; one, several, or a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from modules.errors import InvalidRequest
from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.rows.captions import caption
from webui.tabs.drawing.rows.pictures import PictureField, pictures
from webui.tabs.drawing.rows.upscaling import BY, TO, faces, scale, upscalers

SINGLE, SEVERAL, FOLDER = "Single picture", "Several", "Folder"
# The fields that say which pictures are meant, by what is chosen above them.
SOURCES: Mapping[str, str] = {SINGLE: "image", SEVERAL: "images", FOLDER: "input_dir"}
_NOTHING: Mapping[str, str] = {
    "image": "Choose a picture first.", "images": "Choose pictures first.", "input_dir": "Name a folder first.",
}  # fmt: skip
_NOT_SENT = frozenset({"source", "captioner"})


def source(form: Form) -> None:
    """Make the choice of where the pictures come from, and a place for each."""
    form.add("source", gr.Radio(
        list(SOURCES), value=SINGLE, label="Pictures", show_label=False, elem_id=form.id("source"), min_width=0,
        elem_classes=["sd-segments"],
    ))  # fmt: skip
    pictures(form, (
        PictureField("image", "image", "The picture"),
        PictureField("images", "image_batch", "The pictures", many=True),
    ))  # fmt: skip
    with gr.Column(elem_classes=["sd-source-folder"]):
        form.add("input_dir", gr.Textbox(
            "", label="Folder", max_lines=1, elem_id=form.id("batch_input_dir"),
            placeholder="Path on the machine that this program runs on",
        ))  # fmt: skip


def request(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that the fields make: of the sources the chosen one alone.

    Raises:
        InvalidRequest: none is chosen.
    """
    chosen = SOURCES.get(str(values.get("source")), SOURCES[SINGLE])
    others = set(SOURCES.values()) - {chosen}
    asked = {name: value for name, value in values.items() if name not in others | _NOT_SENT}
    asked["resize_mode"] = int(values.get("resize_mode") == TO)
    if "images" in asked:
        asked["images"] = _listed(asked["images"])
    if not asked.get(chosen):
        raise InvalidRequest(_NOTHING[chosen], chosen)
    return asked


def shown(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show of a request."""
    source = FOLDER if asked.get("input_dir") else SEVERAL if asked.get("images") else SINGLE
    values = dict(asked) | {"source": source, "resize_mode": TO if asked.get("resize_mode") == 1 else BY}
    return values | {"images": json.dumps(list(asked.get("images") or ()))}


def _listed(text: object) -> object:
    """Return the list that a text holds; what is none is refused with the request, as it came."""
    try:
        return json.loads(text) if isinstance(text, str) and text else []
    except (ValueError, RecursionError):
        return text


TAB = Blueprint(
    kind="extras",
    label="Extras",
    prefix="extras",
    above=(source,),
    rows=(scale, upscalers, faces, caption),
    prompted=False,
    request=request,
    shown=shown,
    welcome="Choose a picture, or send one here from under any picture: what becomes of it is shown here.",
)
