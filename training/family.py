"""What the small files of the model's family (LoRA, embedding) share: pictures to latents, and a loop over them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers import StableDiffusionPipeline
from objective import Objective
from replicas import Replicas, choose_device, use_plain_attention
from settings import EXPORT, SEED, SHORT_TOKENS, WORKERS

log = logging.getLogger("family")

SHARE_WITHOUT_WORDS = 0.1


@dataclass(frozen=True)
class Examples:
    """Latents (count, 16, 16, 16), and for each the function that words it once."""

    latents: torch.Tensor
    captions: Sequence[Callable[[], str]]


def load_model() -> StableDiffusionPipeline:
    """Load the exported model in fp32, all of it frozen."""
    pipeline = StableDiffusionPipeline.from_pretrained(EXPORT, dtype=torch.float32)
    for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        network.requires_grad_(False)
    use_plain_attention(pipeline.unet)
    return pipeline


@torch.no_grad()
def encode(pipeline: StableDiffusionPipeline, pictures: Sequence[torch.Tensor]) -> torch.Tensor:
    """Encode (3, 256, 256) pictures in -1..1."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [
            pipeline.vae.encode(torch.stack(list(pictures[at : at + 8]))).latents for at in range(0, len(pictures), 8)
        ]
    return torch.cat(parts).float()


class Trainer:
    """Trains what of the UNet and the text encoder asks for gradients; `number` decides what a step draws."""

    def __init__(self, pipeline: StableDiffusionPipeline, examples: Examples, rate: float, steps: int) -> None:
        self._pipeline, self._examples, self._rate, self._steps = pipeline, examples, rate, steps
        networks = [pipeline.unet, pipeline.text_encoder]
        self._learned = [p for network in networks for p in network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._learned, lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
        self._replicas, self._objective = Replicas(networks, WORKERS), Objective(choose_device())

    def run(self, batch: int, after_backward: Callable[[], None] = lambda: None) -> None:
        """Train for all steps; `after_backward` may change gradients."""
        smooth, begin = math.nan, time.monotonic()
        for number in range(self._steps):
            progress = number / self._steps
            for group in self._optimizer.param_groups:
                group["lr"] = (
                    self._rate * min(1.0, (number + 1) / 30) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
                )
            self._optimizer.zero_grad()
            loss = self._replicas.backward(self._objective, *self._draw(number, batch), micro=8)
            after_backward()
            torch.nn.utils.clip_grad_norm_(self._learned, 1.0)
            self._optimizer.step()
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            if (number + 1) % 50 == 0:
                speed = (number + 1) * batch / (time.monotonic() - begin)
                log.info("%d/%d loss %.4f, %.1f/s", number + 1, self._steps, smooth, speed)

    def _draw(self, number: int, count: int) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(SEED + number)
        index = torch.randint(len(self._examples.latents), (count,), generator=generator)
        wordless = torch.rand(count, generator=generator) < SHARE_WITHOUT_WORDS
        texts = [
            "" if empty else self._examples.captions[i]()
            for i, empty in zip(index.tolist(), wordless.tolist(), strict=True)
        ]
        tokens = self._pipeline.tokenizer(
            texts, padding="max_length", truncation=True, max_length=SHORT_TOKENS, return_tensors="pt"
        ).input_ids
        latents = self._examples.latents[index]
        timesteps = (torch.rand(count, generator=generator) ** 0.75 * 1000).long().clamp(max=999)
        return latents, tokens, timesteps, torch.randn(latents.shape, generator=generator)
