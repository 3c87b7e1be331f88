"""DPM2 and DPM2 a."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import KDPM2AncestralDiscreteScheduler, KDPM2DiscreteScheduler

from modules.engine.samplers.own_step import Generators
from modules.engine.samplers.terminal_noise import forget_first_step
from modules.engine.samplers.two_calls import LooksAmid


class DPM2(LooksAmid, KDPM2DiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one; its first step from pure noise is of the first order."""

    middle_ahead = 1

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, return_dict: bool = True) -> Any:
        """Do the stock step."""
        stepped = super().step(model_output, timestep, sample, return_dict)
        forget_first_step(self)
        return stepped


class DPM2Ancestral(LooksAmid, KDPM2AncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one; its first step from pure noise is of the first order."""

    middle_ahead = 0

    def step(
        self,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Any:
        """Do the stock step."""
        stepped = super().step(model_output, timestep, sample, generator, return_dict)
        forget_first_step(self)
        return stepped
