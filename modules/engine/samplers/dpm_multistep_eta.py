"""DPM++ 2M SDE, with the slope of Heun too, and DPM++ 3M SDE that add another part of their noise than all of it.

Source: the samplers of these names in k-diffusion, after https://arxiv.org/abs/2211.01095.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler

from modules.engine.samplers.terminal_noise import FromTerminalNoise


class MultistepSDE(FromTerminalNoise, DPMSolverMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The three, by `solver_order` and `solver_type`; `eta` is the part of the noise, which is of `strength`."""

    eta = 1.0
    strength = 1.0
    sigmas: torch.Tensor
    step_index: Any

    def dpm_solver_first_order_update(
        self, model_output: torch.Tensor, sample: Any = None, noise: Any = None, **_more: Any
    ) -> torch.Tensor:
        """Step by the latest estimate alone."""
        return self._stepped([model_output], sample, noise, order=1)

    def multistep_dpm_solver_second_order_update(
        self, model_output_list: list[torch.Tensor], sample: Any = None, noise: Any = None, **_more: Any
    ) -> torch.Tensor:
        """Step by the latest two estimates."""
        return self._stepped(model_output_list, sample, noise, order=2)

    def multistep_dpm_solver_third_order_update(
        self, model_output_list: list[torch.Tensor], sample: Any = None, noise: Any = None, **_more: Any
    ) -> torch.Tensor:
        """Step by the latest three estimates."""
        return self._stepped(model_output_list, sample, noise, order=3)

    def _stepped(self, seen: list[torch.Tensor], sample: torch.Tensor, noise: torch.Tensor, order: int) -> torch.Tensor:
        """Return the sample at the next noise level; `seen` are estimates of the finished latents, the latest last."""
        now, later = self.step_index, self.step_index + 1
        signal, level = self._sigma_to_alpha_sigma_t(self.sigmas[later])
        signal_now, _ = self._sigma_to_alpha_sigma_t(self.sigmas[now])
        if level == 0:
            return seen[-1]
        step = self._log_signal(later) - self._log_signal(now)
        whole = step * (1 + self.eta)
        away = -torch.expm1(-whole)
        kept = signal / signal_now * torch.exp(-whole)
        led_to = away * seen[-1] + self._looking_back(seen, step, whole, away, order)
        added = level * (-torch.expm1(-2 * self.eta * step)).clamp(min=0).sqrt() * self.strength
        stepped: torch.Tensor = kept * sample + signal * led_to + added * noise
        return stepped

    def _looking_back(
        self, seen: list[torch.Tensor], step: torch.Tensor, whole: torch.Tensor, away: torch.Tensor, order: int
    ) -> torch.Tensor | float:
        """Return what the estimates before the latest say of where it is led to."""
        if order == 1:
            return 0.0
        now = self.step_index
        ago = self._log_signal(now) - self._log_signal(now - 1)
        near = (seen[-1] - seen[-2]) * (step / ago)
        curved = 1 - away / whole
        if order == 2:
            return curved * near if self.config.solver_type == "heun" else away / 2 * near
        longer_ago = self._log_signal(now - 1) - self._log_signal(now - 2)
        far = (seen[-2] - seen[-3]) * (step / longer_ago)
        second = (near - far) * step / (ago + longer_ago)
        first = near + (near - far) * ago / (ago + longer_ago)
        return curved * first - (curved / whole - 0.5) * second

    def _log_signal(self, index: int) -> torch.Tensor:
        signal, noise = self._sigma_to_alpha_sigma_t(self.sigmas[index])
        ratio: torch.Tensor = torch.log(signal) - torch.log(noise)
        return ratio
