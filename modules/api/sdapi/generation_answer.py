"""The answer of POST txt2img and img2img. Call in a thread: pictures are read from their files."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from modules.api.answers import json_bytes
from modules.api.jobs.sheets import batch_bytes, sheet_bytes
from modules.api.services import Services
from modules.errors import InputGone, StorageError
from modules.images.grids import wanted
from modules.images.infotext import parse_pairs, write_sheet
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.files import grid_layout
from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import KINDS
from modules.jobs.kinds.request import JobRequest
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH
from modules.jobs.rows import Image, Job
from modules.jobs.serialization import pictures_in, resolved_answer, resolved_of
from modules.jobs.version import VERSION
from modules.options import Settings
from modules.paths import DataFolder

# Pairs of an infotext that are values of `info` themselves.
_PAIRS_OF_ALL = frozenset(
    {
        "Prompt", "Negative prompt", "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash",
        "Model", "VAE hash", "VAE", "Denoising strength", "Clip skip", "Version", "Partial",
        "Variation seed", "Variation seed strength", "Seed resize from", "ENSD", "Tiling",
    }
)  # fmt: skip


def read_image(folder: DataFolder, image: Image) -> bytes:
    """Return the bytes of a picture's file.

    Raises:
        StorageError: it is not there any more, or cannot be read.
    """
    path = folder.root / image.name
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error


def generation_answer(services: Services, job: Job, request: JobRequest) -> bytes:
    """Return the JSON of a job that ended: its pictures as base64 of their files, in order, behind a grid's sheets."""
    whole = resolved_of(job)
    there = {image.index: image for image in services.store.jobs.images(job.id)}
    images = [there[index] for index in _order(whole) or sorted(there) if index in there]
    sheets = _sheets_of(services, whole, images, request) if images else []
    lone = images if not isinstance(whole, ResolvedGrid) or whole.layout.lone_images else []
    encoded: list[str] = []
    if request.send_images:
        encoded = [_as_text(sheet.make()) for sheet in sheets]
        encoded += [_as_text(read_image(services.folder, image)) for image in lone]
    info = generation_info(job, images, request)
    info["index_of_first_image"] = len(sheets)
    info["infotexts"] = [sheet.infotext for sheet in sheets] + [image.infotext for image in lone]
    parameters = _parameters(request, services.inputs)
    return json_bytes({"images": encoded, "parameters": parameters, "info": json_bytes(info).decode()})


def may_have_sheet(request: JobRequest, settings: Settings) -> bool:
    """Tell whether the answer of such a request may begin with a picture of all its pictures: `Workers.run_sheet`."""
    return isinstance(request, GridRequest) or (_returns_grid(request, settings) and request.save_images is not False)


def _returns_grid(request: JobRequest, settings: Settings) -> bool:
    return request.settings_over(settings).return_grid and not request.do_not_save_grid


class _Sheet(NamedTuple):
    """A picture of several pictures: its infotext, and what makes its file."""

    infotext: str
    make: Callable[[], bytes]


def _sheets_of(
    services: Services, resolved: Resolved | None, images: Sequence[Image], request: JobRequest
) -> list[_Sheet]:
    """Return what comes before a job's pictures: of a grid the sheet of all, and those of each z where these are
    wanted; of another job A1111's grid, where settings and request want it.
    """
    folder, settings = services.folder, request.settings_over(services.options.values)
    if isinstance(resolved, ResolvedJob):
        grid = resolved.saving.grid or grid_layout(settings, resolved.kind)
        returned = _returns_grid(request, settings) and resolved.saving.save_images
        if not returned or not wanted(len(images), grid):
            return []
        return [_Sheet(images[0].infotext, partial(batch_bytes, folder, resolved, images, grid))]
    if not isinstance(resolved, ResolvedGrid) or not resolved.layout.has_sheet:
        return []
    count = len(resolved.layout.z.values) if resolved.layout.sub_grids else 0
    return [
        _Sheet(write_sheet(resolved, z), partial(sheet_bytes, folder, resolved, images, z, settings.font))
        for z in (None, *(range(count) if count > 1 else ()))
    ]


