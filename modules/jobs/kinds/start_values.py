"""What a picture that is made of another one depends on beside that: in its file, and in its infotext."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.jobs.kinds.base import Enlarging, ResolvedJob
from modules.jobs.kinds.start_fields import MASKED_CONTENTS, RESIZE_MODES
from modules.jobs.kinds.starts import Mask, Outpaint, ResizeMode, Start

# What A1111's page calls them; the first is what is meant where nothing is said.
RESIZE_LABELS: Mapping[ResizeMode, str] = {
    "stretch": "Just resize",
    "crop": "Crop and resize",
    "fill": "Resize and fill",
    "latent": "Just resize (latent upscale)",
}
# The numbers of soft inpainting, and what A1111 calls them in an infotext.
SOFT_LABELS: Mapping[str, str] = {
    "schedule_bias": "Soft inpainting schedule bias",
    "preservation_strength": "Soft inpainting preservation strength",
    "transition_contrast": "Soft inpainting transition contrast boost",
    "mask_influence": "Soft inpainting mask influence",
    "difference_threshold": "Soft inpainting difference threshold",
    "difference_contrast": "Soft inpainting difference contrast",
}
SOFT_PREFIX = "soft_inpainting_"
SIDES = ("left", "right", "top", "bottom")


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes, under a request's names; nothing where it begins with noise."""
    one = resolved.passes[0]
    start = one.start
    if start is None:
        return {}
    name = start.picture_of(index).name
    if one.enlarging is not None:
        return {"firstpass_image": name} | _unless_usual(start)
    return {
        "kind": resolved.kind,
        "init_images": [name],
        "resize_mode": RESIZE_MODES.index(start.resize_mode),
        **({} if one.denoising_strength is None else {"denoising_strength": one.denoising_strength}),
        "steps_of_list": one.steps,
        "first_step": one.begin,
        **({} if one.image_cfg_scale is None else {"image_cfg_scale": one.image_cfg_scale}),
        **_unless_usual(start),
        **({} if one.resizing is None else _resizing_values(one.resizing)),
        **({} if start.mask is None else _mask_values(start.mask)),
        **({} if start.outpaint is None else _outpaint_values(start.outpaint)),
    }


def told(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the names of all pictures that a job begins with."""
    one = resolved.passes[0]
    if one.start is None or one.enlarging is not None:
        return {}
    return {"init_images": [picture.name for picture in one.start.pictures]}


def _unless_usual(start: Start) -> dict[str, Any]:
    """Return what is told only where it is not as always."""
    usual = Start(pictures=start.pictures)
    named = {
        "noise_multiplier": "initial_noise_multiplier",
        "extra_noise": "img2img_extra_noise",
        "background": "img2img_background_color",
        "mask_weight": "inpainting_mask_weight",
        "color_correction": "img2img_color_correction",
        "as_condition": "as_condition",
    }
    values = {told: getattr(start, name) for name, told in named.items()}
    return {told: values[told] for name, told in named.items() if values[told] != getattr(usual, name)}


def _resizing_values(by: Enlarging) -> dict[str, Any]:
    values: dict[str, Any] = {"upscaler_for_img2img": by.upscaler}
    if by.model is not None:
        values |= {"upscaler_for_img2img_hash": by.model.hash, "tile": by.tile, "tile_overlap": by.tile_overlap}
    return values


def _mask_values(mask: Mask) -> dict[str, Any]:
    values: dict[str, Any] = {
        "mask": mask.picture.name,
        "inpainting_mask_invert": int(mask.inverted),
        "mask_blur_x": mask.blur_x,
        "mask_blur_y": mask.blur_y,
        "mask_round": mask.rounded,
        "inpainting_fill": MASKED_CONTENTS.index(mask.content),
        "inpaint_full_res": mask.padding is not None,
        "inpaint_full_res_padding": mask.padding or 0,
    }
    if mask.soft is not None:
        values |= {"soft_inpainting": True}
        values |= {SOFT_PREFIX + name: getattr(mask.soft, name) for name in SOFT_LABELS}
    return values


def _outpaint_values(outpaint: Outpaint) -> dict[str, Any]:
    values = {f"outpaint_{side}": getattr(outpaint, side) for side in SIDES}
    return values | {"outpaint_fill": outpaint.fill, "outpaint_blend": outpaint.blend}


def in_infotext(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the same as A1111 writes it, in its order, without what has its place before."""
    one = resolved.passes[0]
    start = one.start
    if start is None or one.enlarging is not None:
        return {}
    pairs: dict[str, Any] = {}
    if start.resize_mode != "stretch":
        pairs["Resize mode"] = RESIZE_LABELS[start.resize_mode]
    if start.mask is not None:
        pairs |= _mask_pairs(start.mask)
    if start.outpaint is not None:
        sides = {side: getattr(start.outpaint, side) for side in SIDES}
        pairs |= {f"Outpaint {side}": pixels for side, pixels in sides.items() if pixels}
        pairs |= {"Outpaint fill": start.outpaint.fill, "Outpaint blend": start.outpaint.blend}
    pairs["Picture as condition"] = True if start.as_condition else None
    pairs["Noise multiplier"] = start.noise_multiplier if start.noise_multiplier != 1 else None
    pairs["Extra noise"] = start.extra_noise or None
    pairs["Color correction"] = True if start.color_correction else None
    return pairs


def _mask_pairs(mask: Mask) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    if mask.inverted:
        pairs["Mask mode"] = "Inpaint not masked"
    if mask.blur_x == mask.blur_y:
        pairs["Mask blur"] = mask.blur_x
    else:
        pairs |= {"Mask blur X": mask.blur_x, "Mask blur Y": mask.blur_y}
    if mask.padding is not None:
        pairs |= {"Inpaint area": "Only masked", "Masked area padding": mask.padding}
    if mask.content != "original":
        pairs["Masked content"] = mask.content
    if mask.soft is not None:
        pairs["Soft inpainting enabled"] = True
        pairs |= {label: getattr(mask.soft, name) for name, label in SOFT_LABELS.items()}
    return pairs
