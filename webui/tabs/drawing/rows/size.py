"""Width and height, and sizes that suit the checkpoint."""

from __future__ import annotations

import gradio as gr

from webui import checkpoint_facts as suits
from webui.components import hidden_button, html, tool_button
from webui.listeners import Script, on
from webui.tabs.drawing.form import Form

SIZES = '<div id="{prefix}_sizes" class="sd-chips" role="group" aria-label="Sizes that suit the model"></div>'


def size(form: Form) -> None:
    """Make width and height, the button that swaps them, and chips with the sizes that suit the checkpoint."""
    width, height = suits.native_size(form.checkpoint)
    with gr.Row(elem_classes=["sd-size"]):
        sides = {"width": gr.Number(width, label="Width", elem_id=form.id("width"), step=8, min_width=0)}
        swap = tool_button("⇄", form.id("res_switch_btn"), "sd-swap")
        sides["height"] = gr.Number(height, label="Height", elem_id=form.id("height"), step=8, min_width=0)
    for name, side in sides.items():
        form.add(name, side, suited=True)
    html(SIZES.format(prefix=form.prefix))
    chip = hidden_button("Size", form.id("size_chip"))
    on(swap.click, None, sides, sides, Script("swapSides", form.prefix))
    on(chip.click, None, outputs=sides, script=Script("chosenSize", form.prefix))
