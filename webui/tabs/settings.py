"""The Settings tab, made from the typed settings themselves: a new setting appears here without a line of code."""

from __future__ import annotations

import html as escaping
from dataclasses import dataclass
from itertools import groupby

import gradio as gr

from modules.errors import SteadyError
from modules.jobs.store import JobStore
from modules.options import SettingField, fields_of_settings
from modules.shared import opts, state
from webui.components import Component, Values, html, on
from webui.live import SETTINGS_SEARCH

# Chosen in the bar at the top, always in sight.
ELSEWHERE = ("sd_model_checkpoint",)
MESSAGE = '<p class="sd-answer" data-tone="{tone}" role="status">{words}</p>'


@dataclass(frozen=True)
class SettingsTab:
    """The components of the tab; `fields` by the setting's name."""

    fields: dict[str, Component]
    apply: Component
    restart_server: Component
    restart_engine: Component
    answer: Component


def shown_fields() -> tuple[SettingField, ...]:
    """Return the settings of this tab, in their order."""
    return tuple(one for one in fields_of_settings() if one.name not in ELSEWHERE)


def build() -> SettingsTab:
    """Make the tab. Values are the defaults until the page has loaded: the page's hash must not depend on settings."""
    fields: dict[str, Component] = {}
    with gr.Column(elem_id="steady_settings", elem_classes=["sd-settings"]):
        with gr.Row(elem_classes=["sd-settings-bar"]):
            html(SETTINGS_SEARCH, classes=["sd-search-cell"])
            apply = gr.Button("Apply", variant="primary", elem_id="settings_submit")
            restart_server = gr.Button("Restart server", elem_id="settings_restart_gradio")
            restart_engine = gr.Button("Restart engine", elem_id="settings_restart_engine")
        answer = html("", "settings_result")
        for section, members in groupby(shown_fields(), key=lambda one: one.section):
            with gr.Column(elem_classes=["sd-panel", "sd-section"]):
                html(f"<h2>{escaping.escape(section)}</h2>")
                for one in members:
                    fields[one.name] = _component(one)
    return SettingsTab(fields, apply, restart_server, restart_engine, answer)


def _component(one: SettingField) -> Component:
    """Make the component that suits the setting's type. tabs.css marks those that need a restart by their class."""
    info = " · ".join(part for part in (one.help.rstrip("."), f"default: {shown(one.default)}") if part)
    common = {"label": one.label, "info": info, "elem_id": f"setting_{one.name}",
              "elem_classes": ["sd-setting", f"sd-needs-{one.needs}"]}  # fmt: skip
    if one.type is bool:
        return gr.Checkbox(bool(one.default), **common)
    if one.type is int:
        return gr.Number(int(one.default), precision=0, **common)
    if one.choices:
        return gr.Dropdown(list(one.choices), value=str(one.default), filterable=False, **common)
    return gr.Textbox(str(one.default), **common)


def shown(value: bool | int | str) -> str:
    """Say a value as the page says it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def current(tab: SettingsTab) -> list[object]:
    """Return the settings as they are now, in the order of the tab's fields."""
    opts.refresh()
    return [getattr(opts.values, name) for name in tab.fields]


def wire(tab: SettingsTab, store: JobStore) -> None:
    """Join the buttons with the settings and the launcher."""

    def apply(values: Values) -> str:
        return apply_settings(store, {name: values[component] for name, component in tab.fields.items()})

    def restart_server() -> str:
        state.request_restart()
        return MESSAGE.format(tone="quiet", words="The server is being replaced. This page and a running job go on.")

    def restart_engine() -> str:
        state.server_command = "restart-engine"
        return MESSAGE.format(tone="quiet", words="The engine starts again. The queue is kept, a running job goes on.")

    on(tab.apply.click, apply, set(tab.fields.values()), tab.answer)
    on(tab.restart_server.click, restart_server, None, tab.answer)
    on(tab.restart_engine.click, restart_engine, None, tab.answer)


def apply_settings(store: JobStore, values: dict[str, object]) -> str:
    """Change what differs, all or nothing. Return the words for the page: what changed and what it still needs."""
    try:
        changed = opts.update(values)
    except SteadyError as error:
        return MESSAGE.format(tone="problem", words=escaping.escape(f"Nothing was changed. {error}"))
    if not changed:
        return MESSAGE.format(tone="quiet", words="All of this is set already.")
    store.note_settings(changed)
    labels = {one.name: one for one in fields_of_settings()}
    words = "Saved: " + ", ".join(labels[name].label for name in changed) + "."
    needs = {labels[name].needs for name in changed}
    if "engine" in needs:
        words += " Restart the engine for it to take effect; a running job goes on after that."
    if "server" in needs:
        words += " Restart the server for it to take effect; a running job just goes on."
    return MESSAGE.format(tone="good", words=escaping.escape(words))
