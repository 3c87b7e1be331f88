"""One tab that draws: prompts, buttons and fields on one side, the picture on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules.jobs.intake import Intake
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.store.job_store import JobStore
from webui import takeover
from webui.actors import Stop, actor
from webui.components import hidden_button, html
from webui.header import Header
from webui.listeners import Component, Named, Script, Values, on, together
from webui.tabs.drawing import actions, batch_folder, prompts, script_plan, stage, submitting, texts
from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.rows import script, styles

# What was taken over from an infotext, and what was not.
TAKEN = '<div id="{prefix}_taken" class="sd-taken" role="status" hidden></div>'


@dataclass(frozen=True)
class DrawingTab:
    """The components of the tab. `fields` are those that make the request, by the names of its fields."""

    blueprint: Blueprint
    fields: Named
    suited: Named
    others: Named
    prompts: tuple[prompts.Prompt, ...]
    actions: actions.Actions
    take: Component
    take_back: Component
    adopt_defaults: Component
    put: Component
    texts: texts.Texts

    @property
    def prefix(self) -> str:
        """What the ids of the tab's elements begin with."""
        return self.blueprint.prefix


def build(of: Blueprint, checkpoint: Checkpoint | None) -> DrawingTab:
    """Make the tab's components, with what suits `checkpoint` as the first values."""
    form = Form(of.prefix, checkpoint)
    with gr.Row(elem_id=form.id("page"), elem_classes=["sd-page"]):
        with gr.Column(elem_id=form.id("controls"), elem_classes=["sd-controls"]):
            with gr.Column(elem_classes=["sd-panel", "sd-prompts"]):
                written = prompts.build(form) if of.prompted else ()
                for row in of.above:
                    row(form)
                buttons = actions.build(of.prefix)
                html(TAKEN.format(prefix=of.prefix), classes=["sd-taken-cell"])
            if of.middle:
                with gr.Column(elem_classes=["sd-panel", "sd-middle"]):
                    for row in of.middle:
                        row(form)
            with gr.Column(elem_classes=["sd-panel", "sd-fields"]):
                for row in of.rows:
                    row(form)
        with gr.Column(elem_id=form.id("results"), elem_classes=["sd-results"]):
            stage.build(of, form.homes)
    return DrawingTab(
        blueprint=of,
        fields=form.fields,
        suited={name: form.fields[name] for name in form.suited},
        others=form.others,
        prompts=written,
        actions=buttons,
        take=hidden_button("Take settings over", form.id("take")),
        take_back=hidden_button("Take back what was taken over", form.id("take_back")),
        adopt_defaults=hidden_button("Adopt the model's defaults", form.id("adopt_defaults")),
        put=hidden_button("Put values into the fields", form.id("put")),
        texts=texts.build(of.prefix),
    )


def wire(
    tab: DrawingTab,
    header: Header,
    store: JobStore,
    catalogue: CheckpointCatalogue,
    stop: Stop,
    intake: Intake | None = None,
) -> None:
    """Join buttons and fields with the job store, and the buttons that stop a job with `stop`."""
    submitting.wire(tab.blueprint, tab.fields, tab.actions, tab.texts, header, store, catalogue, intake)
    actions.wire_stopping(tab.actions, tab.texts.job, header.owner, tab.texts.refusal, stop)
    prompts.wire(tab.prompts, header.checkpoint, catalogue)
    _wire_takeover(tab, header, store, catalogue)
    if styles.APPLY in tab.others:
        styles.wire(tab.fields, tab.others[styles.APPLY], catalogue)
    if script.ASK in tab.others:
        script_plan.wire(tab.blueprint, tab.fields, tab.others, header.checkpoint, catalogue)
    if "add_folder" in tab.others:
        batch_folder.wire(tab.prefix, tab.fields["batch_folder"], tab.others["add_folder"],
                          tab.others["folder_answer"], header.owner, intake)  # fmt: skip
    on(tab.adopt_defaults.click, None, together(tab.suited, {"checkpoint": header.checkpoint}), tab.suited,
       Script("adoptDefaults", tab.prefix))  # fmt: skip
    on(tab.put.click, None, outputs=tab.fields, script=Script("putInto", tab.prefix), trigger_mode="multiple")
    for name, field in tab.fields.items():
        # Of itself alone: Gradio would look for each of them in all of the page, at every key.
        _remember(field.change, tab, {name: field})


def wire_load(tab: DrawingTab, load: Component, owner: Component) -> None:
    """When the page opens, the fields show what this browser remembers, and `owner` who it is."""
    shown = on(load, None, tab.fields, together(tab.fields, {"owner": owner}), Script("restore", tab.prefix))
    on(shown.then, None, tab.fields, script=Script("rememberFilledIn", tab.prefix))


def _wire_takeover(tab: DrawingTab, header: Header, store: JobStore, catalogue: CheckpointCatalogue) -> None:
    """Settings of an infotext, a picture or an earlier job go into the fields, and can be taken back."""

    def take(values: Values, asker: gr.Request) -> Values:
        who, of = actor(values["owner"], asker), tab.blueprint
        return {"taken": takeover.answer(values["taken"], who, store, catalogue, of.shown, of.kind, tab.fields)}

    everything = together(tab.fields, {"checkpoint": header.checkpoint})
    taken = {"taken": tab.texts.taken}
    asked = on(tab.take.click, take, together(taken, {"owner": header.owner}), taken,
               Script("takeFrom", tab.prefix), trigger_mode="multiple")  # fmt: skip
    took = on(asked.then, None, together(taken, everything), everything, Script("tookOver", tab.prefix))
    back = on(tab.take_back.click, None, everything, everything, Script("takenBack", tab.prefix))
    for shown in (took, back):
        _remember(shown.then, tab, tab.fields)  # a field that is not in sight tells of no change


def _remember(event: Callable[..., Any], tab: DrawingTab, fields: Named) -> None:
    """Have this browser keep what these fields show after `event`."""
    on(event, None, fields, script=Script("remember", tab.prefix, waits=False))
