"""How much of the picture that a tab starts from is drawn anew."""

from __future__ import annotations

import gradio as gr

from webui.tabs.drawing.form import Form

# "" leaves it to the model.
_WAYS = [("As this model is made for", ""), ("The model is told of it", "yes"), ("The model begins with it", "no")]


def denoising(form: Form) -> None:
    """Make the denoising strength, and what models have beside it that read pictures."""
    strength = gr.Slider(
        0, 1, 0.75, step=0.01, label="Denoising strength", elem_id=form.id("denoising_strength"),
        info="How much is drawn anew: 0 keeps the picture, 1 leaves nothing of it.",
    )  # fmt: skip
    form.add("denoising_strength", strength)
    image = gr.Slider(
        0, 3, 1.5, step=0.05, label="Image CFG scale", elem_id=form.id("image_cfg_scale"),
        elem_classes=["sd-image-cfg"],
    )  # fmt: skip
    form.add("image_cfg_scale", image)
    told = gr.Dropdown(
        _WAYS, value="", label="Picture", elem_id=form.id("as_condition"), elem_classes=["sd-reads"], filterable=False,
    )  # fmt: skip
    form.add("as_condition", told)