def _parameters(request: JobRequest, inputs: Inputs) -> dict[str, Any]:
    """Return what was asked; the pictures that it began with only if they are wanted back, as A1111 does it."""
    asked = request.model_dump(mode="json")
    wanted = asked.get("include_init_images") is True
    return asked | {
        field: _sent_back(asked[field], inputs) if wanted else None
        for field in KINDS[request.kind].inputs
        if field in asked
    }


def _sent_back(value: Any, inputs: Inputs) -> Any:
    """Return the files behind names of inputs, in whatever form these stand; None for one that is gone."""
    if isinstance(value, list):
        return [_sent_back(entry, inputs) for entry in value]
    if not isinstance(value, str) or not value:
        return None
    try:
        return _as_text(inputs.read(value))
    except InputGone:
        return None


def _as_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _further_pairs(images: Sequence[Image]) -> dict[str, str]:
    """Return what the infotext tells beside what every picture has: of masks, of hires fix, of a refiner."""
    pairs = parse_pairs(images[0].infotext) if images else {}
    return {name: value for name, value in pairs.items() if name not in _PAIRS_OF_ALL}


def _order(resolved: Resolved | None) -> list[int]:
    """Return the indices of a job's pictures in the order in which a client gets them: a grid's by their places."""
    if isinstance(resolved, ResolvedGrid):
        return resolved.by_place()
    return [] if resolved is None else list(range(resolved.image_count))


def generation_info(job: Job, images: Sequence[Image], request: JobRequest) -> dict[str, Any]:
    """Return what A1111 calls `info`. A job that was stopped before the engine took it knows only what was asked."""
    resolved, whole = resolved_answer(job) or {}, resolved_of(job)
    pictures = pictures_in(whole)
    drawn = [pictures[index] for index in _order(whole)]
    asked = request.model_dump(mode="json")

    def value(name: str) -> Any:
        return resolved.get(name, asked.get(name))

    count = len(drawn) or request.image_count
    seed = int(value("seed") if value("seed") is not None else -1)
    strength = float(resolved.get("subseed_strength", 0))
    variations = [one.drawn.variation_of(one.index) for one in drawn]
    seeds = [one.drawn.seed_of(one.index) for one in drawn] or [image.seed for image in images]
    prompt, negative_prompt = value("prompt") or "", value("negative_prompt") or ""
    words = [one.drawn.words.of(one.index) for one in drawn]
    begun = time.localtime(job.started_at or job.created_at)
    return {
        "prompt": prompt,
        "all_prompts": [one.prompt for one in words] or [prompt] * count,
        "negative_prompt": negative_prompt,
        "all_negative_prompts": [one.negative_prompt for one in words] or [negative_prompt] * count,
        "seed": seed,
        "all_seeds": seeds,
        "subseed": int(resolved.get("subseed", -1)),
        "all_subseeds": [-1 if one is None else one.seed for one in variations] or [-1] * count,
        "subseed_strength": strength or 0,
        "width": value("width"),
        "height": value("height"),
        "sampler_name": value("sampler_name"),
        "scheduler": value("scheduler"),
        "cfg_scale": value("cfg_scale"),
        "steps": value("steps"),
        "batch_size": value("batch_size"),
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": resolved.get("checkpoint"),
        "sd_model_hash": (resolved.get("checkpoint_hash") or "")[:SHORT_HASH_LENGTH] or None,
        "sd_vae_name": resolved.get("vae"),
        "sd_vae_hash": (resolved.get("vae_hash") or "")[:SHORT_HASH_LENGTH] or None,
        "seed_resize_from_w": resolved.get("seed_resize_from_w", -1),
        "seed_resize_from_h": resolved.get("seed_resize_from_h", -1),
        # Where nothing is begun with, none of it counts, though each request has one.
        "denoising_strength": (resolved or asked).get("denoising_strength"),
        "extra_generation_params": _further_pairs(images),
        "index_of_first_image": 0,
        "infotexts": [image.infotext for image in images],
        "styles": asked.get("styles", []),
        "job_timestamp": time.strftime("%Y%m%d%H%M%S", begun),
        "clip_skip": resolved.get("clip_skip", 1),
        "is_using_inpainting_conditioning": False,
        "version": resolved.get("version", VERSION),
        "task_id": job.id,
        "notes": [note.text for note in job.notes],
    }
