"""Hires fix, and what a picture was begun with, as the fields of the tabs that have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modules.errors import InvalidRequest
from modules.images.models_by_name import find_checkpoint
from modules.images.picture_pairs import KEYS, STRENGTH, has_hires, has_start
from modules.jobs.kinds.registry import KINDS, validate_request
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.upscalers import UpscalerCatalogue

TXT2IMG, IMG2IMG = "txt2img", "img2img"
# The fields of each kind that are taken over, and what the page calls them. Those without a name belong to the others.
FIELDS: Mapping[str, Mapping[str, str]] = {
    TXT2IMG: {
        "enable_hr": "Hires fix", "denoising_strength": STRENGTH, "hr_upscaler": "", "hr_scale": "", "hr_resize_x": "",
        "hr_resize_y": "", "hr_second_pass_steps": "", "hr_checkpoint_name": "", "hr_sampler_name": "",
        "hr_scheduler": "", "hr_prompt": "", "hr_negative_prompt": "", "hr_cfg": "", "hr_distilled_cfg": "",
        "hr_tile": "", "firstphase_width": "", "firstphase_height": "", "firstpass_image": "Picture",
    },
    IMG2IMG: {
        "init_images": "Picture", "mask": "Mask", "denoising_strength": STRENGTH, "resize_mode": "", "scale": "",
        "image_cfg_scale": "Image CFG scale", "as_condition": "", "mask_blur": "Mask blur",
        "mask_blur_x": "", "mask_blur_y": "",
        "inpainting_mask_invert": "", "inpainting_fill": "Masked content", "inpaint_full_res": "Inpaint area",
        "inpaint_full_res_padding": "", "initial_noise_multiplier": "Noise multiplier",
        "img2img_extra_noise": "Extra noise", "soft_inpainting": "Soft inpainting",
        "soft_inpainting_schedule_bias": "", "soft_inpainting_preservation_strength": "",
        "soft_inpainting_transition_contrast": "", "soft_inpainting_mask_influence": "",
        "soft_inpainting_difference_threshold": "", "soft_inpainting_difference_contrast": "", "outpaint_left": "",
        "outpaint_right": "", "outpaint_top": "", "outpaint_bottom": "", "outpaint_fill": "Outpainting",
        "outpaint_blend": "",
    },
}  # fmt: skip
LABELS = {name: label for fields in FIELDS.values() for name, label in fields.items() if label}
# Names of pictures that are on this machine; no infotext has them.
PICTURES = ("init_images", "mask", "firstpass_image")
_A_PICTURE = "0" * 64 + ".png"
# What a request of each kind must have, so that one of its fields can be checked.
_BESIDE: Mapping[str, Mapping[str, Any]] = {
    TXT2IMG: {"enable_hr": True},
    IMG2IMG: {"init_images": [_A_PICTURE], "mask": _A_PICTURE},
}
# What an infotext of a picture that was made of another one means, where it says nothing of them.
_UNSAID: Mapping[str, Any] = {
    "resize_mode": 0, "soft_inpainting": False, "inpainting_mask_invert": 0, "outpaint_left": 0, "outpaint_right": 0,
    "outpaint_top": 0, "outpaint_bottom": 0,
}  # fmt: skip
# Fields that are possible only together.
_TOGETHER = (("firstphase_width", "firstphase_height", "width", "height"),)
# What is said of a part of a picture.
_OF_PARTS = tuple(key for key in KEYS[IMG2IMG] if key.startswith(("Mask", "Inpaint area", "Soft", "Outpaint")))
# What is a setting and no field, for each kind.
_SETTINGS: Mapping[str, Mapping[str, str]] = {
    TXT2IMG: {"Hires refiner": "hires_fix_refiner_pass", "Extra noise": "img2img_extra_noise"},
    IMG2IMG: {
        "Conditional mask weight": "inpainting_mask_weight", "Color correction": "img2img_color_correction",
    },
}  # fmt: skip
_ELSEWHERE = "belongs to {kind}: take it over there"


def take_pictures(
    found: Mapping[str, Any],
    pairs: Mapping[str, str],
    checkpoints: Sequence[Checkpoint],
    kind: str,
    upscalers: UpscalerCatalogue | None = None,
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the values that `found`, fields of a request, has for a tab of this kind; and what not, and why."""
    values: dict[str, Any] = dict(_UNSAID) if kind == IMG2IMG and has_start(pairs) else {}
    left: list[tuple[str, str, str]] = []
    drawn_twice = bool(found.get("enable_hr"))
    if kind not in FIELDS or drawn_twice != (kind == TXT2IMG):
        return {}, _elsewhere(pairs, kind)
    for name, label in FIELDS[kind].items():
        value = found.get(name)
        if value is None:
            continue
        beside = {one: found.get(one) for names in _TOGETHER if name in names for one in names}
        try:
            validate_request(kind, {**_BESIDE[kind], **beside, name: value})
        except InvalidRequest as error:
            left.append((label or name, str(value), str(error)))
            continue
        values[name] = value
    left += _not_here(values, checkpoints, upscalers)
    for key, setting in _SETTINGS[kind].items():
        if pairs.get(key):
            left.append((key, pairs[key], f"is a setting ({setting}), which stays as it is"))
    return values, left + _elsewhere(pairs, kind)


