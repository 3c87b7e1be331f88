"""The page: builds the bar and the tabs, then joins them."""

from __future__ import annotations

import gradio as gr

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.shared import opts
from webui import checkpoint_facts as suits
from webui import header as bar
from webui.actors import Stop
from webui.components import on
from webui.tabs import queue, settings, txt2img

TITLE = "Steady Diffusion"
# Gradio keeps a copy of the page's components, 230 kB, for each visitor. This page holds nothing there, so that who is
# forgotten loses nothing.
MOST_SESSIONS = 16


def create_ui(store: JobStore, catalogue: CheckpointCatalogue, stop: Stop) -> gr.Blocks:
    """Build the page. It holds no value per visitor: what a tab shows comes from its browser and from the job store."""
    checkpoint = suits.chosen(catalogue, opts.values.sd_model_checkpoint)
    with gr.Blocks(analytics_enabled=False, title=TITLE, fill_width=True) as blocks:
        header = bar.build(catalogue, checkpoint)
        with gr.Tabs(elem_id="steady_tabs"):
            with gr.Tab("txt2img", id="txt2img", elem_id="tab_txt2img", render_children=True):
                drawing = txt2img.build(checkpoint)
            with gr.Tab("Queue", id="queue", elem_id="tab_queue", render_children=True):
                queue.build()
            with gr.Tab("Settings", id="settings", elem_id="tab_settings", render_children=True):
                choosing = settings.build()
        bar.wire(header, store, catalogue)
        txt2img.wire(drawing, header, store, catalogue, stop)
        settings.wire(choosing, header, store)
        _wire_load(blocks, header, drawing, choosing, catalogue)
    blocks.state_session_capacity = MOST_SESSIONS
    return blocks


def listeners_of(blocks: gr.Blocks) -> dict[int, int]:
    """Return how many values each listener on the server takes, by its number."""
    return {number: len(one.inputs) for number, one in blocks.fns.items() if one.fn is not None}


def _wire_load(
    blocks: gr.Blocks,
    header: bar.Header,
    drawing: txt2img.Txt2Img,
    choosing: settings.SettingsTab,
    catalogue: CheckpointCatalogue,
) -> None:
    """What a page does when it opens: its owner and inputs come from the browser, the settings from the server."""
    names = list(drawing.fields)

    def read_settings() -> list[object]:
        return [*bar.current(catalogue), settings.current(choosing)]

    on(blocks.load, None, list(drawing.fields.values()), [*drawing.fields.values(), header.owner],
       js=f"async (...values) => (await window.steadyReady).restore({names!r}, values)")  # fmt: skip
    outputs = [header.checkpoint, header.facts, choosing.known]
    for event in (blocks.load, header.reload_settings.click):
        read = on(event, read_settings, None, outputs)
        bar.tell_page(read, header)
        settings.show_known(read, choosing)
