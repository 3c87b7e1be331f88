"""The seed, with buttons for a random one and for that of the picture shown."""

from __future__ import annotations

import gradio as gr

from webui.components import tool_button
from webui.listeners import Script, on
from webui.tabs.drawing.form import Form


def seed(form: Form) -> None:
    """Make the seed, and the buttons for a random one and for that of the picture shown."""
    with gr.Row(elem_classes=["sd-seed"]):
        # A text: a number field drops letters in silence, and a browser's numbers end at 2^53.
        text = gr.Textbox("-1", label="Seed", elem_id=form.id("seed"), min_width=0, max_lines=1)
        anew = tool_button("⚄", form.id("random_seed"), "sd-random-seed")
        reuse = tool_button("♺", form.id("reuse_seed"), "sd-reuse-seed")
    chosen = {"seed": form.add("seed", text)}
    on(anew.click, None, outputs=chosen, script=Script("randomSeed", form.prefix))
    on(reuse.click, None, chosen, chosen, Script("shownSeed", form.prefix))