def _not_here(
    values: dict[str, Any], checkpoints: Sequence[Checkpoint], upscalers: UpscalerCatalogue | None
) -> list[tuple[str, str, str]]:
    """Take out of the values what is named and is not here; return it, and what takes its place."""
    left = []
    if name := values.get("hr_checkpoint_name"):
        values["hr_checkpoint_name"] = find_checkpoint(str(name), checkpoints)
        if values["hr_checkpoint_name"] is None:
            left.append(("Hires checkpoint", str(name), "is not here, or cannot be used; the first pass's is chosen"))
    if (name := values.get("hr_upscaler")) and upscalers is not None and (fault := _fault_of(name, upscalers)):
        del values["hr_upscaler"]
        left.append(("Hires upscaler", str(name), f"{fault}; the chosen one stays"))
    return left


def _fault_of(name: str, upscalers: UpscalerCatalogue) -> str | None:
    if name in LATENT_MODES:
        return None
    try:
        return upscalers.find(name).problem
    except InvalidRequest:
        return "is not here"


def _elsewhere(pairs: Mapping[str, str], kind: str) -> list[tuple[str, str, str]]:
    """Return what an infotext says that the tab of another kind has fields for."""
    if has_hires(pairs):
        return [] if kind == TXT2IMG else [("Hires fix", "", _ELSEWHERE.format(kind=TXT2IMG))]
    if kind == IMG2IMG or not has_start(pairs):
        return []
    why = _ELSEWHERE.format(kind=IMG2IMG)
    told = [(STRENGTH, pairs[STRENGTH], why)] if STRENGTH in pairs else [("Picture", "", why)]
    if any(key in pairs for key in _OF_PARTS):
        told.append(("Inpainting", "", why))
    return told


def leave_out(values: dict[str, Any], kind: str, without_field: Collection[str]) -> list[tuple[str, str, str]]:
    """Take out of the values what the page of this kind has no field for; return what of it would change something."""
    form, left = KINDS[kind].request.model_fields, []
    for name, label in FIELDS.get(kind, {}).items():
        if name in values and name in without_field:
            value = values.pop(name)
            if value is not None and value != form[name].default:
                left.append((label or name, str(value), "has no field on the page; requests have it"))
    return left


def keys_told(pairs: Mapping[str, str]) -> frozenset[str]:
    """Return the keys of an infotext that are taken over here, or told of."""
    of_pictures = KEYS[TXT2IMG] | KEYS[IMG2IMG] if has_start(pairs) or has_hires(pairs) else frozenset()
    settings = (key for keys in _SETTINGS.values() for key in keys)
    return of_pictures.union(settings) if of_pictures else of_pictures
