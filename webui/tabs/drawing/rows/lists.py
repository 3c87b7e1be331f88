"""The lists of drawing tabs that change with the files that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from modules.jobs.kinds.choice import MODULES
from modules.jobs.models.catalogue import CheckpointCatalogue
from webui.listeners import Named
from webui.tabs.drawing.rows import captions, hires, parts, styles, upscaling

# What a list shows now, and more that Gradio is told of it.
Listed = Mapping[str, Any]

LISTS: Mapping[str, Callable[[CheckpointCatalogue], Listed]] = {
    "sd_vae": parts.vaes,
    styles.FIELD: styles.listed,
    MODULES: parts.beside,
    "refiner_checkpoint": parts.refiners,
    "hr_checkpoint_name": hires.checkpoints,
    "hr_upscaler": hires.upscalers,
    "upscaler_1": upscaling.listed,
    "upscaler_2": upscaling.listed,
    "gfpgan_visibility": upscaling.gfpgan,
    "codeformer_visibility": upscaling.codeformer,
    "codeformer_weight": upscaling.codeformer,
    "upscale_first": upscaling.any_restorer,
    "captioner": captions.captioners,
}


def lists_of(prefix: str, fields: Named) -> Named:
    """Return the fields whose lists change with the files that are there, under names of their own."""
    return {f"{prefix} {name}": fields[name] for name in LISTS if name in fields}


def current(lists: Named, catalogue: CheckpointCatalogue) -> Mapping[str, Any]:
    """Return the lists as they are now; what is chosen stays."""
    kinds = {name: name.rpartition(" ")[2] for name in lists}
    listed = {kind: LISTS[kind](catalogue) for kind in set(kinds.values())}
    return {name: gr.update(**listed[kind]) for name, kind in kinds.items()}
