"""Samplers that are diffusers' own but for their way out of pure noise."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, LMSDiscreteScheduler, UniPCMultistepScheduler

from modules.engine.samplers.long_steps import NoLongLooksBack
from modules.engine.samplers.terminal_noise import FromTerminalNoise


class Euler(FromTerminalNoise, EulerDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one."""


class UniPC(NoLongLooksBack, FromTerminalNoise, UniPCMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one."""

    this_order: int

    def multistep_uni_p_bh_update(self, *arguments: Any, order: int | None = None, **more: Any) -> torch.Tensor:
        """Do the stock step; one too long, and what the next one corrects of it, are of the first order."""
        if self._is_too_long():
            order = self.this_order = 1
        stepped: torch.Tensor = super().multistep_uni_p_bh_update(*arguments, order=order, **more)
        return stepped


class _CountedLMS(LMSDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one, whose Karras levels are as many as it is told, as those of the others are."""

    num_inference_steps: int

    def _convert_to_karras(self, in_sigmas: Any, num_inference_steps: int) -> Any:
        whole, self.num_inference_steps = self.num_inference_steps, num_inference_steps
        try:
            return super()._convert_to_karras(in_sigmas=in_sigmas)
        finally:
            self.num_inference_steps = whole


class LMS(FromTerminalNoise, _CountedLMS):
    """The stock one, which looks back no further than to where it began, also amid its list."""

    derivatives: list[torch.Tensor]

    def step(
        self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, order: int = 4, return_dict: bool = True
    ) -> Any:
        """Do the stock step."""
        return super().step(model_output, timestep, sample, min(order, len(self.derivatives) + 1), return_dict)
