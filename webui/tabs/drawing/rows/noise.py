"""Variation seed, seed resize, tiling and CFG rescale: a row of a drawing tab that stays closed until it is needed."""

from __future__ import annotations

import gradio as gr

from webui.components import html, tool_button
from webui.listeners import Script, on
from webui.tabs.drawing.form import Form

_BUTTON = (
    '<button type="button" class="sd-parts-button" data-noise aria-expanded="false" aria-controls="{more}">'
    '<span>Variation seed, tiling, CFG rescale</span><span class="sd-parts-set"></span></button>'
)


def noise(form: Form) -> None:
    """Make the fields for noise that is not that of the seed alone, behind a button that tells what is set."""
    html(_BUTTON.format(more=form.id("subseed_row")))
    with gr.Column(elem_id=form.id("subseed_row"), elem_classes=["sd-noise"]):
        with gr.Row(elem_classes=["sd-seed"]):
            text = gr.Textbox("-1", label="Variation seed", elem_id=form.id("subseed"), min_width=0, max_lines=1)
            anew = tool_button("⚄", form.id("random_subseed"), "sd-random-seed")
            reuse = tool_button("♺", form.id("reuse_subseed"), "sd-reuse-seed")
        strength = gr.Slider(
            0, 1, 0, step=0.01, label="Variation strength", elem_id=form.id("subseed_strength"), min_width=0,
            info="How much of the noise is that of the variation seed.",
        )  # fmt: skip
        with gr.Row(elem_classes=["sd-two", "sd-top"]):
            for side, words in (("w", "width"), ("h", "height")):
                form.add(f"seed_resize_from_{side}", gr.Number(
                    0, label=f"Resize seed from {words}", elem_id=form.id(f"seed_resize_from_{side}"), step=8,
                    min_width=0,
                ))  # fmt: skip
        html('<p class="sd-help">Both sides of a picture that this one is to look like; 0: none.</p>')
        rescale = gr.Slider(
            0, 1, 0, step=0.05, label="CFG rescale", elem_id=form.id("cfg_rescale"), min_width=0,
            info="Keeps a high CFG scale from making colours harsh. Stable Diffusion 1, 2 and XL.",
        )  # fmt: skip
        tiling = gr.Checkbox(
            False, label="Tiling", elem_id=form.id("tiling"), min_width=0,
            info="Opposite edges fit together. Stable Diffusion 1, 2 and XL.",
        )  # fmt: skip
    chosen = {"subseed": form.add("subseed", text)}
    form.add("subseed_strength", strength)
    form.add("cfg_rescale", rescale)
    form.add("tiling", tiling)
    on(anew.click, None, outputs=chosen, script=Script("randomSubseed", form.prefix))
    on(reuse.click, None, chosen, chosen, Script("shownSubseed", form.prefix))
