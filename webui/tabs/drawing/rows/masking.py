"""How a mask is used: which side of it is drawn anew, from what, and how it goes over into the rest."""

from __future__ import annotations

import gradio as gr

from webui.tabs.drawing.form import Form

# A1111's, in its order, with its default values and bounds.
SOFT = (
    ("schedule_bias", "Schedule bias", 0, 8, 1.0, 0.1, "Above 1 keeps more in late steps, below 1 in early ones."),
    ("preservation_strength", "Preservation strength", 0, 8, 0.5, 0.05, "How much of the picture is kept in between."),
    ("transition_contrast", "Transition contrast boost", 1, 32, 4.0, 0.5, "Higher: less is mixed, edges are clearer."),
    ("mask_influence", "Mask influence", 0, 1, 0.0, 0.05, "How much the mask itself counts in the end."),
    ("difference_threshold", "Difference threshold", 0, 8, 0.5, 0.25, "What differs less is taken from the picture."),
    ("difference_contrast", "Difference contrast", 0, 8, 2.0, 0.25, "How sharply that is decided."),
)  # fmt: skip
_CONTENTS = [
    ("Original", 1), ("Fill", 0), ("Latent noise", 2), ("Latent nothing", 3),
]  # fmt: skip
_SIDES = [("Inpaint masked", 0), ("Inpaint not masked", 1)]
_AREAS = [("Whole picture", 0), ("Only masked", 1)]


def masking(form: Form) -> None:
    """Make A1111's fields of a mask. They are seen in the sub-tabs that have one."""
    with gr.Column(elem_id=form.id("masking"), elem_classes=["sd-masking", "sd-group"]):
        with gr.Row(elem_classes=["sd-two"]):
            area = _list(
                form, "inpaint_full_res", "Inpaint area", _AREAS, "Only masked: the part is drawn large, and put back."
            )
            content = _list(
                form, "inpainting_fill", "Masked content", _CONTENTS, "What it begins with; fill: its surroundings."
            )
        with gr.Row(elem_classes=["sd-two"]):
            side = _list(form, "mask_mode", "Mask mode", _SIDES, "Which side of the mask is drawn anew.")
            blur = gr.Slider(
                0, 64, 4, step=1, label="Mask blur", elem_id=form.id("mask_blur"), min_width=0,
                info="In pixels: how softly its edge goes over into the rest.",
            )  # fmt: skip
        padding = gr.Slider(
            0, 256, 32, step=4, label="Only masked padding, pixels", elem_id=form.id("inpaint_full_res_padding"),
            elem_classes=["sd-padding"], info="How much of what is around the mask is seen while it is drawn.",
        )  # fmt: skip
        _soft(form)
    form.add("inpaint_full_res", area)
    form.add("inpainting_fill", content)
    form.add("inpainting_mask_invert", side)
    form.add("mask_blur", blur)
    form.add("inpaint_full_res_padding", padding)


def _soft(form: Form) -> None:
    """Make soft inpainting: one switch, and what it can be told once it is on."""
    switch = gr.Checkbox(False, label="Soft inpainting", elem_id=form.id("soft_inpainting"), container=False,
                         info="Where the mask is grey both pictures are mixed by how they differ.")  # fmt: skip
    form.add("soft_inpainting", switch)
    with gr.Column(elem_classes=["sd-soft"]):
        for pair in (SOFT[:2], SOFT[2:4], SOFT[4:]):
            with gr.Row(elem_classes=["sd-two"]):
                for name, label, least, most, value, step, words in pair:
                    slider = gr.Slider(least, most, value, step=step, label=label, elem_id=form.id(f"soft_{name}"),
                                       min_width=0, info=words)  # fmt: skip
                    form.add(f"soft_inpainting_{name}", slider)


def _list(form: Form, part: str, label: str, choices: list[tuple[str, int]], words: str) -> gr.Dropdown:
    return gr.Dropdown(choices, value=choices[0][1], label=label, elem_id=form.id(part), min_width=0, filterable=False,
                       info=words)  # fmt: skip
