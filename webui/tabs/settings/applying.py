"""From the fields to the settings: only what this page has chosen is sent, and all of it is taken or nothing."""

from __future__ import annotations

import json

from modules.errors import SteadyError
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import refusal_of_guest
from modules.options import fields_of_settings
from modules.shared import opts
from webui.tabs.settings.answers import message


def names_in(sent: object) -> list[object]:
    """Return the names in a JSON list that a page sent; none in what is no such list."""
    try:
        found = json.loads(sent) if isinstance(sent, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, list) else []


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
