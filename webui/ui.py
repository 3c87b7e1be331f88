"""The page: builds the bar and the tabs, then joins them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules.jobs.intake import Intake
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.shared import opts
from webui import checkpoint_facts as suits
from webui import header as bar
from webui.actors import Stop
from webui.listeners import Named, Values, on, together
from webui.tabs import extras, img2img, models, png_info, queue, txt2img
from webui.tabs.drawing import tab as drawing
from webui.tabs.drawing.rows.lists import current, lists_of
from webui.tabs.drawing.rows.styles import FIELD as STYLES
from webui.tabs.settings import model_lists
from webui.tabs.settings import tab as settings

TITLE = "Steady Diffusion"
# Gradio keeps a copy of the page's components, 230 kB, for each visitor. This page holds nothing there, so that who is
# forgotten loses nothing.
MOST_SESSIONS = 16
# A tab each, in this order.
DRAWING_TABS = (txt2img.TAB, img2img.TAB, extras.TAB)


def create_ui(store: JobStore, catalogue: CheckpointCatalogue, stop: Stop, intake: Intake | None = None) -> gr.Blocks:
    """Build the page. Without an `intake` no request of it may have a picture.

    It holds no value per visitor: what a tab shows comes from its browser and from the job store."""
    checkpoint = suits.chosen(catalogue, opts.values.sd_model_checkpoint)
    drawn = []
    with gr.Blocks(analytics_enabled=False, title=TITLE, fill_width=True) as blocks:
        header = bar.build(catalogue, checkpoint)
        with gr.Tabs(elem_id="steady_tabs", overflow_behavior="wrap"):
            for one in DRAWING_TABS:
                with gr.Tab(one.label, id=one.prefix, elem_id=f"tab_{one.prefix}", render_children=True):
                    drawn.append(drawing.build(one, checkpoint))
            with gr.Tab("PNG Info", id="png_info", elem_id="tab_png_info", render_children=True):
                png_info.build()
            with gr.Tab("Queue", id="queue", elem_id="tab_queue", render_children=True):
                queue.build()
            with gr.Tab("Models", id="models", elem_id="tab_models", render_children=True):
                models.build()
            with gr.Tab("Settings", id="settings", elem_id="tab_settings", render_children=True):
                choosing = settings.build()
        bar.wire(header, store, catalogue)
        for tab in drawn:
            drawing.wire(tab, header, store, catalogue, stop, intake)
            drawing.wire_load(tab, blocks.load, header.owner)
        settings.wire(choosing, header, store)
        lists = {name: field for tab in drawn for name, field in lists_of(tab.prefix, tab.fields).items()}
        _wire_settings_read(blocks, header, choosing, catalogue, lists)
    blocks.state_session_capacity = MOST_SESSIONS
    return blocks


def listeners_of(blocks: gr.Blocks) -> dict[int, int]:
    """Return how many values each listener on the server takes, by its number."""
    return {number: len(one.inputs) for number, one in blocks.fns.items() if one.fn is not None}


def _wire_settings_read(
    blocks: gr.Blocks,
    header: bar.Header,
    choosing: settings.SettingsTab,
    catalogue: CheckpointCatalogue,
    lists: Named,
) -> None:
    """When a page opens, and when settings have changed, it reads them anew, and the lists of models with them."""

    def lists_now() -> dict[str, Any]:
        return {**current(lists, catalogue), **model_lists.current(choosing.lists, catalogue)}

    def read_settings(_values: Values, _asker: gr.Request) -> Values:
        known = settings.current(choosing)
        return {**bar.current(catalogue), **lists_now(), "known": known}

    def read_lists(_values: Values, _asker: gr.Request) -> Values:
        catalogue.refresh()
        catalogue.vaes.refresh()
        return lists_now()

    every_list = together(lists, choosing.lists)
    on(header.refresh.click, read_lists, outputs=every_list)
    styles = {name: field for name, field in lists.items() if name.endswith(f" {STYLES}")}
    on(header.reload_styles.click, lambda _values, _asker: current(styles, catalogue), outputs=styles)
    outputs = {"checkpoint": header.checkpoint, "facts": header.facts, "known": choosing.known, **every_list}
    for event in (blocks.load, header.reload_settings.click):
        read = on(event, read_settings, outputs=outputs)
        bar.tell_page(read, header)
        settings.show_known(read, choosing)
