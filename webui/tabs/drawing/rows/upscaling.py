"""By what and to what size pictures are enlarged, and whether faces in them are restored: the rows of Extras."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules.jobs.latent_upscaling import NO_UPSCALER, PIXEL_UPSCALERS
from modules.jobs.models.catalogue import CheckpointCatalogue
from webui.components import html, tool_button
from webui.listeners import Script, on
from webui.tabs.drawing.form import Form

BY, TO = "Scale by", "Scale to"
MOST_TIMES = 8
_SIZE = '<p id="{prefix}_becomes" class="sd-help sd-becomes" role="status"></p>'


def scale(form: Form) -> None:
    """Make the size that is wanted: by a factor, or to a width and a height that are filled or fitted into."""
    form.add("resize_mode", gr.Radio(
        [BY, TO], value=BY, label="Size", show_label=False, elem_id=form.id("resize_mode"), min_width=0,
        elem_classes=["sd-segments"],
    ))  # fmt: skip
    with gr.Column(elem_classes=["sd-scale-by"]):
        form.add("upscaling_resize", gr.Slider(
            1, MOST_TIMES, 2, step=0.05, label="Times as large", elem_id=form.id("upscaling_resize"),
        ))  # fmt: skip
    with gr.Column(elem_classes=["sd-scale-to"]):
        with gr.Row(elem_classes=["sd-size"]):
            width = gr.Number(1024, label="Width", elem_id=form.id("upscaling_resize_w"), step=8, min_width=0)
            swap = tool_button("⇄", form.id("res_switch_btn"), "sd-swap")
            height = gr.Number(1024, label="Height", elem_id=form.id("upscaling_resize_h"), step=8, min_width=0)
        form.add("upscaling_resize_w", width)
        form.add("upscaling_resize_h", height)
        form.add("upscaling_crop", gr.Checkbox(
            True, label="Crop to fit", elem_id=form.id("upscaling_crop"), min_width=0,
        ))  # fmt: skip
        sides = {"width": width, "height": height}
        on(swap.click, None, sides, sides, Script("swapSides", form.prefix))
    html(_SIZE.format(prefix=form.prefix))


def upscalers(form: Form) -> None:
    """Make the upscaler, and a second one that is blended in."""
    listed = [NO_UPSCALER, *PIXEL_UPSCALERS]
    form.add("upscaler_1", gr.Dropdown(
        listed, value=PIXEL_UPSCALERS[0], label="Upscaler", elem_id=form.id("upscaler_1"), filterable=False,
    ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("upscaler_2", gr.Dropdown(
            listed, value=NO_UPSCALER, label="Second upscaler", elem_id=form.id("upscaler_2"), min_width=0,
            filterable=False,
        ))  # fmt: skip
        form.add("extras_upscaler_2_visibility", gr.Slider(
            0, 1, 0, step=0.01, label="How much of it", elem_id=form.id("upscaler_2_visibility"), min_width=0,
        ))  # fmt: skip


def faces(form: Form) -> None:
    """Make how much faces are restored, by what is there to do it."""
    form.add("gfpgan_visibility", gr.Slider(
        0, 1, 0, step=0.01, label="Restore faces by GFPGAN", elem_id=form.id("gfpgan_visibility"), visible=False,
    ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("codeformer_visibility", gr.Slider(
            0, 1, 0, step=0.01, label="Restore faces by CodeFormer", elem_id=form.id("codeformer_visibility"),
            min_width=0, visible=False,
        ))  # fmt: skip
        form.add("codeformer_weight", gr.Slider(
            0, 1, 0, step=0.01, label="Its weight (0: the strongest)", elem_id=form.id("codeformer_weight"),
            min_width=0, visible=False,
        ))  # fmt: skip
    form.add("upscale_first", gr.Checkbox(
        False, label="Upscale before restoring faces", elem_id=form.id("upscale_first"), min_width=0, visible=False,
    ))  # fmt: skip


def listed(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of upscalers as it is now."""
    return {"choices": names(catalogue)}


def names(catalogue: CheckpointCatalogue) -> list[str]:
    """Return the upscalers of pictures that work."""
    return [one.name for one in catalogue.upscalers.list() if one.problem is None]


def gfpgan(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return whether GFPGAN is there."""
    return {"visible": _restores(catalogue, "GFPGAN")}


def codeformer(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return whether CodeFormer is there."""
    return {"visible": _restores(catalogue, "CodeFormer")}


def any_restorer(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return whether there is anything that restores faces."""
    return {"visible": any(one.problem is None for one in catalogue.face_restorers.list())}


def _restores(catalogue: CheckpointCatalogue, kind: str) -> bool:
    return any(kind.casefold() in one.name.casefold() for one in catalogue.face_restorers.list() if one.problem is None)
