"""DPM++ 2M, its kin with noise, and DPM++ 3M SDE."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler

from modules.engine.samplers.long_steps import NoLongLooksBack
from modules.engine.samplers.terminal_noise import FromTerminalNoise


class DPMppMultistep(NoLongLooksBack, FromTerminalNoise, DPMSolverMultistepScheduler):  # type: ignore[misc]  # untyped
    """The stock one."""

    def multistep_dpm_solver_second_order_update(
        self, model_output_list: list[torch.Tensor], *rest: Any, **more: Any
    ) -> torch.Tensor:
        """Do the stock step, or in one too long that of the first order."""
        stepped: torch.Tensor
        if self._is_too_long():
            stepped = self.dpm_solver_first_order_update(model_output_list[-1], *rest, **more)
        else:
            stepped = super().multistep_dpm_solver_second_order_update(model_output_list, *rest, **more)
        return stepped


class ThirdOrderSDE(DPMppMultistep):
    """The third order of "sde-dpmsolver++", with the sign that it has in k-diffusion's sampler.

    diffusers (0.42) takes one half off the factor of the second difference where it is to be added, so the factor tends
    to -1 instead of 0 for short steps, and the result is worse than that of the second order.
    """

    def multistep_dpm_solver_third_order_update(
        self, model_output_list: list[torch.Tensor], *rest: Any, **more: Any
    ) -> torch.Tensor:
        """Do the stock step, and put right the part of the second difference."""
        if self._is_too_long():
            return self.multistep_dpm_solver_second_order_update(model_output_list, *rest, **more)
        stepped: torch.Tensor = super().multistep_dpm_solver_third_order_update(model_output_list, *rest, **more)
        end, start, before, earlier = (self._log_signal(self.step_index + offset) for offset in (1, 0, -1, -2))
        step, ago, longer_ago = end - start, start - before, before - earlier
        now, last, last_but_one = model_output_list[-1], model_output_list[-2], model_output_list[-3]
        near, far = (now - last) * (step / ago), (last - last_but_one) * (step / longer_ago)
        second_difference = (near - far) * (step / (ago + longer_ago))
        signal, _ = self._sigma_to_alpha_sigma_t(self.sigmas[self.step_index + 1])
        corrected: torch.Tensor = stepped + signal * second_difference
        return corrected

    def _log_signal(self, index: int) -> torch.Tensor:
        signal, noise = self._sigma_to_alpha_sigma_t(self.sigmas[index])
        ratio: torch.Tensor = torch.log(signal) - torch.log(noise)
        return ratio
