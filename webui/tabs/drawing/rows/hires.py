"""Hires fix: a second pass over an enlarged picture, a row of a drawing tab that stays closed until it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from webui.components import html
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.rows.parts import checkpoints_after
from webui.tabs.drawing.rows.upscaling import names as pixel_upscalers

# A1111's words for what the second pass has from the first one.
SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULER = "Use same checkpoint", "Use same sampler", "Use same scheduler"
# What the fields show of a second pass of which nothing more is said.
_UNSAID: Mapping[str, Any] = {
    "hr_second_pass_steps": 0, "hr_resize_x": 0, "hr_resize_y": 0, "hr_cfg": 0, "hr_distilled_cfg": 0, "hr_tile": 0,
    "hr_checkpoint_name": SAME_CHECKPOINT, "hr_sampler_name": SAME_SAMPLER, "hr_scheduler": SAME_SCHEDULER,
    "hr_prompt": "", "hr_negative_prompt": "",
}  # fmt: skip
_SAME = "The same"
_ZERO = '<p class="sd-help">0: as above; the size by the factor; in tiles only where it is too large.</p>'
FIRST_UPSCALER = next(iter(LATENT_MODES))
# What a request has of it; the switch itself is `enable_hr`.
HIRES_FIELDS = frozenset({
    "hr_upscaler", "hr_second_pass_steps", "denoising_strength", "hr_scale", "hr_resize_x", "hr_resize_y", "hr_cfg",
    "hr_distilled_cfg", "hr_tile", "hr_checkpoint_name", "hr_sampler_name", "hr_scheduler", "hr_prompt",
    "hr_negative_prompt",
})  # fmt: skip
_BUTTON = (
    '<button type="button" class="sd-parts-button" data-hires aria-expanded="false" aria-controls="{more}">'
    '<span class="sd-unseen">Fields of hires fix</span><span class="sd-parts-set" id="{words}"></span></button>'
)
# Of these A1111's ids have no tab's name in front.
_BARE = frozenset({"hr_checkpoint", "hr_sampler", "hr_scheduler", "hires_prompt", "hires_neg_prompt"})


def hires(form: Form) -> None:
    """Make the switch, which tells what size it leads to, and the fields of the second pass."""
    with gr.Row(elem_id=form.id("enable_hr"), elem_classes=["sd-fold-head"]):
        form.add("enable_hr", gr.Checkbox(False, label="Hires. fix", elem_id=form.id("hr-checkbox"), min_width=0))
        html(_BUTTON.format(more=form.id("hr"), words=form.id("hr_finalres")), classes=["sd-fold-cell"])
    with gr.Column(elem_id=form.id("hr"), elem_classes=["sd-hires"]):
        _enlarging(form)
        _second_pass(form)
        _second_words(form)


def upscalers(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of upscalers as it is now: those of latents, then those of pictures."""
    return {"choices": [*LATENT_MODES, *pixel_upscalers(catalogue)]}


def checkpoints(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of checkpoints for the second pass as it is now."""
    return checkpoints_after((_SAME, SAME_CHECKPOINT), catalogue)


def request(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request: where there is no second pass, nothing that is set of it can be wrong."""
    asked = dict(values)
    return asked if asked.get("enable_hr") else {name: asked[name] for name in asked if name not in HIRES_FIELDS}


def shown(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show of a request: what it says nothing of is as in the first pass."""
    values = {"enable_hr": False, **asked}
    if not values["enable_hr"]:
        return values
    said = {name: value for name, value in values.items() if value not in (None, "")}
    return values | {name: said.get(name, unsaid) for name, unsaid in _UNSAID.items()}


def _enlarging(form: Form) -> None:
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("hr_upscaler", gr.Dropdown(
            list(LATENT_MODES), value=FIRST_UPSCALER, label="Upscaler", elem_id=form.id("hr_upscaler"), min_width=0,
            filterable=False,
        ))  # fmt: skip
        form.add("denoising_strength", gr.Slider(
            0, 1, 0.7, step=0.01, label="Denoising strength", elem_id=form.id("denoising_strength"), min_width=0,
        ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("hr_scale", gr.Slider(
            1, 4, 2, step=0.05, label="Upscale by", elem_id=form.id("hr_scale"), min_width=0,
        ))  # fmt: skip
        form.add("hr_second_pass_steps", gr.Slider(
            0, 150, 0, step=1, label="Hires steps", elem_id=form.id("hires_steps"), min_width=0,
        ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        for side, words in (("x", "width"), ("y", "height")):
            form.add(f"hr_resize_{side}", gr.Number(
                0, label=f"Resize {words} to", elem_id=form.id(f"hr_resize_{side}"), step=8,
                min_width=0,
            ))  # fmt: skip


def _second_pass(form: Form) -> None:
    samplers = [(_SAME, SAME_SAMPLER), *((one.name, one.name) for one in SAMPLERS)]
    schedules = [(_SAME, SAME_SCHEDULER), *((one.label, one.label) for one in SCHEDULES)]
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("hr_sampler_name", gr.Dropdown(
            samplers, value=SAME_SAMPLER, label="Hires sampling method", elem_id=_id(form, "hr_sampler"),
            min_width=0, filterable=False,
        ))  # fmt: skip
        form.add("hr_scheduler", gr.Dropdown(
            schedules, value=SAME_SCHEDULER, label="Hires schedule type", elem_id=_id(form, "hr_scheduler"),
            min_width=0, filterable=False,
        ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("hr_checkpoint_name", gr.Dropdown(
            [(_SAME, SAME_CHECKPOINT)], value=SAME_CHECKPOINT, label="Hires checkpoint",
            elem_id=_id(form, "hr_checkpoint"), min_width=0, filterable=False,
        ))  # fmt: skip
        form.add("hr_cfg", gr.Slider(
            0, 30, 0, step=0.5, label="Hires CFG scale", elem_id=form.id("hr_cfg"), min_width=0,
        ))  # fmt: skip
    with gr.Row(elem_classes=["sd-two", "sd-top"]):
        form.add("hr_tile", gr.Number(
            0, label="Tile in pixels", elem_id=form.id("hr_tile"), step=64, min_width=0,
        ))  # fmt: skip
        form.add("hr_distilled_cfg", gr.Slider(
            0, 30, 0, step=0.1, label="Hires distilled CFG scale", elem_id=form.id("hr_distilled_cfg"), min_width=0,
            elem_classes=["sd-distilled"],
        ))  # fmt: skip
    html(_ZERO)


def _second_words(form: Form) -> None:
    words = {
        "hr_prompt": ("Hires prompt", "hires_prompt"),
        "hr_negative_prompt": ("Hires negative prompt", "hires_neg_prompt"),
    }
    for name, (label, part) in words.items():
        form.add(name, gr.Textbox(
            "", label=label, lines=1, max_lines=6, elem_id=_id(form, part), placeholder="Empty: the same as above",
        ))  # fmt: skip


def _id(form: Form, part: str) -> str:
    """Return an id that A1111 has once for the whole page, since it has one such tab."""
    return part if part in _BARE and form.prefix == "txt2img" else form.id(part)
