"""What the denoiser is trained for: v-prediction on a scaled-linear schedule with zero terminal SNR.

Weights are min-SNR ones (gamma 5, arXiv:2303.09556) with a floor, because the plain ones vanish at the terminal step,
from which every picture starts.
"""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel

GAMMA = 5.0
WEIGHT_FLOOR = 1.0


class Objective:
    """The loss of one part of a batch; its tensors lie on `device`."""

    def __init__(self, device: torch.device) -> None:
        schedule = DDIMScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, rescale_betas_zero_snr=True
        )
        levels = schedule.alphas_cumprod
        self.signal, self.noise = levels.sqrt().to(device), (1 - levels).sqrt().to(device)
        snr = levels / (1 - levels)
        self.weights = (snr.clamp(max=GAMMA) / (snr + 1)).clamp(min=WEIGHT_FLOOR).to(device)

    def __call__(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        latents: torch.Tensor,
        tokens: torch.Tensor,
        timesteps: torch.Tensor,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """Compute the weighted loss; latents and noise are (batch, 16, 16, 16), tokens (batch, length)."""
        signal, level = self.signal[timesteps, None, None, None], self.noise[timesteps, None, None, None]
        words = text_encoder(tokens).last_hidden_state
        predicted = unet(signal * latents + level * noise, timesteps, words).sample
        error = (predicted.float() - (signal * noise - level * latents)).square().mean((1, 2, 3))
        return (error * self.weights[timesteps]).mean() / self.weights.mean()
