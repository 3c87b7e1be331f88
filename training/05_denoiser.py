"""Train denoiser and text encoder together: `python training/05_denoiser.py --steps 6000`.

v-prediction on a scaled-linear schedule with zero terminal SNR; min-SNR weights (gamma 5, arXiv:2303.09556) with a
floor, because the plain ones vanish at the terminal step, from which every picture starts. Every 250 steps it saves a
checkpoint, from which a stopped run resumes; `--steps` may be changed on resuming. Schedules count steps, never the
clock, so the process can be paused at will.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from typing import Any

import torch
from captioning import Captioner
from diffusers import DDIMScheduler, UNet2DConditionModel
from replicas import Replicas
from settings import (
    DENOISER,
    LATENTS,
    SEED,
    TOKENIZER,
    TOKENS,
    WORKERS,
    build_text_encoder,
    build_unet,
    read_captions,
    save_atomically,
)
from transformers import CLIPTextModel, CLIPTokenizer

log = logging.getLogger("denoiser")

BATCH = 32
SHORT = 24
FULL_LENGTH_EVERY = 4
WITHOUT_WORDS = 0.12
GAMMA = 5.0
WEIGHT_FLOOR = 1.0
HIGH_NOISE = 0.75
TEXT_RATE = 2.5
SAVE_EVERY = 250


class Trainer:
    """Holds both networks, their moving average and the schedule; `step` does one update."""

    def __init__(self, rate: float) -> None:
        entries = read_captions()
        self.captioner = Captioner(entries)
        self.tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
        self.unet: UNet2DConditionModel = build_unet()
        self.text_encoder: CLIPTextModel = build_text_encoder(
            len(self.tokenizer), self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        )
        self.replicas = Replicas([self.unet, self.text_encoder], WORKERS)
        self.parameters = [*self.unet.parameters(), *self.text_encoder.parameters()]
        self.averages = [parameter.detach().clone() for parameter in self.parameters]
        self.rate = rate
        groups = [
            {"params": [p for name, p in self.unet.named_parameters() if "attn2" not in name], "factor": 1.0},
            {"params": [p for name, p in self.unet.named_parameters() if "attn2" in name], "factor": TEXT_RATE},
            {"params": list(self.text_encoder.parameters()), "factor": TEXT_RATE},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.latents = torch.load(LATENTS, weights_only=True)["latents"].float()
        self.weights = torch.tensor([entry["weight"] for entry in entries])
        schedule = DDIMScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, rescale_betas_zero_snr=True
        )
        self.signal = schedule.alphas_cumprod.sqrt()
        self.noise = (1 - schedule.alphas_cumprod).sqrt()
        snr = schedule.alphas_cumprod / (1 - schedule.alphas_cumprod)
        self.loss_weights = (snr.clamp(max=GAMMA) / (snr + 1)).clamp(min=WEIGHT_FLOOR)

    def batch(self, seed: int, full_length: bool) -> tuple[torch.Tensor, ...]:
        """Draw (latents, token ids, timesteps, noise) for one step; timesteps are stratified over the schedule."""
        generator = torch.Generator().manual_seed(seed)
        index = torch.multinomial(self.weights, BATCH, replacement=True, generator=generator)
        self.captioner.restart(seed)
        wordless = torch.rand(BATCH, generator=generator) < WITHOUT_WORDS
        texts = [
            "" if empty else self.captioner.draw(i) for i, empty in zip(index.tolist(), wordless.tolist(), strict=True)
        ]
        tokens = self.tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=TOKENS if full_length else SHORT,
            return_tensors="pt",
        ).input_ids
        latents = self.latents[index]
        noise = torch.randn(latents.shape, generator=generator)
        spread = (torch.randperm(BATCH, generator=generator) + torch.rand(BATCH, generator=generator)) / BATCH
        return latents, tokens, (spread**HIGH_NOISE * 1000).long().clamp(max=999), noise

    def loss(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        latents: torch.Tensor,
        tokens: torch.Tensor,
        timesteps: torch.Tensor,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """Compute the weighted v-prediction loss of one share of a batch."""
        signal, level = self.signal[timesteps, None, None, None], self.noise[timesteps, None, None, None]
        words = text_encoder(tokens).last_hidden_state
        predicted = unet(signal * latents + level * noise, timesteps, words).sample
        error = (predicted.float() - (signal * noise - level * latents)).square().mean((1, 2, 3))
        return (error * self.loss_weights[timesteps]).mean() / self.loss_weights.mean()

    def step(self, number: int, steps: int) -> float:
        """Do update `number` of `steps` and return the weighted loss."""
        progress = number / steps
        full_length = number % FULL_LENGTH_EVERY == 0 or progress > 0.92
        self.optimizer.zero_grad()
        loss = self.replicas.backward(self.loss, *self.batch(SEED + number, full_length))
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * self.rate * min(1.0, (number + 1) / 200) * learning_shape(progress)
        self.optimizer.step()
        decay = min(0.995, (1 + number) / (10 + number))
        torch._foreach_lerp_(self.averages, [parameter.detach() for parameter in self.parameters], 1 - decay)
        return loss

    def averaged(self) -> dict[str, dict[str, torch.Tensor]]:
        """Return the state of both networks with averaged parameters."""
        names = [name for name, _ in self.unet.named_parameters()]
        unet = dict(zip(names, self.averages, strict=False))
        text_names = [name for name, _ in self.text_encoder.named_parameters()]
        text = dict(zip(text_names, self.averages[len(names) :], strict=True))
        return {
            "unet": {**self.unet.state_dict(), **unet},
            "text_encoder": {**self.text_encoder.state_dict(), **text},
        }

    def save(self, number: int) -> None:
        """Write the checkpoint after update `number`."""
        content: dict[str, Any] = {
            "steps": number,
            "unet": self.unet.state_dict(),
            "text_encoder": self.text_encoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averages": self.averages,
            "averaged": self.averaged(),
        }
        save_atomically(content, DENOISER)

    def resume(self) -> int:
        """Load the checkpoint, if there is one, and return how many updates it has seen."""
        if not DENOISER.exists():
            return 0
        content = torch.load(DENOISER, weights_only=True)
        self.unet.load_state_dict(content["unet"])
        self.text_encoder.load_state_dict(content["text_encoder"])
        self.optimizer.load_state_dict(content["optimizer"])
        for mine, saved in zip(self.averages, content["averages"], strict=True):
            mine.copy_(saved)
        return int(content["steps"])


def learning_shape(progress: float) -> float:
    """Hold the rate for half of the run, then let it fall as a cosine to a hundredth."""
    if progress < 0.5:
        return 1.0
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.5) / 0.5))


def main() -> None:
    """Train up to `--steps`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=8e-4)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    trainer = Trainer(options.rate)
    first = trainer.resume()
    smooth, begin = math.nan, time.monotonic()
    for number in range(first, options.steps):
        loss = trainer.step(number, options.steps)
        smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
        if (number + 1) % 50 == 0:
            speed = (number + 1 - first) * BATCH / (time.monotonic() - begin)
            log.info("%d/%d loss %.4f, %.1f/s", number + 1, options.steps, smooth, speed)
        if (number + 1) % SAVE_EVERY == 0 or number + 1 == options.steps:
            trainer.save(number + 1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
