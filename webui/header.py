"""The bar at the top: the checkpoint, what the engine does, how long the queue is, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules.errors import SteadyError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.store.job_store import JobStore
from modules.options import Settings
from modules.shared import opts
from webui import checkpoint_facts as suits
from webui.actors import actor, order
from webui.components import Component, hidden_button, hidden_text, html, on, tool_button
from webui.live import BANNERS, MARK, STATUS


@dataclass(frozen=True)
class Header:
    """The components of the bar. `owner` is whose browser this is: it fills it when the page has loaded."""

    checkpoint: Component
    refresh: Component
    facts: Component
    reload_settings: Component
    start_engine: Component
    owner: Component


def build(catalogue: CheckpointCatalogue, checkpoint: Checkpoint | None) -> Header:
    """Make the bar's components."""
    known = catalogue.list()
    with gr.Row(elem_id="steady_bar", elem_classes=["sd-bar"]):
        html(MARK, classes=["sd-mark-cell"])
        with gr.Row(elem_classes=["sd-model"]):
            chosen = gr.Dropdown(
                suits.choices(known), value=checkpoint.name if checkpoint else None, label="Checkpoint",
                elem_id="setting_sd_model_checkpoint", container=False, min_width=0, filterable=len(known) > 12,
            )  # fmt: skip
            refresh = tool_button("↻", "refresh_sd_model_checkpoint")
        html(STATUS, classes=["sd-status-cell"])
    html(BANNERS, classes=["sd-banner-cell"])
    return Header(
        checkpoint=chosen,
        refresh=refresh,
        facts=hidden_text("steady_checkpoints", suits.facts(known, Settings())),
        reload_settings=hidden_button("Read the settings again", "steady_reload_settings"),
        start_engine=hidden_button("Start the engine", "steady_start_engine"),
        owner=hidden_text("steady_owner"),
    )


def wire(header: Header, store: JobStore, catalogue: CheckpointCatalogue) -> None:
    """Join the bar with the settings, the catalogue and the launcher."""

    def choose(name: str, owner: str, asker: gr.Request) -> None:
        """Keep a choice of the list. Any page may send any text, and what stood here would be every client's model."""
        by = actor(owner, asker)
        if by.only_own or not isinstance(name, str) or not name:
            return  # A guest's choice is that of his own jobs.
        try:
            changed = opts.update({"sd_model_checkpoint": catalogue.find(name).name})
        except SteadyError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if changed:
            store.audit.note_settings(changed, by=by)

    def refresh() -> tuple[Any, str]:
        catalogue.refresh()
        return current(catalogue)

    def start_engine(owner: str, asker: gr.Request) -> None:
        refusal = order(store, "restart-engine", owner, asker)
        if refusal is not None:
            raise gr.Error(refusal, print_exception=False)

    on(header.checkpoint.input, choose, [header.checkpoint, header.owner])
    on(header.checkpoint.change, None, header.checkpoint, None,
       js="async (name) => { (await window.steadyReady).choseCheckpoint(name); return []; }")  # fmt: skip
    tell_page(on(header.refresh.click, refresh, None, [header.checkpoint, header.facts]), header)
    on(header.start_engine.click, start_engine, header.owner)


def tell_page(listener: Any, header: Header) -> None:
    """After a listener that reads the facts anew: hand them to the page's scripts."""
    on(listener.then, None, [header.facts, header.checkpoint], None,
       js="async (facts, name) => { (await window.steadyReady).know(facts, name); return []; }")  # fmt: skip


def current(catalogue: CheckpointCatalogue) -> tuple[Any, str]:
    """Return the list of checkpoints as it is now, with the setting's choice, and the facts about them."""
    known = catalogue.list()
    checkpoint = suits.chosen(catalogue, opts.values.sd_model_checkpoint)
    listed = gr.update(choices=suits.choices(known), value=checkpoint.name if checkpoint else None)
    return listed, suits.facts(known, opts.values)
