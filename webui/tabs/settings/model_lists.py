"""Settings that hold the name of a model: each has a list of those that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.shared import opts
from webui.listeners import Named
from webui.tabs.drawing.rows import upscaling


def _vaes(catalogue: CheckpointCatalogue) -> list[str]:
    return [AUTOMATIC, NONE, *(vae.name for vae in catalogue.vaes.list() if vae.problem is None)]


LISTS: Mapping[str, Callable[[CheckpointCatalogue], list[str]]] = {
    "sd_vae": _vaes,
    "upscaler_for_img2img": upscaling.names,
}


def current(fields: Named, catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the lists of these fields as they are now; what is chosen stays, also where its file is gone."""
    return {name: gr.update(choices=_listed(name, catalogue)) for name in fields}


def _listed(name: str, catalogue: CheckpointCatalogue) -> list[str]:
    return list(dict.fromkeys([*LISTS[name](catalogue), getattr(opts.values, name)]))
