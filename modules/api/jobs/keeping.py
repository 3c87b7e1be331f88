"""A picture of a job is kept for good: A1111's button Save."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.jobs.routes import find_image, path_of
from modules.api.sdapi.generation_answer import read_image
from modules.api.services import Services
from modules.errors import UnknownJob
from modules.images.infotext import parse_pairs
from modules.images.kept_pictures import keep
from modules.images.naming import outputs_folder
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH
from modules.jobs.rows import Image, Job
from modules.jobs.serialization import prompts_of, resolved_answer


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/jobs/{id}/images/{index}/save."""
    router = APIRouter(prefix="/sdapi/v1/jobs")

    @router.post("/{job_id}/images/{index:place}/save")
    async def save(job_id: str, index: int) -> Response:
        """Copy a picture into the folder of the setting `outdir_save`, with a line in its log.csv; the same once."""
        return json_answer(await services.workers.run(save_image_of, services, job_id, index))

    return router


def save_image_of(services: Services, job_id: str, index: int) -> dict[str, Any]:
    """Return the `name` of the copy within the data folder, and whether it is `new`.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no such picture (yet), or that is gone.
        StorageError: the copy cannot be written.
    """
    image, job = find_image(services.store, job_id, index), services.store.jobs.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    path_of(services.folder, image)
    services.options.refresh()
    settings = services.options.values
    folder = outputs_folder(settings.outdir_save)
    told = line_of(job, image) if settings.save_write_log_csv else None
    data = read_image(services.folder, image)
    kept = keep(data, services.folder.root / folder, PurePosixPath(image.name).name, told)
    return {"name": str(folder / kept.name), "new": kept.new}


def line_of(job: Job, image: Image) -> dict[str, Any]:
    """Return what A1111's log.csv tells of a picture, but for its name."""
    pairs, resolved, words = parse_pairs(image.infotext), resolved_answer(job) or {}, prompts_of(job)
    own = words[image.index] if image.index < len(words) else None
    return {
        "prompt": pairs["Prompt"] if own is None else own.prompt,
        "negative_prompt": pairs["Negative prompt"] if own is None else own.negative_prompt,
        "seed": image.seed if own is not None else pairs.get("Seed"),
        "width": image.width,
        "height": image.height,
        "sampler": pairs.get("Sampler"),
        "cfgs": pairs.get("CFG scale"),
        "steps": pairs.get("Steps"),
        "sd_model_name": resolved.get("checkpoint") or pairs.get("Model"),
        "sd_model_hash": (resolved.get("checkpoint_hash") or pairs.get("Model hash") or "")[:SHORT_HASH_LENGTH],
    }
