"""Hires fix of a job that is drawn: what of it decides a file's bytes, and what its infotext tells."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.sizes import Size, scaled
from modules.jobs.kinds.stages import first_stage, hires_stage
from modules.jobs.kinds.values_of_models import beside, titled

_DIGITS_OF_A_SCALE = (0, 1, 2, 3, 4)
_EVERYWHERE = "both passes"


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes, under a request's names; nothing without hires fix."""
    stage = hires_stage(resolved)
    if stage is None or stage.first.enlarging is None:
        return {}
    one, enlarging = stage.first, stage.first.enlarging
    values: dict[str, Any] = {
        "enable_hr": True,
        "denoising_strength": one.denoising_strength,
        "hr_upscaler": enlarging.upscaler,
        "hr_resize_x": one.width,
        "hr_resize_y": one.height,
        "hr_second_pass_steps": stage.step_count,
        "hr_steps_of_list": one.steps,
        "hr_sampler_name": one.sampler_name,
        "hr_scheduler": one.scheduler,
        "hr_cfg": one.cfg_scale,
        "hr_distilled_cfg": one.distilled_cfg_scale,
        "hr_shift": one.shift,
        "hr_tile": one.tile,
        "hires_fix_refiner_pass": _refined_passes(resolved),
    }
    if enlarging.extra_noise:
        values["img2img_extra_noise"] = enlarging.extra_noise
    if enlarging.model is not None:
        values |= {
            "hr_upscaler_hash": enlarging.model.hash,
            "ESRGAN_tile": enlarging.tile,
            "ESRGAN_tile_overlap": enlarging.tile_overlap,
        }
    if one.checkpoint is not None:
        values |= {"hr_checkpoint_name": one.checkpoint.name, "hr_checkpoint_hash": one.checkpoint.hash}
        values |= beside("hr_parts", one.checkpoint)
    if one.words is not None:
        words = one.words.of(index)
        values |= {
            "hr_prompt": words.prompt,
            "hr_negative_prompt": words.negative_prompt,
            "hr_clip_skip": one.words.clip_skip,
        }
    return {name: value for name, value in values.items() if value is not None}


def in_infotext(resolved: ResolvedJob, index: int, first_size: Size) -> dict[str, Any]:
    """Return the same as A1111 and Forge write it, without the denoising strength, which has its place before."""
    stage, before = hires_stage(resolved), first_stage(resolved)
    if stage is None or stage.first.enlarging is None:
        return {}
    one, words = stage.first, None if stage.first.words is None else stage.first.words.of(index)
    drawn = one if before is None else before.first
    pairs: dict[str, Any] = {}
    if one.checkpoint is not None:
        pairs["Hires checkpoint"] = titled(one.checkpoint, resolved.saving)
    if one.sampler_name != drawn.sampler_name:
        pairs["Hires sampler"] = one.sampler_name
    if words is not None:
        whole = resolved.words.of(index)
        pairs["Hires prompt"] = words.prompt if words.prompt != whole.prompt else None
        other = words.negative_prompt != whole.negative_prompt
        pairs["Hires negative prompt"] = words.negative_prompt if other else None
    if one.scheduler != drawn.scheduler:
        pairs["Hires schedule type"] = one.scheduler
    pairs |= _size_pair(one, first_size)
    if before is not None and stage.step_count != before.step_count:
        pairs["Hires steps"] = stage.step_count
    pairs["Hires upscaler"] = stage.first.enlarging.upscaler
    if one.cfg_scale != drawn.cfg_scale:
        pairs["Hires CFG Scale"] = one.cfg_scale
    if one.distilled_cfg_scale not in (None, drawn.distilled_cfg_scale):
        pairs["Hires Distilled CFG Scale"] = one.distilled_cfg_scale
    if one.tile is not None:
        pairs["Hires tile"] = one.tile
    pairs["Extra noise"] = stage.first.enlarging.extra_noise or None
    refined = _refined_passes(resolved)
    pairs["Hires refiner"] = refined if refined != "second pass" else None
    return pairs


def _size_pair(one: Pass, first: Size) -> dict[str, str | float]:
    """Return by how much the picture grew, where that is one number, else its size."""
    for digits in _DIGITS_OF_A_SCALE:
        factor = round(one.width / first[0], digits)
        if scaled(first, factor) == (one.width, one.height):
            return {"Hires upscale": factor}
    return {"Hires resize": f"{one.width}x{one.height}"}


def _refined_passes(resolved: ResolvedJob) -> str | None:
    """Return in which passes a refiner takes part, by the setting's words; None: in none."""
    stage, before = hires_stage(resolved), first_stage(resolved)
    first = before is not None and before.refiner is not None
    second = stage is not None and stage.refiner is not None
    if first and second:
        return _EVERYWHERE
    return "first pass" if first else "second pass" if second else None
