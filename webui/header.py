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
from webui.components import hidden_button, hidden_text, html, tool_button
from webui.listeners import Component, Script, Values, on, together

MARK = (
    '<h1 class="sd-mark"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" aria-hidden="true"><path d="M3 7c3-4 5 4 8 0s5 4 10 0" opacity=".35"/>'
    '<path d="M3 12.5c4-2 6 1.5 9 .3s5-.6 9-.3" opacity=".65"/><path d="M3 18h18"/></svg>'
    "<span>Steady Diffusion</span></h1>"
)

STATUS = """
<span class="sd-status">
  <span class="sd-pill" id="steady_status">
    <span class="sd-dot"></span><span class="sd-words">Connecting …</span><span class="sd-device"></span
    ><span class="sd-instance"></span></span>
  <button type="button" class="sd-pill sd-queue-pill" id="steady_queue_pill" title="Open the queue"
    data-opens="queue">Queue 0</button>
  <button type="button" class="sd-tool-plain" id="steady_colours" aria-label="Light or dark" title="Light or dark">
  </button>
</span>
"""

BANNERS = '<div id="steady_banners" class="sd-banners" role="alert"></div>'


@dataclass(frozen=True)
class Header:
    """The components of the bar. `owner` is whose browser this is: it fills it when the page has loaded."""

    checkpoint: Component
    refresh: Component
    facts: Component
    reload_settings: Component
    reload_models: Component
    reload_styles: Component
    start_engine: Component
    use: Component
    owner: Component


def build(catalogue: CheckpointCatalogue, checkpoint: Checkpoint | None) -> Header:
    """Make the bar's components."""
    known = suits.listed(catalogue, checkpoint, suits.MOST_BROUGHT)
    with gr.Row(elem_id="steady_bar", elem_classes=["sd-bar"]):
        html(MARK, classes=["sd-mark-cell"])
        with gr.Row(elem_classes=["sd-model"]):
            chosen = gr.Dropdown(
                suits.choices(known), value=checkpoint.name if checkpoint else None, label="Checkpoint",
                elem_id="setting_sd_model_checkpoint", container=False, min_width=0,
                filterable=len(known) >= suits.MOST_BROUGHT,
            )  # fmt: skip
            refresh = tool_button("↻", "refresh_sd_model_checkpoint")
        html(STATUS, classes=["sd-status-cell"])
    html(BANNERS, classes=["sd-banner-cell"])
    return Header(
        checkpoint=chosen,
        refresh=refresh,
        facts=hidden_text("steady_checkpoints", suits.facts(known, Settings())),
        reload_settings=hidden_button("Read the settings again", "steady_reload_settings"),
        reload_models=hidden_button("Read the list of models again", "steady_reload_models"),
        reload_styles=hidden_button("Read the list of styles again", "steady_reload_styles"),
        start_engine=hidden_button("Start the engine", "steady_start_engine"),
        use=hidden_button("Use a checkpoint", "steady_use_checkpoint"),
        owner=hidden_text("steady_owner"),
    )


def wire(header: Header, store: JobStore, catalogue: CheckpointCatalogue) -> None:
    """Join the bar with the settings, the catalogue and the launcher."""

    def choose(values: Values, asker: gr.Request) -> None:
        """Keep a choice of the list. Any page may send any text, and what stood here would be every client's model."""
        name = values["checkpoint"]
        by = actor(values["owner"], asker)
        if by.only_own or not isinstance(name, str) or not name:
            return  # A guest's choice is that of his own jobs.
        try:
            changed = opts.update({"sd_model_checkpoint": catalogue.find(name).name})
        except SteadyError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if changed:
            store.audit.note_settings(changed, by=by)

    def refresh(_values: Values, _asker: gr.Request) -> Values:
        catalogue.refresh()
        return current(catalogue)

    def reload(values: Values, _asker: gr.Request) -> Values:
        """Show what has come and gone; what is chosen on this page, or has been since it asked, stays chosen."""
        now = current(catalogue, values["checkpoint"])
        if now["checkpoint"]["value"] == values["checkpoint"]:
            del now["checkpoint"]["value"]
        return now

    def use(values: Values, asker: gr.Request) -> Values:
        """Choose what another part of the page names, which may be newer than the list here."""
        choose(values, asker)
        return current(catalogue, values["checkpoint"])

    def start_engine(values: Values, asker: gr.Request) -> None:
        refusal = order(store, "restart-engine", values["owner"], asker)
        if refusal is not None:
            raise gr.Error(refusal, print_exception=False)

    chosen = {"checkpoint": header.checkpoint}
    owner = {"owner": header.owner}
    on(header.checkpoint.input, choose, together(chosen, owner))
    shown = together(chosen, {"facts": header.facts})
    tell_page(on(header.use.click, use, together(chosen, owner), shown, Script("usedModel")), header)
    tell_page(on(header.reload_models.click, reload, chosen, shown), header)
    on(header.checkpoint.change, None, chosen, script=Script("choseCheckpoint"))
    tell_page(on(header.refresh.click, refresh, outputs=shown), header)
    on(header.start_engine.click, start_engine, owner)


def tell_page(listener: Any, header: Header) -> None:
    """After a listener that reads the facts anew: hand them to the page's scripts."""
    on(listener.then, None, {"facts": header.facts, "checkpoint": header.checkpoint}, script=Script("know"))


def current(catalogue: CheckpointCatalogue, chosen: object = None) -> dict[str, Any]:
    """Return the checkpoints as they are now and the facts about them; `chosen` or else the setting's is chosen."""
    checkpoint = catalogue.known(chosen) if isinstance(chosen, str) else None
    checkpoint = checkpoint or suits.chosen(catalogue, opts.values.sd_model_checkpoint)
    known, facts = suits.shown(catalogue, checkpoint, opts.values)
    listed = gr.update(
        choices=known,
        value=checkpoint.name if checkpoint else None,
        filterable=len(known) > suits.MOST_BROUGHT,
        allow_custom_value=len(known) > suits.MOST_LISTED,
    )
    return {"checkpoint": listed, "facts": facts}
