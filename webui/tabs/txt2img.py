"""The txt2img tab: a picture from words alone."""

from __future__ import annotations

from webui.tabs.drawing.form import batches, guidance, sampling, seed, shift, size, steps
from webui.tabs.drawing.parts_row import parts
from webui.tabs.drawing.tab import Blueprint

TAB = Blueprint(
    kind="txt2img",
    label="txt2img",
    prefix="txt2img",
    rows=(sampling, steps, guidance, shift, size, batches, seed, parts),
)
