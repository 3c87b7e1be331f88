"""txt2img: a picture, or several, from words; A1111's `POST /sdapi/v1/txt2img`."""

from __future__ import annotations

from typing import Any, ClassVar

from modules.jobs.kinds import later_values
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.kind import Kind

# Every file says so since the first version: one of two ways to lay out tensors, of which the other never came.
_LAYOUT = "contiguous"


class Txt2ImgRequest(DrawingRequest):
    """A picture, or several, from words. None means the model's own default, for the size its native one.

    Keys that are not known are ignored, as A1111 does.
    """

    kind: ClassVar[str] = "txt2img"

    def passes(self, models: Models) -> tuple[Pass, ...]:
        """Return the pass from noise to the picture, of which a refiner may take the end."""
        return self.with_refiner(self.first_pass(models.checkpoint), models)


def _picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Its own seed, and nothing of the batch that it came in."""
    checkpoint, drawn = resolved.sources.checkpoint, resolved.passes[0]
    return {
        "prompt": resolved.words.prompt,
        "negative_prompt": resolved.words.negative_prompt,
        "seed": resolved.seed_of(index),
        "steps": drawn.steps,
        "cfg_scale": drawn.cfg_scale,
        "width": drawn.width,
        "height": drawn.height,
        "sampler_name": drawn.sampler_name,
        "scheduler": drawn.scheduler,
        "checkpoint": checkpoint.name,
        "checkpoint_hash": checkpoint.hash,
        "dtype": resolved.dtype,
        "threads": resolved.threads,
        "layout": _LAYOUT,
        "version": resolved.version,
    } | later_values.in_picture(resolved)


def _infotext(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    checkpoint, drawn, saving = resolved.sources.checkpoint, resolved.passes[0], resolved.saving
    return {
        "Steps": drawn.steps,
        "Sampler": drawn.sampler_name,
        "Schedule type": drawn.scheduler,
        "CFG scale": drawn.cfg_scale,
        "Seed": resolved.seed_of(index),
        "Size": f"{drawn.width}x{drawn.height}",
        "Model hash": checkpoint.short_hash if saving.add_model_hash_to_info else None,
        "Model": checkpoint.name if saving.add_model_name_to_info else None,
    } | later_values.in_infotext(resolved)


def _told(resolved: ResolvedJob) -> dict[str, Any]:
    """All values side by side: those of the first picture, and what is true of the job as a whole."""
    return _picture(resolved, 0) | {
        "batch_size": resolved.batch_size,
        "n_iter": resolved.n_iter,
        **resolved.saving.model_dump(),
        "environment": resolved.environment,
    }


TXT2IMG = Kind(
    request=Txt2ImgRequest,
    resolved=ResolvedJob,
    picture=_picture,
    infotext=_infotext,
    told=_told,
    told_fields=frozenset(Txt2ImgRequest.model_fields),
)
