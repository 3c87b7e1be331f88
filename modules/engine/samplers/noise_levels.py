"""Samplers over noise levels of a schedule type that diffusers does not offer with them: Euler a and LCM.

With A1111 both take the levels of any schedule type (Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 5,
and its kin). The levels of Euler a are those of Euler. LCM knows only each twentieth timestep, its lowest level is that
of the first of them, and its network is asked at the nearest one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

_LCM_TIMESTEPS = 50


class Levels(NamedTuple):
    """Noise levels, from the highest to 0, and the timesteps of all but the last."""

    sigmas: torch.Tensor
    timesteps: torch.Tensor


def step_over(levels: Levels, scheduler: Any) -> None:
    """Let a scheduler of diffusers, whose list is made, step over these levels instead."""
    scheduler.sigmas = levels.sigmas.to("cpu", torch.float32)
    scheduler.timesteps = levels.timesteps.to(scheduler.timesteps.device, torch.float32)


def lcm_levels(euler: Any, schedule: str, steps: int) -> Levels:
    """Return the levels of LCM with a schedule type; `euler` spreads levels for the same model."""
    variances = euler.alphas_cumprod.double().numpy()
    skipped = len(variances) // _LCM_TIMESTEPS
    known = np.arange(skipped - 1, len(variances), skipped)
    ladder = ((1 - variances[known]) / variances[known]) ** 0.5
    if schedule in ("Uniform", "SGM Uniform"):
        count = steps + (schedule == "SGM Uniform")
        at = np.linspace(known[-1], known[0], count)[:steps] if count > 1 else known[-1:]
        sigmas = np.exp(np.interp(at, known, np.log(ladder)))
    else:
        convert = getattr(euler, f"_convert_to_{schedule.lower()}")
        euler.num_inference_steps = steps
        sigmas = np.asarray(convert(in_sigmas=ladder[::-1].copy(), num_inference_steps=steps), np.float64)
    nearest = np.abs(np.log(sigmas)[:, None] - np.log(ladder)[None]).argmin(axis=1)
    return Levels(torch.from_numpy(np.append(sigmas, 0.0)), torch.from_numpy(known[nearest]))
