"""By how much a picture grows on each side, and what stands there before it is drawn."""

from __future__ import annotations

import gradio as gr

from webui.components import hidden_text, html
from webui.tabs.drawing.form import Form

SIDES = ("left", "right", "top", "bottom")
_FILLS = [("Edge: its last pixels go on", "edge"), ("Noise", "noise"), ("Mirror: itself, blurred", "mirror")]
_TOLD = '<p class="sd-help" id="{prefix}_outpaint_told" role="status"></p>'


def outpainting(form: Form) -> None:
    """Make what fills the margins and how wide the seam is; the editor's frame sets the margins, texts out of sight."""
    for side in SIDES:
        margin = hidden_text(form.id(f"outpaint_{side}"), "0")
        form.add(f"outpaint_{side}", margin, home=form.id("start_said"))
    with gr.Column(elem_id=form.id("outpainting"), elem_classes=["sd-outpainting", "sd-group"]):
        html(_TOLD.format(prefix=form.prefix), classes=["sd-told"])
        with gr.Row(elem_classes=["sd-two"]):
            fill = gr.Dropdown(_FILLS, value="edge", label="Filled with", elem_id=form.id("outpaint_fill"), min_width=0,
                               filterable=False, info="What the new part begins with.")  # fmt: skip
            blend = gr.Slider(0, 128, 8, step=4, label="Seam, pixels", elem_id=form.id("outpaint_blend"), min_width=0,
                              info="So much beside it is drawn anew too.")  # fmt: skip
        form.add("outpaint_fill", fill)
        form.add("outpaint_blend", blend)
