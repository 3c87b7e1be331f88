"""Heun."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import HeunDiscreteScheduler

from modules.engine.samplers.terminal_noise import FromTerminalNoise, forget_first_step


class Heun(FromTerminalNoise, HeunDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one; its first step from pure noise is of the first order."""

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, return_dict: bool = True) -> Any:
        """Do the stock step."""
        stepped = super().step(model_output, timestep, sample, return_dict)
        forget_first_step(self)
        return stepped
