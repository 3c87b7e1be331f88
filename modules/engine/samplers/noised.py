"""Finished latents with as much noise as belongs to a place of a sampler's list: where a pass begins with a picture."""

from __future__ import annotations

import copy
from typing import Any

import torch


def noised(scheduler: Any, clean: torch.Tensor, noise: torch.Tensor, place: int, extra: float = 0.0) -> torch.Tensor:
    """Return `clean` with the noise of a place of the list, as the sampler sees it; past its end as it is.

    `clean` and `noise`, of unit variance: (batch, …). `scheduler` is one of diffusers or a translated one, whose list
    is made; at whatever place it stands, nothing of it changes. With `extra` so much more noise lies on the clean
    latents than the sampler believes, in units of theirs: A1111's extra noise.

    Raises:
        ValueError: it is none that noise can be added for.
    """
    if place >= len(scheduler.timesteps):
        return clean
    made = _added(scheduler, clean, noise, place)
    if extra:
        made = made + extra * _added(scheduler, noise, torch.zeros_like(noise), place)
    return made


def _added(scheduler: Any, clean: torch.Tensor, noise: torch.Tensor, place: int) -> torch.Tensor:
    """Ask the scheduler's own method, which takes the noise of the step that it is in: so a copy is asked."""
    if hasattr(scheduler, "noised_at"):
        return torch.as_tensor(scheduler.noised_at(clean, noise, place))
    add = next((name for name in ("scale_noise", "add_noise") if hasattr(scheduler, name)), None)
    if add is None:
        raise ValueError(f"{type(scheduler).__name__} begins with noise alone")
    asked = copy.copy(scheduler)
    if hasattr(asked, "set_begin_index"):
        asked._step_index = None
        asked.set_begin_index(place)
    timestep = asked.timesteps[place : place + 1]
    if add == "scale_noise":
        return torch.as_tensor(asked.scale_noise(clean, timestep, noise))
    return torch.as_tensor(asked.add_noise(clean, noise, timestep))
