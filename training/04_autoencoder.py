"""Train the autoencoder: `python training/04_autoencoder.py joint`, later `... decoder` to sharpen the decoder alone.

`joint` trains both halves on crops of the pictures; `bake` then folds the normalisation of the latents (mean 0,
variance 1 in each channel) into the last convolution of the encoder. From then on the encoder is frozen: `decoder`
goes on with the decoder only, so latents that were encoded stay valid. `publish` writes `autoencoder.safetensors`
beside this script, from which a later training starts. What is measured and kept is the moving average of the weights,
which wander from step to step even at a low rate (by 0.3 dB, as tints of white). Stopped runs resume from the last
checkpoint; `--steps` may be changed on resuming. Schedules count steps, never the clock.
"""

from __future__ import annotations

import argparse
import copy
import logging
import math
import time
from typing import Any

import torch
from diffusers import AutoencoderTiny
from muon import Muon
from painting import Painter
from quality import psnr
from replicas import Replicas, choose_device
from safetensors.torch import save_file
from settings import (
    AUTOENCODER,
    FINISHED_AUTOENCODER,
    LATENT_CHANNELS,
    SEED,
    WORKERS,
    build_autoencoder,
    load_autoencoder,
    read_autoencoder_state,
    save_atomically,
)

log = logging.getLogger("autoencoder")

CROP = 128
LATENT_NOISE = 0.03
PULL = 1e-2
ADAM_SHARE = 0.35
SAVE_EVERY = 25
AVERAGE = 0.99


