"""What an infotext says of hires fix, and of a picture that was begun with, as fields of requests.

Facts: A1111 v1.10.1, `infotext_utils`; Forge for its own keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.images.pair_values import number_in, size_in
from modules.jobs.kinds.start_fields import MASKED_CONTENTS, RESIZE_MODES
from modules.jobs.kinds.start_values import RESIZE_LABELS, SIDES, SOFT_LABELS, SOFT_PREFIX

STRENGTH = "Denoising strength"
_CONDITION = "Picture as condition"
_FIRST_PASS = "First pass size"
_OF_HIRES = ("Hires upscale", "Hires resize", "Hires upscaler")
_OF_MASKS = ("Mask ", "Masked ", "Inpaint area")
_HIRES_NUMBERS = {
    "Hires upscale": "hr_scale", "Hires steps": "hr_second_pass_steps", "Hires CFG Scale": "hr_cfg",
    "Hires Distilled CFG Scale": "hr_distilled_cfg", "Hires tile": "hr_tile",
}  # fmt: skip
_HIRES_WORDS = {
    "Hires upscaler": "hr_upscaler", "Hires checkpoint": "hr_checkpoint_name", "Hires sampler": "hr_sampler_name",
    "Hires schedule type": "hr_scheduler", "Hires prompt": "hr_prompt", "Hires negative prompt": "hr_negative_prompt",
}  # fmt: skip
_START_NUMBERS = {
    "Image CFG scale": "image_cfg_scale", "Noise multiplier": "initial_noise_multiplier",
    "Extra noise": "img2img_extra_noise", "Outpaint blend": "outpaint_blend",
    **{f"Outpaint {side}": f"outpaint_{side}" for side in SIDES},
}  # fmt: skip
_MASK_NUMBERS = {
    "Mask blur": "mask_blur", "Mask blur X": "mask_blur_x", "Mask blur Y": "mask_blur_y",
    "Masked area padding": "inpaint_full_res_padding",
}  # fmt: skip
# The field that a key is for.
FIELDS: Mapping[str, str] = {**_HIRES_NUMBERS, **_HIRES_WORDS, **_START_NUMBERS, **_MASK_NUMBERS}
# The keys that are read here, for each kind of job that has their fields.
KEYS: Mapping[str, frozenset[str]] = {
    "txt2img": frozenset({STRENGTH, "Hires resize", _FIRST_PASS, *_HIRES_NUMBERS, *_HIRES_WORDS}),
    "img2img": frozenset({
        STRENGTH, _CONDITION, "Resize mode", "Outpaint fill", "Mask mode", "Inpaint area", "Masked content",
        "Soft inpainting enabled", *_START_NUMBERS, *_MASK_NUMBERS, *SOFT_LABELS.values(),
    }),
}  # fmt: skip


def has_hires(pairs: Mapping[str, str]) -> bool:
    """Tell whether an infotext is of a picture that was drawn twice."""
    return any(key in pairs for key in _OF_HIRES) or _first_pass_of(pairs) is not None


def fields_in(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that an infotext gives: those of hires fix, or of a picture that was begun with."""
    if has_hires(pairs):
        return _of_hires(pairs)
    return _of_start(pairs) if has_start(pairs) else {}


def has_start(pairs: Mapping[str, str]) -> bool:
    """Tell whether an infotext is of a picture that was made of another one."""
    return STRENGTH in pairs or _CONDITION in pairs


def _of_hires(pairs: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"enable_hr": True, **_numbers(pairs, _HIRES_NUMBERS | {STRENGTH: "denoising_strength"})}
    fields |= {field: pairs[key] for key, field in _HIRES_WORDS.items() if pairs.get(key)}
    if (size := size_in(pairs.get("Hires resize", ""))) is not None:
        fields["hr_resize_x"], fields["hr_resize_y"] = size
    if (first := _first_pass_of(pairs)) is not None and (size := size_in(pairs.get("Size", ""))) is not None:
        # An older way to tell it: the size is the finished one.
        fields["width"], fields["height"] = first
        fields["hr_resize_x"], fields["hr_resize_y"] = size
    return fields


def _first_pass_of(pairs: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the size of the first pass where an older version tells it; 0x0 was a size that it chose itself."""
    size = size_in(pairs.get(_FIRST_PASS, ""))
    return None if size is None or 0 in size else size


def _of_start(pairs: Mapping[str, str]) -> dict[str, Any]:
    fields = _numbers(pairs, _START_NUMBERS | {STRENGTH: "denoising_strength"})
    fields["as_condition"] = pairs.get(_CONDITION) == "True"
    modes = {label: RESIZE_MODES.index(mode) for mode, label in RESIZE_LABELS.items()}
    if pairs.get("Resize mode") in modes:
        fields["resize_mode"] = modes[pairs["Resize mode"]]
    if pairs.get("Outpaint fill"):
        fields["outpaint_fill"] = pairs["Outpaint fill"]
    if any(key.startswith(_OF_MASKS) for key in pairs):
        fields |= _of_mask(pairs)
    return fields


def _of_mask(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return what is said of a mask; what is not said is as A1111 means it then."""
    content = pairs.get("Masked content", "original")
    fields: dict[str, Any] = {
        "inpainting_mask_invert": int(pairs.get("Mask mode") == "Inpaint not masked"),
        "inpaint_full_res": pairs.get("Inpaint area") == "Only masked",
        "soft_inpainting": pairs.get("Soft inpainting enabled") == "True",
        **_numbers(pairs, _MASK_NUMBERS),
    }
    if content in MASKED_CONTENTS:
        fields["inpainting_fill"] = MASKED_CONTENTS.index(content)
    if fields["soft_inpainting"]:
        fields |= _numbers(pairs, {label: SOFT_PREFIX + name for name, label in SOFT_LABELS.items()})
    return fields


def _numbers(pairs: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, Any]:
    read = {field: _number(pairs.get(key, "")) for key, field in keys.items()}
    return {field: number for field, number in read.items() if number is not None}


def _number(text: str) -> float | int | None:
    number = number_in(text)
    return int(number) if number is not None and number.is_integer() else number
