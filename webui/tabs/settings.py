"""The Settings tab, made from the typed settings themselves: a new setting appears here without a line of code."""

from __future__ import annotations

import html as escaping
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import gradio as gr

from modules.errors import SteadyError
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import refusal_of_guest
from modules.options import SettingField, fields_of_settings
from modules.shared import opts
from webui.actors import actor, order
from webui.components import Component, Values, hidden_button, hidden_text, html, on, on_any
from webui.header import Header
from webui.live import (
    ABOUT,
    AUDIT,
    OTHER_DEVICE,
    SETTINGS_NONE,
    SETTINGS_RIGHTS,
    SETTINGS_SEARCH,
    SETTINGS_WAITING,
    WHEN_DONE,
)

# Chosen in the bar at the top, always in sight.
ELSEWHERE = ("sd_model_checkpoint",)
# What the list of moments shows, and the ending of the launcher's command for it.
WHEN = (("now", ""), ("after this image", "-after-image"), ("when idle", "-when-idle"))
LABELS = {ending: label for label, ending in WHEN}  # when nothing has to be waited for, all that the page can say
MESSAGE = '<p class="sd-answer" data-tone="{tone}" data-of="{of}" data-faults="{faults}" role="status">{words}</p>'


@dataclass(frozen=True)
class SettingsTab:
    """The components of the tab; `fields` by the setting's name.

    `known` is what the server has, as JSON for the page's scripts; `unsaved` the names of what differs from that.
    """

    fields: dict[str, Component]
    known: Component
    unsaved: Component
    apply: Component
    restart_when: Component
    restart_server: Component
    restart_engine: Component
    cancel_restart: Component
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
            with gr.Row(elem_classes=["sd-restart"]):
                restart_server = gr.Button("Restart server", elem_id="settings_restart_gradio")
                restart_engine = gr.Button("Restart engine", elem_id="settings_restart_engine")
                when = gr.Dropdown(
                    list(WHEN), value="", label="When to restart", elem_id="settings_restart_when",
                    filterable=False, container=False, min_width=0,
                )  # fmt: skip
        html(SETTINGS_RIGHTS)
        html(SETTINGS_WAITING)
        answer = html("", "settings_result")
        html(SETTINGS_NONE, classes=["sd-none-cell"])
        for section, members in groupby(shown_fields(), key=lambda one: one.section):
            with gr.Column(elem_classes=["sd-panel", "sd-section"]):
                html(f"<h2>{escaping.escape(section)}</h2>")
                for one in members:
                    fields[one.name] = _component(one)
        html(OTHER_DEVICE, classes=["sd-panel", "sd-section"])
        html(WHEN_DONE, classes=["sd-panel", "sd-section"])
        html(AUDIT, classes=["sd-panel", "sd-section"])
        html(ABOUT, classes=["sd-panel", "sd-section"])
    return SettingsTab(
        fields=fields,
        known=hidden_text("settings_known"),
        unsaved=hidden_text("settings_unsaved"),
        apply=apply,
        restart_when=when,
        restart_server=restart_server,
        restart_engine=restart_engine,
        cancel_restart=hidden_button("Do not restart", "settings_cancel_restart"),
        answer=answer,
    )


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


def current(tab: SettingsTab) -> str:
    """Return the settings as they are now, as JSON for the page's scripts, in the order of the tab's fields."""
    opts.refresh()
    return json.dumps({"names": list(tab.fields), "values": [getattr(opts.values, name) for name in tab.fields]})


def show_known(listener: Any, tab: SettingsTab) -> None:
    """After a listener that reads the settings anew: show them, save where this page has a choice not applied yet."""
    fields = list(tab.fields.values())
    on(listener.then, None, [tab.known, *fields], fields,
       js="async (json, ...values) => (await window.steadyReady).settingsRead(json, ...values)")  # fmt: skip