def joint_loss(model: AutoencoderTiny, batch: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Compute reconstruction plus a light pull of the latents to mean 0 and variance 1."""
    latents = model.encoder(batch).float()
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    pull = mean.square().mean() + (deviation - 1).square().mean() + 0.05 * latents.square().mean()
    return reconstruction(model, latents + LATENT_NOISE * noise, batch) + PULL * pull


def decoder_loss(model: AutoencoderTiny, batch: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Compute reconstruction from frozen latents with a trace of noise, as a denoiser leaves it."""
    with torch.no_grad():
        latents = model.encoder(batch).float()
    return reconstruction(model, latents + LATENT_NOISE * noise, batch)


def reconstruction(model: AutoencoderTiny, latents: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """Compare a decoded batch with the truth: the root of each picture's squared error, some L1, and L1 of gradients.

    The root weighs easy and hard pictures between their squared errors (hard ones only) and their PSNR (all alike);
    the gradients mind thin rings around edges, which the eye sees and squared errors hardly count.
    """
    error = model.decoder(latents).float() - batch
    root = (error.square().mean((1, 2, 3)) + 1e-5).sqrt()
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return root.mean() + 0.15 * error.abs().mean() + 0.15 * edges


@torch.no_grad()
def bake(state: dict[str, Any]) -> None:
    """Fold mean and deviation of the latents into the encoder, so that scaling_factor 1 gives unit variance.

    The inverse goes into the decoder; it is exact but for the soft clamp before it and the border, which the decoder
    stage learns away.
    """
    if state.get("baked") or not state:
        raise SystemExit("The order is `joint`, `bake`, `decoder`.")
    model = build_autoencoder()
    model.load_state_dict(state["model"])
    painter = Painter()
    painter.restart(SEED)
    latents = torch.cat([model.encoder(painter.whole(8)) for _ in range(48)])
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    log.info("before baking: mean %s deviation %s", mean.numpy().round(2), deviation.numpy().round(2))
    last = model.encoder.layers[-1]
    last.weight.div_(deviation[:, None, None, None])
    last.bias.sub_(mean).div_(deviation)
    first = model.decoder.layers[0]
    first.bias.add_(torch.einsum("oihw,i->o", first.weight, mean))
    first.weight.mul_(deviation[None, :, None, None])
    unseen = painter.unseen(48)
    state.update({"model": model.state_dict(), "baked": True})
    save_atomically(state, AUTOENCODER)
    log.info("baked, PSNR %.2f dB", psnr(model, unseen))


def publish(state: dict[str, Any]) -> None:
    """Write the baked autoencoder as fp16 into the repository, so that the next training begins with the pool."""
    model = load_autoencoder()
    half = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(half, FINISHED_AUTOENCODER, metadata={"format": "pt", "steps": str(state.get("joint_steps", ""))})
    FINISHED_AUTOENCODER.chmod(0o644)
    log.info("%s: PSNR %.2f dB", FINISHED_AUTOENCODER, psnr(model, Painter().unseen(48)))


def build_optimizers(network: torch.nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """Give inner convolutions to Muon; the first and last ones and the biases to AdamW, slower, or they cast tints."""
    matrices = [p for p in network.parameters() if p.ndim == 4 and min(p.shape[:2]) > LATENT_CHANNELS]
    chosen = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW([{"params": others, "factor": ADAM_SHARE}], lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
    return [Muon(matrices, rate, weight_decay=0.0), adam]


def rate_shape(step: int, steps: int) -> float:
    """Rise over 50 steps, hold for 35 % of the run, then fall in a straight line to a hundredth.

    Held, the rate stopped helping after 500 steps (loss 0.22, 24.6 dB).
    """
    progress = step / steps
    fall = min(1.0, max(0.01, (1 - progress) / 0.65))
    return min(1.0, (step + 1) / 50) * fall


class Trainer:
    """Holds the network, the moving average of its weights, the optimizers and the checkpoint of one stage."""

    def __init__(self, stage: str, rate: float, state: dict[str, Any]) -> None:
        self.stage, self.rate, self.state = stage, rate, state
        self.device = choose_device()
        self.model = build_autoencoder().to(self.device, memory_format=torch.channels_last)
        if "model" in state:
            self.model.load_state_dict(state.get(f"{stage}_live", state["model"]))
        self.averaged = copy.deepcopy(self.model)
        self.averaged.load_state_dict(state.get("model", self.model.state_dict()))
        self.network = self.model if stage == "joint" else self.model.decoder
        self.optimizers = build_optimizers(self.network, rate)
        for optimizer, saved in zip(self.optimizers, state.get(f"{stage}_optimizers", ()), strict=False):
            optimizer.load_state_dict(saved)
            for group in optimizer.param_groups:
                group["factor"] = ADAM_SHARE if isinstance(optimizer, torch.optim.AdamW) else 1.0
        self.first = state.get(f"{stage}_steps", 0)
        self.replicas = Replicas([self.model], WORKERS)
        self.painter = Painter(self.device)

    def step(self, number: int, options: argparse.Namespace) -> float:
        """Do one update and return the loss."""
        self.painter.restart(SEED + number)
        batch = self.painter.crops(options.batch, CROP).contiguous(memory_format=torch.channels_last)
        noise = self.painter.noise(options.batch, LATENT_CHANNELS, CROP // 16, CROP // 16)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = group["factor"] * self.rate * rate_shape(number, options.steps)
        compute = joint_loss if self.stage == "joint" else decoder_loss
        loss = self.replicas.backward(compute, batch, noise, micro=options.micro)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 0.5)
        for optimizer in self.optimizers:
            optimizer.step()
        live, averages = ([p.detach() for p in model.parameters()] for model in (self.model, self.averaged))
        torch._foreach_lerp_(averages, live, 1 - min(AVERAGE, (1 + number) / (10 + number)))
        return loss

    def save(self, number: int) -> None:
        """Write the checkpoint after update `number`."""
        self.state["model"] = self.averaged.state_dict()
        self.state[f"{self.stage}_live"] = self.model.state_dict()
        self.state[f"{self.stage}_optimizers"] = [optimizer.state_dict() for optimizer in self.optimizers]
        self.state[f"{self.stage}_steps"] = number
        save_atomically(self.state, AUTOENCODER)


def train(trainer: Trainer, options: argparse.Namespace) -> None:
    """Run one stage up to `--steps`, saving every 25 steps and measuring every 200."""
    unseen = trainer.painter.unseen(48).contiguous(memory_format=torch.channels_last)
    smooth, begin = math.nan, time.monotonic()
    for number in range(trainer.first, options.steps):
        loss = trainer.step(number, options)
        smooth = loss if math.isnan(smooth) else 0.97 * smooth + 0.03 * loss
        done = number + 1
        if done % SAVE_EVERY == 0 or done == options.steps:
            trainer.save(done)
        if done % 25 == 0:
            speed = (done - trainer.first) * options.batch / (time.monotonic() - begin)
            log.info("%s %d/%d loss %.4f, %.1f/s", options.stage, done, options.steps, smooth, speed)
        if done % options.measure_every == 0 or done == options.steps:
            log.info("%s %d PSNR %.2f dB", options.stage, done, psnr(trainer.averaged, unseen))


def main() -> None:
    """Parse the stage and run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("joint", "bake", "decoder", "publish"))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--micro", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--measure-every", type=int, default=200)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    state = read_autoencoder_state()
    if options.stage in ("bake", "publish"):
        {"bake": bake, "publish": publish}[options.stage](state)
        return
    if (options.stage == "decoder") != bool(state.get("baked")):
        raise SystemExit(
            f"The order is `joint`, `bake`, `decoder`; without {FINISHED_AUTOENCODER.name} it begins anew."
        )
    train(Trainer(options.stage, options.rate, state), options)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
