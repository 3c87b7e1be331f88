"""The fields of a drawing tab: a row each, by the names that its request has, with the small helpers beside them.

Most helpers need no server: the browser runs a script of the page, and puts what that returns into the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import gradio as gr

from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from webui import checkpoint_facts as suits
from webui.components import hidden_button, html, tool_button
from webui.guidance_words import distilled_of
from webui.listeners import Component, Script, on

SIZES = '<div id="{prefix}_sizes" class="sd-chips" role="group" aria-label="Sizes that suit the model"></div>'


@dataclass(frozen=True)
class Form:
    """The fields made so far; those of `suited` follow the checkpoint's defaults; ids begin with `prefix`."""

    prefix: str
    checkpoint: Checkpoint | None
    fields: dict[str, Component] = field(default_factory=dict)
    suited: list[str] = field(default_factory=list)

    def id(self, part: str) -> str:
        """Return the id of a part of this tab."""
        return f"{self.prefix}_{part}"

    def add(self, name: str, component: Component, suited: bool = False) -> Component:
        """Take a field in under the name that the request has for it."""
        self.fields[name] = component
        if suited:
            self.suited.append(name)
        return component


Row = Callable[[Form], None]


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


def guidance(form: Form) -> None:
    """Make the CFG scale, and the one that is distilled into some models."""
    value = form.checkpoint.defaults.cfg_scale if form.checkpoint else suits.FALLBACK_CFG_SCALE
    slider = gr.Slider(1, 30, value, step=0.5, label="CFG scale", elem_id=form.id("cfg_scale"))
    form.add("cfg_scale", slider, suited=True)
    distilled = gr.Slider(0, 30, distilled_of(form.checkpoint), step=0.1, label="Distilled CFG scale",
                          elem_id=form.id("distilled_cfg_scale"), elem_classes=["sd-distilled"])  # fmt: skip
    form.add("distilled_cfg_scale", distilled, suited=True)


def shift(form: Form) -> None:
    """Make the shift of flow models; empty is the model's own."""
    # A text: an empty number field says 0.
    text = gr.Textbox("", label="Shift", elem_id=form.id("shift"), elem_classes=["sd-shift"], max_lines=1)
    form.add("shift", text)


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


def batches(form: Form) -> None:
    """Make batch count and batch size."""
    with gr.Row(elem_classes=["sd-two"]):
        count = gr.Slider(1, 100, 1, step=1, label="Batch count", elem_id=form.id("batch_count"), min_width=0)
        together = gr.Slider(1, 16, 1, step=1, label="Batch size", elem_id=form.id("batch_size"), min_width=0)
    form.add("n_iter", count)
    form.add("batch_size", together)


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
