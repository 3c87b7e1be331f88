"""How many pictures a job makes."""

from __future__ import annotations

import gradio as gr

from webui.tabs.drawing.form import Form


def batches(form: Form) -> None:
    """Make batch count and batch size."""
    with gr.Row(elem_classes=["sd-two"]):
        count = gr.Slider(1, 100, 1, step=1, label="Batch count", elem_id=form.id("batch_count"), min_width=0)
        together = gr.Slider(1, 16, 1, step=1, label="Batch size", elem_id=form.id("batch_size"), min_width=0)
    form.add("n_iter", count)
    form.add("batch_size", together)
