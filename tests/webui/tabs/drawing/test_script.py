"""The fields of a script: what is sent of them, what they show of a request, what is told while they are filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modules.jobs.kinds.grid.axes import OPTIONS, options_of
from modules.jobs.kinds.grid.scripts import SCRIPTS
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Options
from tests.javascript.model import evaluate
from tests.jobs.made_models import make_model
from webui.tabs import img2img, txt2img
from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.rows.script import FIELD, chosen_in, text_of
from webui.tabs.drawing.script_plan import LISTS, plan

ARGUMENTS = {"x_type": "Steps", "x_values": "5-15 (+5)", "y_type": "Sampler", "y_values_dropdown": ["Euler", "UniPC"]}
TEXT = json.dumps({"chosen": "X/Y/Z plot", "X/Y/Z plot": ARGUMENTS, "Prompt matrix": {"put_at_start": True}})
FIELDS: dict[str, Any] = {
    "prompt": "a cat", "steps": 20, "width": 64, "height": 128, "n_iter": 1, "batch_size": 1, "enable_hr": False,
    FIELD: TEXT,
}  # fmt: skip
OF_IMG2IMG: dict[str, Any] = {
    "start_mode": "img2img", "batch_images": "", "init_images": "", "mask": "", "resize_by": "to", "as_condition": "",
}  # fmt: skip


def told(catalogue: CheckpointCatalogue, tab: Blueprint = txt2img.TAB, **values: Any) -> dict[str, Any]:
    question = json.dumps({"number": 3, "lists": values.pop("lists", [])})
    fields = FIELDS | (OF_IMG2IMG if tab is img2img.TAB else {}) | values
    names = dict.fromkeys(fields)
    return plan(tab, names, fields | {"checkpoint": "emoji", "wanted": question}, catalogue)


def test_a_request_has_the_script_that_is_chosen_and_its_arguments_alone() -> None:
    asked = txt2img.TAB.request(FIELDS)
    assert (asked["script_name"], asked["script_args"]) == ("X/Y/Z plot", ARGUMENTS)
    assert FIELD not in asked
    for text in ("", None, "{", "[" * 100_000, "[1]", json.dumps({"chosen": "", "Prompt matrix": {}}), 5):
        assert txt2img.TAB.request(FIELDS | {FIELD: text}).keys() == FIELDS.keys() - {FIELD}
    assert chosen_in(json.dumps({"chosen": "x", "x": [1]})) == {"script_name": "x", "script_args": {}}


def test_the_fields_show_the_script_of_a_grid_and_nothing_changes_in_them_where_none_is_told() -> None:
    shown = txt2img.TAB.shown({"prompt": "a cat", "script": "X/Y/Z plot", "script_args": ARGUMENTS})
    assert chosen_in(shown[FIELD]) == {"script_name": "X/Y/Z plot", "script_args": ARGUMENTS}
    assert "script_args" not in shown
    assert txt2img.TAB.shown({"script": ""})[FIELD] == text_of(None, None) == ""
    assert FIELD not in img2img.TAB.shown({"prompt": "a cat"})


def test_it_is_told_how_many_pictures_and_models_there_will_be(
    tmp_path: Path, catalogue: CheckpointCatalogue, options: Options
) -> None:
    found = told(catalogue, n_iter=2)
    assert (found["number"], found["shape"], found["pictures"], found["models"]) == (3, [3, 2, 1], 12, 1)
    assert found["work"] == 2 * 2 * (5 + 10 + 15) * 64 * 128
    for name in ("a", "b"):
        make_model(tmp_path / "Stable-diffusion" / name)
    models = CheckpointCatalogue([tmp_path])
    of_models = {"x_type": "Checkpoint name", "x_values_dropdown": ["a", "b"]}
    found = told(models, script=text_of("X/Y/Z plot", of_models), lists=["Checkpoint name", "Steps", "Nonsense", 3])
    assert (found["pictures"], found["models"], found["lists"]) == (2, 2, {"Checkpoint name": ["a", "b"]})
    assert told(catalogue, img2img.TAB)["pictures"] == 6, "its picture goes to the server with Generate alone"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"x_type": "Steps", "x_values": "5, abc"}, "script_args.x_values"),
        ({"y_type": "Steps", "y_values": "1, 10000"}, "script_args.y_values"),
        ({"y_type": "Sampler", "y_values_dropdown": ["Wishful"]}, "script_args.y_values"),
        ({"z_type": "No such"}, "script_args.z_type"),
        ({"x_type": "Seed", "x_values": "1-900", "y_type": "Steps", "y_values": "1-100"}, "script_args"),
        ({"margin_size": 5000}, "script_args.margin_size"),
    ],
)
def test_a_value_that_is_not_possible_is_told_at_its_field(
    catalogue: CheckpointCatalogue, options: Options, arguments: dict[str, Any], field: str
) -> None:
    found = told(catalogue, script=text_of("X/Y/Z plot", {"x_type": "Nothing"} | arguments))
    assert found["problem"]["field"].startswith(field)
    assert "pictures" not in found


def test_what_no_page_asks_is_answered_all_the_same(catalogue: CheckpointCatalogue, options: Options) -> None:
    for wanted in (None, "", "[1]", "{" * 5000, '{"lists": {"a": 1}}', '{"lists": [["Sampler"]]}'):
        answer = plan(txt2img.TAB, dict.fromkeys(FIELDS), FIELDS | {"checkpoint": "", "wanted": wanted}, catalogue)
        assert answer["number"] is None and answer["lists"] == {}
    assert "problem" in told(catalogue, steps="many")
    assert told(catalogue, script="")["lists"] == {}


def test_each_list_that_an_axis_names_can_be_made(catalogue: CheckpointCatalogue) -> None:
    named = {one.choices for one in OPTIONS if one.choices is not None}
    assert named <= LISTS.keys()
    assert all(isinstance(name, str) for kind in named for name in LISTS[kind](catalogue))
    for tab in ("txt2img", "img2img"):
        labels = [one.label for one in options_of(tab) if one.is_listed(tab)]
        assert len(labels) == len(set(labels)), "the page names axes by their labels"


def test_the_page_says_of_a_script_what_the_server_takes_for_left_out() -> None:
    first = evaluate(["../script/scripts.js"], {}, *(f"argsAtFirst({json.dumps(title)})" for title in SCRIPTS))
    for script, arguments in zip(SCRIPTS.values(), first, strict=True):
        defaults = {one.name: one.default for one in script.arguments}
        assert arguments == (defaults | {"x_type": "Nothing"} if "x_type" in defaults else defaults), script.title