def wire(tab: SettingsTab, header: Header, store: JobStore) -> None:
    """Join the buttons with the settings and the launcher."""

    def apply(values: Values, asker: gr.Request) -> str:
        chosen = names_in(values[tab.unsaved])
        changes = {name: values[component] for name, component in tab.fields.items() if name in chosen}
        return apply_settings(store, changes, actor(values[header.owner], asker))

    inputs = {*tab.fields.values(), tab.unsaved, header.owner}
    place = sorted(component._id for component in inputs).index(tab.unsaved._id)  # in which Gradio hands them on
    named = f"(...values) => {{ values[{place}] = window.steady.settingsUnsaved(); return values; }}"
    applied = on(tab.apply.click, apply, inputs, tab.answer, js=named)
    on(applied.then, None, tab.answer, None,
       js="(answer) => { window.steady.settingsAnswered(answer); return []; }")  # fmt: skip
    fields = list(tab.fields.values())
    on_any([field.change for field in fields], None, fields, None,
           js="(...values) => { window.steady?.settingsChanged(...values); return []; }")  # fmt: skip
    _wire_restarts(tab, header, store)


def names_in(sent: object) -> list[object]:
    """Return the names in a JSON list that a page sent; none in what is no such list."""
    try:
        found = json.loads(sent) if isinstance(sent, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, list) else []


def _wire_restarts(tab: SettingsTab, header: Header, store: JobStore) -> None:
    """Restarts are commands to the launcher, which waits for the moment and tells every page what waits."""

    def restart(target: str, when: str, now: str, later: str, owner: str, asker: gr.Request) -> str:
        if not isinstance(when, str) or when not in LABELS:
            no_moment = f"{str(when)[:40]!r} is no moment to restart at: choose {' or '.join(LABELS.values())}."
            return message("problem", no_moment)
        refusal = order(store, target + when, owner, asker)
        if refusal is not None:
            return message("problem", refusal)
        return message("quiet", f"{later} {LABELS[when]}." if when else now)

    def restart_server(when: str, owner: str, asker: gr.Request) -> str:
        now = "The server is being replaced. This page and a running job go on."
        return restart("restart", when, now, "The server is replaced", owner, asker)

    def restart_engine(when: str, owner: str, asker: gr.Request) -> str:
        now = "The engine starts again. The queue is kept, a running job goes on."
        return restart("restart-engine", when, now, "The engine starts again", owner, asker)

    def cancel(owner: str, asker: gr.Request) -> str:
        return restart("cancel-restart", "", "No restart waits any more.", "", owner, asker)

    on(tab.restart_server.click, restart_server, [tab.restart_when, header.owner], tab.answer)
    on(tab.restart_engine.click, restart_engine, [tab.restart_when, header.owner], tab.answer)
    on(tab.cancel_restart.click, cancel, header.owner, tab.answer)


def message(tone: str, words: str, faults: Mapping[str, str] | None = None) -> str:
    """Write an answer for the page; `faults` say by the setting's name what is wrong. No two answers are alike.

    (Gradio does not show one again that it believes to stand there already.)
    """
    said = json.dumps(faults or {}, ensure_ascii=False)
    return MESSAGE.format(
        tone=tone, of=secrets.token_hex(4), faults=escaping.escape(said), words=escaping.escape(words)
    )


def apply_settings(store: JobStore, values: dict[str, object], who: Actor | None = None) -> str:
    """Change what differs, all or nothing. Return the words for the page: what changed and what it still needs."""
    if who is not None and who.only_own:
        refusal = refusal_of_guest("Changing settings", who.address)
        return message("problem", refusal)
    known = {one.name: one for one in fields_of_settings()}
    faults = {name: fault for name, value in values.items() if name in known and (fault := known[name].fault(value))}
    if faults:
        where = ", ".join(f"“{known[name].label}”" for name in faults)
        return message("problem", f"Nothing was changed: {where} cannot be so.", faults)
    try:
        changed = opts.update(values)
    except SteadyError as error:
        return message("problem", f"Nothing was changed. {error}")
    if not changed:
        return message("quiet", "All of this is set already.")
    store.audit.note_settings(changed, by=who)
    words = "Saved: " + ", ".join(known[name].label for name in changed) + "."
    needs = {known[name].needs for name in changed}
    if "engine" in needs:
        words += " Restart the engine for it to take effect; a running job goes on after that."
    if "server" in needs:
        words += " Restart the server for it to take effect; a running job just goes on."
    return message("good", words)
