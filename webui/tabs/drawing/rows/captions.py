"""Words for a picture, by a model that describes what it sees: a row that is there where such a model is."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules.jobs.models.catalogue import CheckpointCatalogue
from webui.components import html
from webui.tabs.drawing.form import Form

FIRST = ("The first one there", "clip")  # as A1111's clients name it
# The script asks and shows what came of it (`assets/fields/describe.js`).
_DESCRIBE = (
    '<button type="button" class="sd-small" data-describe>Describe</button>'
    '<div id="{prefix}_described" class="sd-described" role="status" hidden></div>'
)


def caption(form: Form) -> None:
    """Make the choice of who describes a picture in words, and the button."""
    with gr.Row(elem_classes=["sd-describe"]):
        form.add("captioner", gr.Dropdown(
            [FIRST], value=FIRST[1], label="Describe by", elem_id=form.id("captioner"), min_width=0, visible=False,
            filterable=False,
        ))  # fmt: skip
        html(_DESCRIBE.format(prefix=form.prefix), classes=["sd-describe-cell"])


def captioners(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of those that can, as it is now."""
    names = [one.name for one in catalogue.captioners.list() if one.problem is None]
    return {"choices": [FIRST, *names], "visible": bool(names)}
