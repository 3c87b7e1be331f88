"""Samplers that are diffusers' own but for their way out of pure noise."""

from __future__ import annotations

from typing import Any

from diffusers import EulerDiscreteScheduler, LMSDiscreteScheduler, UniPCMultistepScheduler

from modules.engine.samplers.terminal_noise import FromTerminalNoise


class Euler(FromTerminalNoise, EulerDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one."""


class UniPC(FromTerminalNoise, UniPCMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one."""


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
    """The stock one."""
