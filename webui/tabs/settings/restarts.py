"""Restarts are commands to the launcher, which waits for the moment and tells every page what waits."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from modules.jobs.store.job_store import JobStore
from webui.actors import order
from webui.components import hidden_button
from webui.listeners import Component, Values, on, together
from webui.tabs.settings.answers import message

# What the list of moments shows, and the ending of the launcher's command for it.
WHEN = (("now", ""), ("after this image", "-after-image"), ("when idle", "-when-idle"))
LABELS = {ending: label for label, ending in WHEN}  # when nothing has to be waited for, all that the page can say


@dataclass(frozen=True)
class Restarts:
    """The buttons, and the list of moments."""

    server: Component
    engine: Component
    when: Component
    cancel: Component


def build() -> Restarts:
    """Make them."""
    with gr.Row(elem_classes=["sd-restart"]):
        server = gr.Button("Restart server", elem_id="settings_restart_gradio")
        engine = gr.Button("Restart engine", elem_id="settings_restart_engine")
        when = gr.Dropdown(
            list(WHEN), value="", label="When to restart", elem_id="settings_restart_when",
            filterable=False, container=False, min_width=0,
        )  # fmt: skip
    return Restarts(server, engine, when, hidden_button("Do not restart", "settings_cancel_restart"))


def wire(buttons: Restarts, owner: Component, answer: Component, store: JobStore) -> None:
    """Make the buttons give their commands; `answer` shows what came of it."""

    def restart(target: str, when: object, now: str, later: str, who: object, asker: gr.Request) -> Values:
        if not isinstance(when, str) or when not in LABELS:
            no_moment = f"{str(when)[:40]!r} is no moment to restart at: choose {' or '.join(LABELS.values())}."
            return {"answer": message("problem", no_moment)}
        refusal = order(store, target + when, who, asker)
        if refusal is not None:
            return {"answer": message("problem", refusal)}
        return {"answer": message("quiet", f"{later} {LABELS[when]}." if when else now)}

    def restart_server(values: Values, asker: gr.Request) -> Values:
        now = "The server is being replaced. This page and a running job go on."
        return restart("restart", values["when"], now, "The server is replaced", values["owner"], asker)

    def restart_engine(values: Values, asker: gr.Request) -> Values:
        now = "The engine starts again. The queue is kept, a running job goes on."
        return restart("restart-engine", values["when"], now, "The engine starts again", values["owner"], asker)

    def cancel(values: Values, asker: gr.Request) -> Values:
        return restart("cancel-restart", "", "No restart waits any more.", "", values["owner"], asker)

    whose = {"owner": owner}
    shown = {"answer": answer}
    on(buttons.server.click, restart_server, together({"when": buttons.when}, whose), shown)
    on(buttons.engine.click, restart_engine, together({"when": buttons.when}, whose), shown)
    on(buttons.cancel.click, cancel, whose, shown)
