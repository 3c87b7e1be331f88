"""What a script leads to, told while its fields are filled in: how many pictures and models, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import gradio as gr

from modules.errors import InvalidRequest, SteadyError
from modules.jobs.kinds.base import Emphasis
from modules.jobs.kinds.grid.axes import options_of
from modules.jobs.kinds.grid.axis_option import Choices, Tab
from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.registry import validate_request
from modules.jobs.kinds.scripts import without_script
from modules.jobs.kinds.start_fields import MASKED_CONTENTS, RESIZE_MODES
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from modules.shared import opts
from webui.listeners import Component, Named, Script, Values, on, together
from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.rows.script import ASK, TOLD, WANTED
from webui.tabs.drawing.rows.upscaling import names as pixel_upscalers
from webui.tabs.drawing.submitting import request_in

_LONGEST_QUESTION = 2000
# Stands for the picture that a job of img2img begins with: it goes to the server with Generate alone.
_A_PICTURE = "0" * 64 + ".png"

LISTS: Mapping[Choices, Callable[[CheckpointCatalogue], Sequence[str]]] = {
    "samplers": lambda _catalogue: [one.name for one in SAMPLERS],
    "schedulers": lambda _catalogue: [one.label for one in SCHEDULES],
    "checkpoints": lambda catalogue: [one.name for one in catalogue.list() if one.problem is None],
    "vaes": lambda catalogue: [AUTOMATIC, NONE, *(one.name for one in catalogue.vaes.list() if one.problem is None)],
    "upscalers": pixel_upscalers,
    "hires_upscalers": lambda catalogue: [*LATENT_MODES, *pixel_upscalers(catalogue)],
    "styles": lambda catalogue: [style.name for style in catalogue.library.styles.styles()],
    "networks": lambda catalogue: [
        catalogue.networks.names().name_of(one) for one in catalogue.files.list("lora") if one.problem is None
    ],
    "switch": lambda _catalogue: ["True", "False"],
    "emphasis": lambda _catalogue: get_args(Emphasis),
    "masked_contents": lambda _catalogue: MASKED_CONTENTS,
    "resize_modes": lambda _catalogue: RESIZE_MODES,
}


def wire(of: Blueprint, fields: Named, others: Named, checkpoint: Component, catalogue: CheckpointCatalogue) -> None:
    """Answer the page's scripts when something in the fields has changed while a script is chosen."""

    def answer(values: Values, _asker: gr.Request) -> Values:
        return {"told": json.dumps(plan(of, fields, values, catalogue))}

    asked = on(others[ASK].click, answer, together(fields, {"checkpoint": checkpoint, "wanted": others[WANTED]}),
               {"told": others[TOLD]}, Script("asksScript", of.prefix), trigger_mode="multiple")  # fmt: skip
    on(asked.then, None, {"told": others[TOLD]}, script=Script("scriptTold", of.prefix))


def plan(of: Blueprint, fields: Named, values: Values, catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return what the page tells of a script: its `number` is that of the question.

    `shape` is how many values stand along x, y and z, `pictures` how many there will be, `models` how many checkpoints
    they need, `work` their steps times pixels; or a `problem` with message and field. `lists` are what can be chosen
    for the axes that the question names.
    """
    question = _question(values.get("wanted"))
    tab: Tab = "img2img" if of.kind == "img2img" else "txt2img"
    told: dict[str, Any] = {"number": question.get("number"), "lists": _lists(question.get("lists"), tab, catalogue)}
    try:
        request = request_in(of, fields, values)
        if of.kind == "img2img":
            request["init_images"] = request.get("init_images") or [_A_PICTURE]
        grid = validate_request(*without_script(of.kind, request))
        if isinstance(grid, GridRequest):
            told |= _told(grid) | {"models": _models(grid, catalogue)}
    except InvalidRequest as error:
        return told | {"problem": {"message": str(error), "field": error.field}}
    except SteadyError as error:
        return told | {"problem": {"message": str(error), "field": None}}
    return told


def _told(grid: GridRequest) -> dict[str, Any]:
    cells = grid.cells()
    return {
        "shape": list(grid.plan.layout.shape),
        "pictures": grid.image_count,
        "work": sum(_work(cell.request.model_dump(include={"width", "height", "steps"})) * cell.request.image_count
                    for cell in cells),
    }  # fmt: skip


def _work(asked: Mapping[str, Any]) -> int:
    return (asked.get("width") or 0) * (asked.get("height") or 0) * (asked.get("steps") or 0)


def _models(grid: GridRequest, catalogue: CheckpointCatalogue) -> int:
    """Return how many checkpoints the grid needs.

    Raises:
        InvalidRequest, ModelError: one is not here, or cannot be used.
    """
    chosen = grid.chosen(catalogue, opts.values)
    drawing = (one for choice in chosen.choices for one in (choice.checkpoint, choice.refiner, choice.hires))
    return len({one.name for one in drawing if one is not None})


def _question(text: object) -> dict[str, Any]:
    try:
        asked = json.loads(text) if isinstance(text, str) and len(text) <= _LONGEST_QUESTION else None
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


def _lists(labels: object, tab: Tab, catalogue: CheckpointCatalogue) -> dict[str, list[str]]:
    wanted = labels if isinstance(labels, list) else []
    known = {one.label: one.choices for one in options_of(tab) if one.choices is not None}
    return {
        label: list(LISTS[known[label]](catalogue)) for label in wanted if isinstance(label, str) and label in known
    }
