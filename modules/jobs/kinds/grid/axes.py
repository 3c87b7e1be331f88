"""All that can vary along an axis of an X/Y/Z plot, in A1111's order: a number means the same axis as there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.grid import lora_axis, prompt_axes
from modules.jobs.kinds.grid.axis_option import (
    SETTINGS,
    AxisOption,
    Fields,
    Tab,
    alone,
    base_name,
    missing,
    nothing,
    of_field,
    of_setting,
)
from modules.jobs.kinds.grid.value_forms import Value, values_of
from modules.jobs.lenient import show
from modules.jobs.samplers import split_sampler

_TXT2IMG: tuple[Tab, ...] = ("txt2img",)
_IMG2IMG: tuple[Tab, ...] = ("img2img",)
_LONGEST_NUMBER = 9
_PLUS = re.compile(r"(?<!\\)\+")  # one that is no part of a name
_SIZE = re.compile(r"([0-9]{1,6})\s*[x×*]\s*([0-9]{1,6})", re.IGNORECASE)


def _set_size(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    size = _SIZE.fullmatch(str(value).strip())
    if size is None:
        raise InvalidRequest(f"Size {show(value)} cannot be read: write width and height, such as 512x768.")
    fields |= {"width": int(size[1]), "height": int(size[2]), "scale": None}


def _set_vae(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    name = str(value)
    known = {"auto": "Automatic", "automatic": "Automatic", "none": "None"}
    fields[SETTINGS] = fields[SETTINGS] | {"sd_vae": known.get(name.casefold(), name)}


def _set_sampler(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    """Set a sampler; one that has its schedule type in its name, as of old, brings it."""
    schedule = split_sampler(str(value))[1]
    fields |= {"sampler_name": value} | ({} if schedule is None else {"scheduler": schedule})


def _add_styles(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    names = [name.strip() for name in str(value).split(",")]
    fields["styles"] = [*fields.get("styles", ()), *(name for name in names if name not in ("", "None"))]


def _set_scale(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    fields |= {"scale": value, "width": None, "height": None}


def _set_hires_scale(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    fields |= {"hr_scale": value, "hr_resize_x": 0, "hr_resize_y": 0}


def _set_modules(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
    names = [name.strip().replace("\\+", "+") for name in _PLUS.split(str(value))]
    fields[SETTINGS] = fields[SETTINGS] | {MODULES: [name for name in names if name not in ("", "None")]}


def _texts(label: str, name: str, **more: Any) -> AxisOption:
    return of_field(label, name, "text", **more)


_OF_A1111: tuple[AxisOption, ...] = (
    AxisOption("Nothing", nothing, written=lambda _label, _value: ""),
    of_field("Seed", "seed", "whole"),
    of_field("Var. seed", "subseed", "whole"),
    of_field("Var. strength", "subseed_strength"),
    of_field("Steps", "steps", "whole"),
    of_field("Hires steps", "hr_second_pass_steps", "whole", tabs=_TXT2IMG, only_hires=True),
    of_field("CFG Scale", "cfg_scale"),
    of_field("Image CFG Scale", "image_cfg_scale", tabs=_IMG2IMG),
    AxisOption("Prompt S/R", prompt_axes.search_and_replace, prompt_axes.PROMPTS, written=alone),
    AxisOption(
        "Prompt order", prompt_axes.reorder, ("prompt",), lambda texts: values_of("orders", texts), written=alone
    ),
    AxisOption(
        "Sampler", _set_sampler, ("sampler_name", "scheduler"), written=alone, choices="samplers", tabs=_TXT2IMG
    ),
    _texts("Hires sampler", "hr_sampler_name", choices="samplers", tabs=_TXT2IMG, only_hires=True),
    AxisOption(
        "Sampler", _set_sampler, ("sampler_name", "scheduler"), written=alone, choices="samplers", tabs=_IMG2IMG
    ),
    of_setting("Checkpoint name", "sd_model_checkpoint", written=base_name, choices="checkpoints"),
    missing("Negative Guidance minimum sigma", "every step is drawn with the negative prompt"),
    of_field("Sigma Churn", "s_churn"),
    of_field("Sigma min", "s_tmin"),
    of_field("Sigma max", "s_tmax"),
    of_field("Sigma noise", "s_noise"),
    _texts("Schedule type", "scheduler", choices="schedulers"),
    missing("Schedule min sigma", "noise levels are the model's own, choose a schedule type"),
    missing("Schedule max sigma", "noise levels are the model's own, choose a schedule type"),
    missing("Schedule rho", "it is that of Karras' paper, choose a schedule type"),
    missing("Beta schedule alpha", "it is 0.6, choose a schedule type"),
    missing("Beta schedule beta", "it is 0.6, choose a schedule type"),
    of_field("Eta", "eta"),
    of_setting("Clip skip", "CLIP_stop_at_last_layers", "whole"),
    of_field("Denoising", "denoising_strength", only_hires=True),
    of_field(
        "Initial noise multiplier",
        "initial_noise_multiplier",
        unavailable={"txt2img": "Initial noise multiplier is of pictures that one begins with: use it in img2img."},
    ),
    of_setting("Extra noise", "img2img_extra_noise", "real", only_hires=True),
    _texts("Hires upscaler", "hr_upscaler", choices="hires_upscalers", tabs=_TXT2IMG, only_hires=True),
    of_setting("Cond. Image Mask Weight", "inpainting_mask_weight", "real", tabs=_IMG2IMG),
    AxisOption("VAE", _set_vae, (SETTINGS, "sd_vae"), choices="vaes", written=lambda label, value: f"{label}: {value}"),
    AxisOption("Styles", _add_styles, ("styles",), choices="styles"),
    missing("UniPC Order", "it is 2, vary the sampler"),
    missing("Face restore", "restore faces of finished pictures in Extras"),
    missing("Token merging ratio", "tokens are not merged"),
    missing("Token merging ratio high-res", "tokens are not merged"),
    missing("Always discard next-to-last sigma", "noise levels are the sampler's own, vary the schedule type"),
    missing("SGM noise multiplier", "it is as with A1111 where that is off"),
    AxisOption(
        "Refiner checkpoint",
        of_field("", "refiner_checkpoint").apply,
        ("refiner_checkpoint",),
        written=base_name,
        choices="checkpoints",
    ),
    of_field("Refiner switch at", "refiner_switch_at"),
    missing("RNG source", "noise is that of the CPU, as with A1111's setting CPU"),
    missing("FP8 mode", "the number format is a setting of the engine, torch_dtype"),
    AxisOption("Size", _set_size, ("width", "height")),
)
_OF_OURS: tuple[AxisOption, ...] = (
    AxisOption(
        "LoRA weight",
        lora_axis.set_weight,
        ("prompt",),
        lora_axis.weights_of,
        lora_axis.written,
        choices="networks",
    ),
    _texts("Prompt", "prompt", written=alone),
    _texts("Negative prompt", "negative_prompt"),
    of_field("Distilled CFG Scale", "distilled_cfg_scale"),
    of_field("Shift", "shift"),
    of_field("CFG rescale", "cfg_rescale"),
    _texts("Tiling", "tiling", choices="switch"),
    of_setting("ENSD", "eta_noise_seed_delta", "whole"),
    of_setting("Emphasis", "emphasis", choices="emphasis"),
    AxisOption("Text encoders and VAE", _set_modules, (SETTINGS, MODULES)),
    _texts("Hires schedule type", "hr_scheduler", choices="schedulers", tabs=_TXT2IMG, only_hires=True),
    _texts(
        "Hires checkpoint",
        "hr_checkpoint_name",
        written=base_name,
        choices="checkpoints",
        tabs=_TXT2IMG,
        only_hires=True,
    ),
    AxisOption(
        "Hires upscale",
        _set_hires_scale,
        ("hr_scale",),
        lambda texts: values_of("real", texts),
        tabs=_TXT2IMG,
        only_hires=True,
    ),
    of_field("Hires CFG Scale", "hr_cfg", tabs=_TXT2IMG, only_hires=True),
    of_field("Hires Distilled CFG Scale", "hr_distilled_cfg", tabs=_TXT2IMG, only_hires=True),
    AxisOption("Resize by", _set_scale, ("scale",), lambda texts: values_of("real", texts), tabs=_IMG2IMG),
    _texts("Resize mode", "resize_mode", choices="resize_modes", tabs=_IMG2IMG),
    of_field("Mask blur", "mask_blur", tabs=_IMG2IMG),
    _texts("Masked content", "inpainting_fill", choices="masked_contents", tabs=_IMG2IMG),
    of_field("Masked area padding", "inpaint_full_res_padding", "whole", tabs=_IMG2IMG),
)
OPTIONS = (*_OF_A1111, *_OF_OURS)
NOTHING = OPTIONS[0]


def options_of(tab: Tab) -> tuple[AxisOption, ...]:
    """Return the axes of a tab, by their numbers; some of A1111's are there to keep a number, and unavailable."""
    return tuple(one for one in OPTIONS if tab in one.tabs)


def find_option(named: object, tab: Tab) -> AxisOption:
    """Return the axis with this label, in any case, or number.

    Raises:
        InvalidRequest: there is none, or it is one that this version has not.
    """
    options = options_of(tab)
    found = _numbered(named, options)
    if found is None and isinstance(named, str):
        key = named.strip().casefold() or NOTHING.label.casefold()
        found = next((one for one in options if one.label.casefold() == key), None)
    if found is None:
        labels = ", ".join(one.label for one in options if one.is_listed(tab))
        raise InvalidRequest(f"{show(named)} is no axis of {tab}: use one of {labels}.")
    if why := found.unavailable.get(tab):
        raise InvalidRequest(why)
    return found


def _numbered(named: object, options: Sequence[AxisOption]) -> AxisOption | None:
    text = str(named).strip() if isinstance(named, int | str) and not isinstance(named, bool) else ""
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER or int(text) >= len(options):
        return None
    return options[int(text)]
