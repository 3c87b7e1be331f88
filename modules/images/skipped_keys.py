"""Fields that stay as they are when settings are taken over: A1111's setting `infotext_skip_pasting`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from modules.images import picture_pairs
from modules.images.infotext import fields_of
from modules.jobs.kinds.choice import MODULES

OVERRIDES = "override_settings"
_MODEL, _VAE = ("sd_model_checkpoint",), ("sd_vae",)
# The fields of a request, and the settings, that a key is for, also where an infotext says nothing of it. What other
# keys are for is found by what an infotext says without them.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Prompt": ("prompt",), "Negative prompt": ("negative_prompt",), "Steps": ("steps",),
    "Sampler": ("sampler_name", "scheduler"), "Schedule type": ("scheduler",), "CFG scale": ("cfg_scale",),
    "Distilled CFG Scale": ("distilled_cfg_scale",), "Shift": ("shift",), "Seed": ("seed",),
    "Size": ("width", "height"), "Size-1": ("width",), "Size-2": ("height",), "Model": _MODEL, "Model hash": _MODEL,
    "VAE": _VAE, "VAE hash": _VAE, "Clip skip": ("CLIP_stop_at_last_layers",), "Module 1": (MODULES,),
    "Refiner": ("refiner_checkpoint",), "Refiner switch at": ("refiner_switch_at",), "Emphasis": ("emphasis",),
    "Old prompt editing timelines": ("use_old_scheduling",), "Denoising strength": ("denoising_strength",),
    "Variation seed": ("subseed",), "Variation seed strength": ("subseed_strength",),
    "Seed resize from": ("seed_resize_from_w", "seed_resize_from_h"), "Tiling": ("tiling",),
    "CFG rescale": ("cfg_rescale",), "Styles array": ("styles",),
    **{key: (field,) for key, field in picture_pairs.FIELDS.items()},
}  # fmt: skip


class SkippedKeys:
    """The keys of infotexts whose fields are to stay, as the setting has them: with commas between, in any case."""

    def __init__(self, setting: str = "") -> None:
        named = {name.strip().casefold() for name in setting.split(",")} - {""}
        known = {key.casefold(): fields for key, fields in _FIELDS.items()}
        self._fields = frozenset(field for name in named for field in known.get(name, ()))
        self._names = named | {key for key, fields in known.items() if self._fields.issuperset(fields)}
        self._others = named - known.keys()

    def fields(self, pairs: Mapping[str, str]) -> frozenset[str]:
        """Return the fields of a request, and settings, that stay though these pairs are taken over."""
        if not self._others:
            return self._fields
        whole, kept = fields_of(pairs), fields_of({**_NO_WORDS, **_without(pairs, self._others)})
        return self._fields | {name for name, value in whole.items() if kept.get(name) != value and name != OVERRIDES}

    def without(self, pairs: Mapping[str, str]) -> dict[str, str]:
        """Return the pairs that something is still to be told of."""
        return _without(pairs, self._names)


NONE_SKIPPED = SkippedKeys()


def without_fields(found: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return the fields of a request without these, and without these settings."""
    kept = {name: value for name, value in found.items() if name not in fields}
    overrides = kept.get(OVERRIDES)
    if isinstance(overrides, Mapping):
        kept[OVERRIDES] = {name: value for name, value in overrides.items() if name not in fields}
    return kept


_NO_WORDS = {"Prompt": "", "Negative prompt": ""}


def _without(pairs: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in pairs.items() if key.casefold() not in names}
