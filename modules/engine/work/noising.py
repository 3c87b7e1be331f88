"""Noise onto the latents that a pass begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.noised import noised
from modules.engine.samplers.places import begin_at
from modules.engine.samplers.proxy import Sampler
from modules.engine.work.beginning import Beginning
from modules.engine.work.seeds import Seeds
from modules.errors import ModelError


def begun(
    model: LoadedModel, arguments: Mapping[str, Any], sampler: Sampler, beginning: Beginning, step: int, seeds: Seeds
) -> torch.Tensor:
    """Return what a pass that begins at a step of its list starts from: (batch, …), as the scheduler sees it.

    `arguments` are those of the pipeline's call, with the pictures' generators, from which comes the noise of txt2img
    with the same `seeds`. `sampler` is no good for the pass itself after that.

    Raises:
        ModelError: the model's own sampler begins with noise alone.
    """
    noise = seeds.noise(model, arguments, sampler)
    if beginning.noise_multiplier != 1.0:
        noise = noise * beginning.noise_multiplier
    scheduler = sampler.scheduler
    try:
        return noised(scheduler, beginning.clean.to(noise), noise, begin_at(scheduler, step), beginning.extra_noise)
    except ValueError as error:
        raise ModelError(f"{model.key.path.name} draws from words alone ({error}): use another model.") from error


def from_noise(model: LoadedModel, arguments: Mapping[str, Any], sampler: Sampler, seeds: Seeds) -> torch.Tensor:
    """Return what a pass starts from that begins with noise alone: (batch, …), as the scheduler sees it."""
    noise = seeds.noise(model, arguments, sampler)
    return noise * getattr(sampler.scheduler, "init_noise_sigma", 1.0)
