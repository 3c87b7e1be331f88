"""What the page must know of the checkpoints: their names, native sizes and the defaults that suit them."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict

from modules.jobs.flow_figures import FIGURES, STEPS, strays
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.samplers import SAMPLERS
from modules.options import Settings
from webui.guidance_words import distilled_of, key_of, words_of
from webui.sizes import presets

# What the page shows while no checkpoint is there at all.
NO_MODEL_SIZE = 512
FALLBACK_STEPS = 20
FALLBACK_CFG_SCALE = 7.0
FALLBACK_SAMPLER = "Euler"
FALLBACK_SCHEDULE = "Automatic"

# How many checkpoints the list at the top has, and how many of them the page itself brings along.
MOST_LISTED = 200
MOST_BROUGHT = 12

# Settings that the page's scripts follow.
PAGE_SETTINGS = ("show_progress_in_title", "show_progress_grid", "queue_history_shown")

# Prompts that a newcomer may try. The embedded model knows emoji; others know about anything.
EXAMPLES_OF_EMOJI = (
    "red heart",
    "unicorn",
    "hamburger",
    "pink flamingo",
    "a cat and a moon",
    "ghost on a purple background",
)
EXAMPLES_OF_OTHERS = ("a lighthouse at dusk, oil painting", "portrait of a cat, studio light", "a bowl of ramen")


def native_size(checkpoint: Checkpoint | None) -> tuple[int, int]:
    """Return width and height that a checkpoint draws best, in pixels."""
    return (checkpoint.native_width, checkpoint.native_height) if checkpoint else (NO_MODEL_SIZE, NO_MODEL_SIZE)


def listed(catalogue: CheckpointCatalogue, checkpoint: Checkpoint | None, most: int = MOST_LISTED) -> list[Checkpoint]:
    """Return the checkpoints that the page's list shows: the first ones by name, and in any case `checkpoint`.

    Thousands in it would make each page slow; the others are in the Models tab, and their names can be typed.
    """
    known = catalogue.list()
    shown = list(known[:most])
    if checkpoint is not None and all(one.name != checkpoint.name for one in shown):
        shown.append(checkpoint)
    return shown


def choices(checkpoints: Sequence[Checkpoint]) -> list[tuple[str, str]]:
    """Return (what the list shows, what it stands for) of each checkpoint; those that cannot be used say so."""
    return [(one.title if one.problem is None else f"{one.title} (cannot be used)", one.name) for one in checkpoints]


def chosen(catalogue: CheckpointCatalogue, wanted: str) -> Checkpoint | None:
    """Return the checkpoint that the setting names, else the first that can be used, else the first one, else None."""
    named = catalogue.known(wanted)
    if named is not None:
        return named
    known = catalogue.list()
    return next((one for one in known if one.problem is None), next(iter(known), None))


def shown(
    catalogue: CheckpointCatalogue, checkpoint: Checkpoint | None, settings: Settings
) -> tuple[Sequence[tuple[str, str]], str]:
    """Return the choices of the page's list and the facts about them; they are made once, until something changes."""
    return _shown(catalogue, catalogue.revision, checkpoint.name if checkpoint is not None else None, settings)


@functools.lru_cache(maxsize=4)
def _shown(
    catalogue: CheckpointCatalogue, _revision: int, name: str | None, settings: Settings
) -> tuple[Sequence[tuple[str, str]], str]:
    known = listed(catalogue, catalogue.known(name) if name is not None else None)
    return choices(known), facts(known, settings)


def facts(checkpoints: Sequence[Checkpoint], settings: Settings) -> str:
    """Write, as JSON for the page's scripts, what suits each checkpoint and sampler, and the settings of the page.

    What many checkpoints have in common stands there once, in `suits`.
    """
    suits: dict[str, int] = {}
    told = {
        "checkpoints": {one.name: _facts_of(one, suits) for one in checkpoints},
        "suits": [json.loads(what) for what in suits],
        "guidance": {key: words_of(one) for key, one in {key_of(one): one for one in checkpoints}.items()},
        "schedules": {sampler.name: sampler.schedules for sampler in SAMPLERS},
        "strays": {"of": strays(), "euler": FIGURES["Euler"]["Automatic"], "steps": STEPS},
        "page": {name: getattr(settings, name) for name in PAGE_SETTINGS},
    }
    return json.dumps(told, sort_keys=True)


def _facts_of(one: Checkpoint, suits: dict[str, int]) -> dict[str, object]:
    """Return what is its own, with the place in `suits` of what suits it, which is added there."""
    size = (one.native_width, one.native_height)
    what = _what_suits(*size, one.defaults, distilled_of(one), key_of(one), one.name == "emoji")
    return {"title": one.title, "problem": one.problem, "suits": suits.setdefault(what, len(suits))}


@functools.lru_cache(maxsize=256)
def _what_suits(
    width: int, height: int, defaults: ModelDefaults, distilled: float | None, guidance: str, emoji: bool
) -> str:
    """Write as JSON what suits a checkpoint. Hundreds in a list have it in common, so it is made once."""
    what = {
        "width": width,
        "height": height,
        "steps": defaults.steps,
        "cfg_scale": defaults.cfg_scale,
        "distilled_cfg_scale": distilled,
        "guidance": guidance,
        "sampler_name": defaults.sampler_name,
        "scheduler": defaults.scheduler,
        "sizes": [asdict(preset) for preset in presets(width, height)],
        "examples": EXAMPLES_OF_EMOJI if emoji else EXAMPLES_OF_OTHERS,
    }
    return json.dumps(what, sort_keys=True)
