"""A picture that was drawn: what decides its file's bytes, what its infotext tells, and what its job's events tell."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds import hires_values, later_values, seeding_values, start_values, word_values
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.files import in_file
from modules.jobs.kinds.own_words import templates
from modules.jobs.kinds.sizes import Size
from modules.jobs.kinds.stages import first_stage, hires_stage

# Every file says so since the first version: one of two ways to lay out tensors, of which the other never came.
_LAYOUT = "contiguous"


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides its bytes: its own seed, and nothing of the batch that it came in."""
    checkpoint, drawn, words = resolved.sources.checkpoint, resolved.passes[0], resolved.words.of(index)
    width, height = _first_size(resolved, index)
    return {
        "prompt": words.prompt,
        "negative_prompt": words.negative_prompt,
        "seed": resolved.seed_of(index),
        "steps": _steps(resolved),
        "cfg_scale": drawn.cfg_scale,
        "width": width,
        "height": height,
        "sampler_name": drawn.sampler_name,
        "scheduler": drawn.scheduler,
        "checkpoint": checkpoint.name,
        "checkpoint_hash": checkpoint.hash,
        "dtype": resolved.dtype,
        "threads": resolved.threads,
        "layout": _LAYOUT,
        "version": resolved.version,
        **later_values.in_picture(resolved, index),
        **word_values.in_picture(resolved, index),
        **seeding_values.in_picture(resolved, index),
        **start_values.in_picture(resolved, index),
        **hires_values.in_picture(resolved, index),
        **templates(resolved.words, "template", "negative_template"),
        **in_file(resolved.saving.form),
    }


def in_infotext(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return the pairs that tell how it was made, in A1111's order."""
    checkpoint, drawn, saving = resolved.sources.checkpoint, resolved.passes[0], resolved.saving
    width, height = size = _first_size(resolved, index)
    return {
        "Steps": _steps(resolved),
        "Sampler": drawn.sampler_name,
        "Schedule type": drawn.scheduler,
        "CFG scale": drawn.cfg_scale,
        "Image CFG scale": drawn.image_cfg_scale,
        "Seed": resolved.seed_of(index),
        "Size": f"{width}x{height}",
        "Model hash": checkpoint.short_hash if saving.add_model_hash_to_info else None,
        "Model": checkpoint.name if saving.add_model_name_to_info else None,
        **later_values.of_models(resolved),
        **seeding_values.of_seeds(resolved, index),
        **_strength(resolved),
        **later_values.of_words(resolved),
        **seeding_values.of_noise(resolved),
        **seeding_values.of_sampler(resolved),
        "Init image hash": None if drawn.start is None else drawn.start.hash_of(index),
        **start_values.in_infotext(resolved),
        **hires_values.in_infotext(resolved, index, size),
        **later_values.of_refiner(resolved),
        **templates(resolved.words, "Template", "Negative Template"),
        **later_values.of_networks(resolved, index),
        **word_values.in_infotext(resolved, index),
    }


def told(resolved: ResolvedJob) -> dict[str, Any]:
    """Return all values side by side: those of the first picture, and what is true of the job as a whole."""
    return (
        in_picture(resolved, 0)
        | start_values.told(resolved)
        | {
            "batch_size": resolved.batch_size,
            "n_iter": resolved.n_iter,
            **resolved.saving.told(),
            "environment": resolved.environment,
        }
    )


def _first_size(resolved: ResolvedJob, index: int) -> Size:
    """Return the size of what hires fix enlarges, without it that of the only pass."""
    first = resolved.passes[0]
    if first.enlarging is not None and first.start is not None:
        picture = first.start.picture_of(index)
        return picture.width, picture.height
    return first.width, first.height


def _steps(resolved: ResolvedJob) -> int:
    """Return how many steps were asked for."""
    first, second = resolved.passes[0], hires_stage(resolved)
    if first_stage(resolved) is None and second is not None:
        return second.step_count
    return first.steps if first.steps_asked is None else first.steps_asked


def _strength(resolved: ResolvedJob) -> dict[str, Any]:
    """Return how much of a picture is drawn anew, and how well an inpainting model is told of the mask."""
    start = resolved.passes[0].start
    strengths = (one.denoising_strength for one in resolved.passes)
    weight = None if start is None or start.mask_weight == 1 else start.mask_weight
    return {
        "Denoising strength": next((one for one in strengths if one is not None), None),
        "Conditional mask weight": weight,
    }
