"""Sampler, schedule type and number of steps."""

from __future__ import annotations

import gradio as gr

from modules.jobs.samplers import SAMPLERS, SCHEDULES
from webui import checkpoint_facts as suits
from webui.listeners import Script, on
from webui.tabs.drawing.form import Form


def sampling(form: Form) -> None:
    """Make sampler and schedule type."""
    defaults = form.checkpoint.defaults if form.checkpoint else None
    with gr.Row(elem_classes=["sd-two"]):
        sampler = form.add("sampler_name", gr.Dropdown(
            [one.name for one in SAMPLERS], label="Sampling method", elem_id=form.id("sampling"), min_width=0,
            value=defaults.sampler_name if defaults else suits.FALLBACK_SAMPLER, filterable=False,
        ), suited=True)  # fmt: skip
        schedule = form.add("scheduler", gr.Dropdown(
            [one.label for one in SCHEDULES], label="Schedule type", elem_id=form.id("scheduler"), min_width=0,
            value=defaults.scheduler if defaults else suits.FALLBACK_SCHEDULE, filterable=False,
        ), suited=True)  # fmt: skip
    pair = {"sampler_name": sampler, "scheduler": schedule}
    chosen = {"scheduler": schedule}
    on(sampler.change, None, pair, chosen, Script("fitSchedule", form.prefix, waits=False))
    on(schedule.change, None, chosen, script=Script("choseSchedule", form.prefix, waits=False))


def steps(form: Form) -> None:
    """Make the number of steps."""
    value = form.checkpoint.defaults.steps if form.checkpoint else suits.FALLBACK_STEPS
    slider = gr.Slider(1, 150, value, step=1, label="Steps", elem_id=form.id("steps"))
    form.add("steps", slider, suited=True)
