"""A request with nothing left open: what the engine draws, frozen in the job's row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules.jobs.kinds.base import Pass, ResolvedJob, Saving, Source, Sources, Words
from modules.jobs.kinds.txt2img import Txt2ImgRequest, choose_sampler
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.version import VERSION
from modules.options import Settings

# Every file says so since the first version: what stood there is one of two that never came.
_LAYOUT = "contiguous"


def told(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the resolved request as clients are told of it: all values side by side."""
    checkpoint = resolved.sources.checkpoint
    return {
        **resolved.words.model_dump(),
        "seed": resolved.seed,
        **_of_pass(resolved.passes[0]),
        "batch_size": resolved.batch_size,
        "n_iter": resolved.n_iter,
        "checkpoint": checkpoint.name,
        "checkpoint_hash": checkpoint.hash,
        "dtype": resolved.dtype,
        "threads": resolved.threads,
        "layout": _LAYOUT,
        "version": resolved.version,
        "save_images": resolved.saving.save_images,
        "save_partial": resolved.saving.save_partial,
        "add_model_name_to_info": resolved.saving.add_model_name_to_info,
        "add_model_hash_to_info": resolved.saving.add_model_hash_to_info,
        "add_version_to_infotext": resolved.saving.add_version_to_infotext,
        "mark_partial": resolved.saving.mark_partial,
        "environment": resolved.environment,
    }


def picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides this one picture: its own seed, and nothing of the batch that it came in.

    Its file holds it, so a value that is added here changes the bytes of every picture that comes.
    """
    checkpoint = resolved.sources.checkpoint
    return {
        "prompt": resolved.words.prompt,
        "negative_prompt": resolved.words.negative_prompt,
        "seed": resolved.seed_of(index),
        **_of_pass(resolved.passes[0]),
        "checkpoint": checkpoint.name,
        "checkpoint_hash": checkpoint.hash,
        "dtype": resolved.dtype,
        "threads": resolved.threads,
        "layout": _LAYOUT,
        "version": resolved.version,
    }


def _of_pass(one: Pass) -> dict[str, Any]:
    return {
        "steps": one.steps,
        "cfg_scale": one.cfg_scale,
        "width": one.width,
        "height": one.height,
        "sampler_name": one.sampler_name,
        "scheduler": one.scheduler,
    }


def resolve(
    request: Txt2ImgRequest,
    checkpoint: Checkpoint,
    settings: Settings,
    draw_seed: Callable[[], int],
    dtype: str,
    threads: int,
    environment: dict[str, str] | None = None,
) -> ResolvedJob:
    """Close everything that the request leaves open. Pure but for `draw_seed`, which is called for seed -1 only.

    Raises:
        InvalidRequest: the schedule type that was sent does not go with the model's own sampler.
        ValueError: the checkpoint has no hash yet (`CheckpointCatalogue.hashed` gives it one).
    """
    if checkpoint.sha256 is None:
        raise ValueError(f"{checkpoint.name} is not hashed")
    settings = request.settings_for(settings)
    sampler_name, scheduler = choose_sampler(request, checkpoint)
    defaults = checkpoint.defaults
    save_images = request.save_images
    if save_images is None:
        save_images = settings.samples_save and not request.do_not_save_samples
    save_partial, mark_partial = settings.save_incomplete_images, settings.mark_incomplete_images
    if request.partial_images is not None:
        save_partial, mark_partial = request.partial_images != "discard", request.partial_images == "mark"
    return ResolvedJob(
        kind="txt2img",
        words=Words(prompt=request.prompt.strip(), negative_prompt=request.negative_prompt.strip()),
        sources=Sources(checkpoint=Source(name=checkpoint.name, hash=checkpoint.sha256)),
        passes=(
            Pass(
                width=checkpoint.native_width if request.width is None else request.width,
                height=checkpoint.native_height if request.height is None else request.height,
                steps=defaults.steps if request.steps is None else request.steps,
                sampler_name=sampler_name,
                scheduler=scheduler,
                cfg_scale=defaults.cfg_scale if request.cfg_scale is None else request.cfg_scale,
            ),
        ),
        seed=draw_seed() if request.seed == -1 else request.seed,
        batch_size=request.batch_size,
        n_iter=request.n_iter,
        dtype=dtype,
        threads=threads,
        version=VERSION,
        saving=Saving(
            save_images=save_images,
            save_partial=save_partial,
            mark_partial=mark_partial,
            add_model_name_to_info=settings.add_model_name_to_info,
            add_model_hash_to_info=settings.add_model_hash_to_info,
            add_version_to_infotext=settings.add_version_to_infotext,
        ),
        environment=environment,
    )
