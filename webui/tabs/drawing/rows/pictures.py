"""Fields that hold pictures: a place to drop them on, and out of sight a text that names them.

The browser uploads a picture and gets a name for it (`assets/live/inputs.js`); Gradio and the request have names alone.
"""

from __future__ import annotations

import html as escaping
from collections.abc import Sequence
from dataclasses import dataclass

from webui.components import hidden_text, html
from webui.tabs.drawing.form import Form

# The script fills it (`assets/fields/pictures.js`).
_PLACE = """
<div class="sd-source" id="{id}" data-picture="{name}" {many} role="group" aria-label="{label}" data-has="no">
  <div class="sd-source-shown"></div>
  <label class="sd-source-pick"><input type="file" accept="image/*" {multiple} aria-label="{choose}">
    <span>{words}</span></label>
  <p class="sd-source-words" role="status"></p>
</div>
"""


@dataclass(frozen=True)
class PictureField:
    """A field of a request that holds a picture, or with `many` a list of them as JSON.

    `part` is what the id of its place ends with.
    """

    name: str
    part: str
    label: str
    many: bool = False


def pictures(form: Form, fields: Sequence[PictureField]) -> None:
    """Make them; the scripts put the names of pictures into the texts."""
    for field in fields:
        html(_place(form, field), classes=["sd-source-cell", f"sd-source-of-{field.name}"])
        form.add(field.name, hidden_text(form.id(f"{field.part}_named")), home=form.id(field.part))


def _place(form: Form, field: PictureField) -> str:
    words = (
        "Drop pictures here, or <u>choose files</u>"
        if field.many
        else "Drop a picture here, paste it, or <u>choose a file</u>"
    )
    return _PLACE.format(
        id=form.id(field.part),
        name=field.name,
        label=escaping.escape(field.label),
        many="data-many" if field.many else "",
        multiple="multiple" if field.many else "",
        choose="Choose files" if field.many else "Choose a file",
        words=words,
    )
