"""How the picture that a tab starts from is brought to the size that is drawn."""

from __future__ import annotations

import gradio as gr

from webui.components import html
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.rows.size import size

# By A1111's numbers.
_MODES = [
    ("Just resize", 0), ("Crop and resize", 1), ("Resize and fill", 2), ("Just resize (latent upscale)", 3),
]  # fmt: skip
_TOLD = '<p class="sd-help" id="{prefix}_scale_resolution_preview" role="status"></p>'


def resizing(form: Form) -> None:
    """Make resize to a size and by a factor, with what comes of it, and what becomes of another shape."""
    with gr.Column(elem_classes=["sd-resizing", "sd-group"]):
        with gr.Row(elem_classes=["sd-two"]):
            by = gr.Radio(
                [("to", "to"), ("by", "by")], value="to", label="Resize", elem_id=form.id("tabs_resize"),
                elem_classes=["sd-segments"], min_width=0,
            )  # fmt: skip
            mode = gr.Dropdown(_MODES, value=0, label="Resize mode", elem_id="resize_mode", min_width=0,
                               filterable=False)  # fmt: skip
        form.add("resize_by", by)
        form.add("resize_mode", mode)
        with gr.Column(elem_id=form.id("tab_resize_to"), elem_classes=["sd-resize-to", "sd-group"]):
            size(form)
        with gr.Column(elem_id=form.id("tab_resize_by"), elem_classes=["sd-resize-by", "sd-group"]):
            scale = gr.Slider(0.05, 4, 1, step=0.05, label="Scale", elem_id=form.id("scale"))
        form.add("scale", scale)
        html(_TOLD.format(prefix=form.prefix), classes=["sd-told"])
