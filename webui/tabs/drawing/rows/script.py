"""What A1111 calls a script, a grid of pictures here: a row of a drawing tab that stays closed until one is chosen.

The page's scripts make its fields (`assets/script/`); for Gradio and the server they are one text, JSON with the title
that is `chosen` and by title the arguments.
"""

from __future__ import annotations

import html as escaping
import json
from collections.abc import Callable, Mapping
from typing import Any

from modules.jobs.kinds.grid.axes import options_of
from modules.jobs.kinds.grid.axis_option import Tab
from webui.components import hidden_button, hidden_text, html
from webui.tabs.drawing.form import Form, Row

FIELD = "script"
ASK, WANTED, TOLD = "script_ask", "script_wanted", "script_told"
_FOLD = """
<button type="button" class="sd-parts-button" data-script aria-expanded="false" aria-controls="{box}"
  ><span>Script</span><span class="sd-parts-set"></span></button>
<div class="sd-script" id="{box}" data-axes="{axes}"></div>
"""
Fields = Callable[[Mapping[str, Any]], dict[str, Any]]


def script(tab: Tab) -> Row:
    """Return the row for a tab: the axes that an X/Y/Z plot can have there are told to the page's scripts."""

    def row(form: Form) -> None:
        axes = [{"label": one.label, "choices": one.choices} for one in options_of(tab) if one.is_listed(tab)]
        box = form.id("script_container")
        html(_FOLD.format(box=box, axes=escaping.escape(json.dumps(axes))))
        form.add(FIELD, hidden_text(form.id(FIELD)), home=box)
        form.others[ASK] = hidden_button("Count the pictures of the script", form.id(ASK))
        form.others[WANTED] = hidden_text(form.id(WANTED))
        form.others[TOLD] = hidden_text(form.id(TOLD))

    return row


def with_script(request: Fields) -> Fields:
    """Return what makes a request of the fields' values, with the script that is chosen in them."""

    def requested(values: Mapping[str, Any]) -> dict[str, Any]:
        others = {name: value for name, value in values.items() if name != FIELD}
        return request(others) | chosen_in(values.get(FIELD))

    return requested


def with_script_shown(shown: Fields) -> Fields:
    """Return what makes the fields' values of a request, with its script; one that says nothing of any changes none."""

    def shows(asked: Mapping[str, Any]) -> dict[str, Any]:
        values = shown(asked)
        for name in ("script_name", "script_args"):
            values.pop(name, None)
        if FIELD in asked:
            values[FIELD] = text_of(asked[FIELD], asked.get("script_args"))
        return values

    return shows


def chosen_in(text: object) -> dict[str, Any]:
    """Return of a field's text what a request has of it: nothing where no script is chosen."""
    try:
        said = json.loads(text) if isinstance(text, str) and text else {}
    except (ValueError, RecursionError):
        return {}
    title = said.get("chosen") if isinstance(said, dict) else None
    if not isinstance(title, str) or not title:
        return {}
    arguments = said.get(title)
    return {"script_name": title, "script_args": arguments if isinstance(arguments, dict) else {}}


def text_of(title: object, arguments: object) -> str:
    """Return the field's text for a script with its arguments, "" for none."""
    if not isinstance(title, str) or not title:
        return ""
    return json.dumps({"chosen": title, title: arguments if isinstance(arguments, dict) else {}})
