"""The Settings tab, made from the typed settings themselves: a new setting appears here without a line of code."""

from __future__ import annotations

import html as escaping
import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import gradio as gr

from modules.jobs.store.job_store import JobStore
from modules.options import fields_of_settings
from modules.setting_field import SettingField
from modules.shared import opts
from webui.actors import actor
from webui.components import hidden_text, html
from webui.header import Header
from webui.listeners import Component, Named, Script, Values, on, on_any, together
from webui.tabs.settings import model_lists, parts, restarts
from webui.tabs.settings.applying import apply_settings, names_in

# Chosen in the bar at the top, always in sight.
ELSEWHERE = ("sd_model_checkpoint",)


@dataclass(frozen=True)
class SettingsTab:
    """The components of the tab; `fields` by the setting's name.

    `known` is what the server has, as JSON for the page's scripts; `unsaved` the names of what differs from that.
    """

    fields: Named
    known: Component
    unsaved: Component
    apply: Component
    restarts: restarts.Restarts
    answer: Component

    @property
    def lists(self) -> Named:
        """The fields with lists that change with the files that are there."""
        return {name: self.fields[name] for name in model_lists.LISTS}


def shown_fields() -> tuple[SettingField, ...]:
    """Return the settings of this tab, in their order."""
    return tuple(one for one in fields_of_settings() if one.name not in ELSEWHERE)


def build() -> SettingsTab:
    """Make the tab. Values are the defaults until the page has loaded: the page's hash must not depend on settings."""
    fields: dict[str, Component] = {}
    with gr.Column(elem_id="steady_settings", elem_classes=["sd-settings"]):
        with gr.Row(elem_classes=["sd-settings-bar"]):
            html(parts.SEARCH, classes=["sd-search-cell"])
            apply = gr.Button("Apply", variant="primary", elem_id="settings_submit")
            restarting = restarts.build()
        html(parts.RIGHTS)
        html(parts.WAITING)
        answer = html("", "settings_result")
        html(parts.NONE, classes=["sd-none-cell"])
        for section, members in groupby(shown_fields(), key=lambda one: one.section):
            with gr.Column(elem_classes=["sd-panel", "sd-section"]):
                html(f"<h2>{escaping.escape(section)}</h2>")
                for one in members:
                    fields[one.name] = _component(one)
        for more in (parts.OTHER_DEVICE, parts.WHEN_DONE, parts.AUDIT, parts.ABOUT):
            html(more, classes=["sd-panel", "sd-section"])
    return SettingsTab(
        fields=fields,
        known=hidden_text("settings_known"),
        unsaved=hidden_text("settings_unsaved"),
        apply=apply,
        restarts=restarting,
        answer=answer,
    )


def _component(one: SettingField) -> Component:
    """Make the component that suits the setting's type. settings.css marks those that need a restart by their class."""
    info = " · ".join(part for part in (one.help.rstrip("."), f"default: {shown(one.default)}") if part)
    common = {"label": one.label, "info": info, "elem_id": f"setting_{one.name}",
              "elem_classes": ["sd-setting", f"sd-needs-{one.needs}"]}  # fmt: skip
    if one.type is bool:
        return gr.Checkbox(bool(one.default), **common)
    if one.type is int:
        return gr.Number(int(one.default), precision=0, **common)
    if one.type is float:
        return gr.Number(float(one.default), **common)
    if one.choices or one.name in model_lists.LISTS:
        choices = list(one.choices) or [str(one.default)]
        return gr.Dropdown(choices, value=str(one.default), filterable=False, **common)
    return gr.Textbox(str(one.default), **common)


def shown(value: bool | int | float | str) -> str:
    """Say a value as the page says it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "none"


def current(tab: SettingsTab) -> str:
    """Return the settings as they are now, as JSON for the page's scripts."""
    opts.refresh()
    return json.dumps({name: getattr(opts.values, name) for name in tab.fields})


def show_known(listener: Any, tab: SettingsTab) -> None:
    """After a listener that reads the settings anew: show them, save where this page has a choice not applied yet."""
    on(listener.then, None, together({"known": tab.known}, tab.fields), tab.fields, Script("settingsRead"))


def wire(tab: SettingsTab, header: Header, store: JobStore) -> None:
    """Join the buttons with the settings and the launcher."""

    def apply(values: Values, asker: gr.Request) -> Values:
        chosen = names_in(values["unsaved"])
        changes = {name: values[name] for name in tab.fields if name in chosen}
        return {"answer": apply_settings(store, changes, actor(values["owner"], asker))}

    answer = {"answer": tab.answer}
    sent = together(tab.fields, {"unsaved": tab.unsaved, "owner": header.owner})
    applied = on(tab.apply.click, apply, sent, answer, Script("settingsUnsaved"))
    on(applied.then, None, answer, script=Script("settingsAnswered"))
    changes = [field.change for field in tab.fields.values()]
    on_any(changes, None, tab.fields, script=Script("settingsChanged", waits=False))
    restarts.wire(tab.restarts, header.owner, tab.answer, store)
