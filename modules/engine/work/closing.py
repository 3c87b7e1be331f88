"""A request that draws, closed: what its row keeps for ever, and what people are told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from modules.engine.engine_parts import EngineParts
from modules.engine.models.devices import choose_dtype, choose_threads
from modules.engine.models.loading import describe_denoiser
from modules.engine.work.environment import environment_of
from modules.engine.work.init_pictures import with_saved_starts
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.networks_of_job import close_networks
from modules.engine.work.spelling import Spelling
from modules.images.naming import INIT_IMAGES
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.spelling import in_environment
from modules.prompts.dynamic.left import describe_left


class Closed(NamedTuple):
    """A request with nothing left open, its models, and notes for people: each a kind and a text."""

    models: Models
    resolved: ResolvedJob
    notes: tuple[tuple[str, str], ...]


def close_request(
    parts: EngineParts, finder: ModelFinder, request: DrawingRequest, models: Models, draw_seed: Callable[[], int]
) -> Closed:
    """Close what a request leaves open, by the settings of now. `models` are those that were chosen for it.

    Raises:
        Interrupted: the job was stopped meanwhile.
        SteadyError: it cannot be drawn.
    """
    settings = parts.options.values
    denoiser = describe_denoiser(models.checkpoint)
    threads = choose_threads(settings.torch_threads, denoiser)
    dtype = choose_dtype(
        settings.torch_dtype,
        parts.device,
        denoiser,
        lambda: parts.cpu_formats.fastest(denoiser.kind, threads, parts.cancel.check),
    )
    environment = environment_of(parts.device, dtype, threads)
    find, check = parts.inputs.find, parts.cancel.check
    wildcards = parts.catalogue.library.wildcards.now()
    resolved = request.resolve(models, settings, draw_seed, dtype, threads, environment, find, wildcards, check)
    models, resolved, left_out = close_networks(resolved, models, request, settings, parts.catalogue, finder)
    if spelling := Spelling(resolved, models).of_all(check):
        resolved = resolved.model_copy(update={"environment": environment | in_environment(spelling)})
    if settings.save_init_img:
        kept = parts.folder.root / INIT_IMAGES
        resolved = with_saved_starts(resolved, parts.inputs, kept, parts.cancel.check_waiting)
    notes = [("models", text) for text in models.told] + [("networks", text) for text in left_out]
    if request.settings_over(settings).dynamic_prompts and (left := describe_left(resolved.texts, wildcards)):
        notes.append(("wildcards", left))
    return Closed(models, resolved, tuple(notes))
