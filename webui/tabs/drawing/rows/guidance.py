"""How closely the picture follows the prompt, and the shift of flow models."""

from __future__ import annotations

import gradio as gr

from webui import checkpoint_facts as suits
from webui.guidance_words import distilled_of
from webui.tabs.drawing.form import Form


def guidance(form: Form) -> None:
    """Make the CFG scale, and the one that is distilled into some models."""
    value = form.checkpoint.defaults.cfg_scale if form.checkpoint else suits.FALLBACK_CFG_SCALE
    slider = gr.Slider(1, 30, value, step=0.5, label="CFG scale", elem_id=form.id("cfg_scale"))
    form.add("cfg_scale", slider, suited=True)
    distilled = gr.Slider(0, 30, distilled_of(form.checkpoint), step=0.1, label="Distilled CFG scale",
                          elem_id=form.id("distilled_cfg_scale"), elem_classes=["sd-distilled"])  # fmt: skip
    form.add("distilled_cfg_scale", distilled, suited=True)


def shift(form: Form) -> None:
    """Make the shift of flow models; empty is the model's own."""
    # A text: an empty number field says 0.
    text = gr.Textbox("", label="Shift", elem_id=form.id("shift"), elem_classes=["sd-shift"], max_lines=1)
    form.add("shift", text)
