"""The pictures of a batch, each of which is drawn anew."""

from __future__ import annotations

import gradio as gr

from webui.components import hidden_text
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.rows.pictures import PictureField, pictures


def batch_pictures(form: Form) -> None:
    """Make the place for several pictures, and a folder of the machine to take more from. One sub-tab shows them."""
    with gr.Column(elem_id=form.id("batch_pictures"), elem_classes=["sd-batch", "sd-group"]):
        pictures(form, (PictureField("batch_images", "batch_files", "The pictures of this batch", many=True),))
        with gr.Row(elem_classes=["sd-beside"]):
            folder = gr.Textbox(
                "", label="Folder", max_lines=1, elem_id=form.id("batch_input_dir"), min_width=0,
                placeholder="Path on the machine that this program runs on",
            )  # fmt: skip
            add = gr.Button("Add its pictures", elem_id=form.id("batch_add_folder"), elem_classes=["sd-quiet"], scale=0)
    form.add("batch_folder", folder)
    form.others.update(add_folder=add, folder_answer=hidden_text(form.id("folder_answer")))
