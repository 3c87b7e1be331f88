"""What a pass begins with in place of noise alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from modules.engine.samplers.blending import Blend


@dataclass(frozen=True)
class Beginning:
    """Finished latents, to which the noise of the pass's first step is added.

    `clean`: (batch, …) as the scheduler sees them. The noise is `noise_multiplier` times as strong as it is drawn, and
    `extra_noise` more of it lies on the latents than the sampler believes. With a `blend` a part of the picture is
    known. A pass that `goes_on` begins with what the one before left, and only knows the same.
    """

    clean: torch.Tensor
    noise_multiplier: float = 1.0
    extra_noise: float = 0.0
    blend: Blend | None = None
    goes_on: bool = False
