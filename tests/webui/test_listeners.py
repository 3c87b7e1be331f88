"""Values go by name between the page's listeners and its scripts; what the scripts are called, both sides agree on."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import gradio as gr
import pytest

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from tests.webui.conftest import no_stop
from webui.listeners import Script, ScriptName, Values, on, together
from webui.theme import ASSETS
from webui.ui import create_ui

CALL = re.compile(r"\.call\((\{.*?\}), values\)")


def functions_of_the_bridge() -> dict[str, list[str]]:
    """Return what `bridge.js` has for a drawing tab and for the page."""
    text = (ASSETS / "page" / "bridge.js").read_text()
    tables = re.findall(r"^const (forTabs|forPage) = \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL)
    return {name: re.findall(r"^  (\w+)[(:]", body, re.MULTILINE) for name, body in tables}


async def test_what_listeners_call_is_there_and_what_is_there_is_called(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    blocks = create_ui(store, catalogue, no_stop)
    sources = [one["js"] for one in blocks.config["dependencies"] if one["js"]]
    calls = [json.loads(found[1]) for one in sources if (found := CALL.search(one))]
    assert len(calls) == len(sources), "no other JavaScript stands in Python"
    called = {"forTabs": {one["name"] for one in calls if one["tab"]}, "forPage": set()}
    called["forPage"] = {one["name"] for one in calls if not one["tab"]}
    known = functions_of_the_bridge()
    assert {name: sorted(found) for name, found in called.items()} == {name: sorted(one) for name, one in known.items()}
    assert sorted(get_args(ScriptName)) == sorted([*known["forTabs"], *known["forPage"]])


async def test_a_field_tells_of_itself_alone_and_none_is_forgotten(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    blocks = create_ui(store, catalogue, no_stop)
    kept: dict[str, set[str]] = {}
    whole: dict[str, list[set[str]]] = {}
    for one in blocks.config["dependencies"]:
        found = CALL.search(one["js"] or "")
        call = json.loads(found[1]) if found else {}
        if call.get("name") == "restore":
            whole.setdefault(call["tab"], []).append(set(call["takes"]))
        if call.get("name") != "remember":
            continue
        if [event for _, event in one["targets"]] == ["change"]:
            assert [component for component, _ in one["targets"]] == one["inputs"]
            kept.setdefault(call["tab"], set()).update(call["takes"])
        else:
            whole.setdefault(call["tab"], []).append(set(call["takes"]))  # what was taken over, and what was taken back
    assert kept
    assert {tab: [fields] * 3 for tab, fields in kept.items()} == whole


async def test_values_come_and_go_by_name_whatever_their_order() -> None:
    heard: list[Values] = []

    def answer(values: Values, asker: gr.Request) -> Values:
        heard.append(values)
        return {"second": 2, "first": 1}

    with gr.Blocks() as blocks:
        first, second, button = gr.Number(), gr.Number(), gr.Button()
        inputs = {"second": second, "first": first}
        on(button.click, answer, inputs, {"first": first, "second": second}, Script("shownJob", "a"))
        on(button.click, answer, inputs, {"second": second})
        on(button.click, None, inputs, {"first": first}, Script("swapSides", "a", waits=False))
    both, one, browser = blocks.fns.values()
    assert [component._id for component in both.inputs] == [second._id, first._id]
    asker: Any = None
    assert (both.fn(asker, "s", "f"), one.fn(asker, "s", "f")) == ([1, 2], 2)
    assert heard == [{"second": "s", "first": "f"}] * 2
    assert '"takes": ["second", "first"], "gives": ["second", "first"]' in str(both.js), "the new inputs"
    assert '"gives": ["first"]}, values) ?? [values[1]]' in str(browser.js), "as it was, before the scripts are there"


def test_a_name_stands_for_one_component() -> None:
    assert together({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="stands for two"):
        together({"a": 1}, {"b": 2, "a": 3})
