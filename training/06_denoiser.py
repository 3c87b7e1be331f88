"""Train denoiser and text encoder together: `python training/06_denoiser.py --steps 20000`.

The loss is that of `objective.py`. It saves a checkpoint every 200 steps, from which a stopped run resumes; `--steps`,
`--batch` and the pool may be changed on resuming. Schedules count steps, never the clock, so the process can be paused
at will.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from lessons import DETAIL_POWER, TIMESTEP_POWER, Batch, Lessons
from muon import Muon
from objective import Objective
from replicas import Replicas, choose_device, use_plain_attention
from settings import (
    DENOISER,
    MODEL,
    SEED,
    TOKENIZER,
    WORKERS,
    build_text_encoder,
    build_unet,
    save_atomically,
)
from transformers import CLIPTextModel

log = logging.getLogger("denoiser")

FULL_LENGTH_EVERY = 12
DETAIL_FROM = 0.75  # of the run; by then shapes are decided, and details are what is left to learn
TEXT_RATE = 2.5
EMBEDDINGS = "embeddings.token_embedding.weight"


class Trainer:
    """Holds both networks, their moving average and the optimizers; `step` does one update."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.device = choose_device()
        self.lessons = Lessons(options.composed, options.pairs, options.words)
        tokenizer = self.lessons.tokenizer
        self.unet: UNet2DConditionModel = build_unet()
        use_plain_attention(self.unet)
        self.text_encoder: CLIPTextModel = build_text_encoder(
            len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id
        )
        self.first = self._load()
        self._ahead = ThreadPoolExecutor(1)
        self._next = self._ahead.submit(self._draw, self.first)
        self.replicas = Replicas([self.unet, self.text_encoder], WORKERS)
        self.parameters = [*self.unet.parameters(), *self.text_encoder.parameters()]
        self.loss = Objective(self.device)

    def _load(self) -> int:
        """Load the checkpoint, or make a start; build the optimizers; return how many updates there were."""
        content: dict[str, Any] = {}
        if DENOISER.exists():
            content = torch.load(DENOISER, weights_only=True, map_location="cpu")
            self.unet.load_state_dict(content["unet"])
            self.text_encoder.load_state_dict(content["text_encoder"])
        else:
            warm_start(self.unet, self.text_encoder)
        # Before the optimizers, since their saved state goes where the parameters are.
        self.unet.to(self.device)
        self.text_encoder.to(self.device)
        self.optimizers = build_optimizers(self.unet, self.text_encoder, self.options.rate, self.options.muon)
        for optimizer, saved in zip(self.optimizers, content.get("optimizers", ()), strict=False):
            optimizer.load_state_dict(saved)
        live = [*self.unet.parameters(), *self.text_encoder.parameters()]
        averages = content.get("averages") or [parameter.detach().clone() for parameter in live]
        self.averages = [average.to(self.device) for average in averages]
        return int(content.get("steps", 0))

    def _draw(self, number: int) -> Batch:
        progress = number / self.options.steps
        full_length = number % FULL_LENGTH_EVERY == 0 or progress > 0.92
        power = DETAIL_POWER if progress > DETAIL_FROM else TIMESTEP_POWER
        return self.lessons.draw(number, self.options.batch, full_length, power)

    def step(self, number: int) -> float:
        """Do update `number` and return the weighted loss."""
        progress = number / self.options.steps
        for optimizer in self.optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                warm = min(1.0, (number + 1) / 200)
                group["lr"] = group["factor"] * self.options.rate * warm * learning_shape(progress, self.options.hold)
        batch = self._next.result()
        self._next = self._ahead.submit(self._draw, number + 1)
        loss = self.replicas.backward(self.loss, *batch, micro=self.options.micro)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        decay = min(self.options.average, (1 + number) / (10 + number))
        torch._foreach_lerp_(self.averages, [parameter.detach() for parameter in self.parameters], 1 - decay)
        return loss

    def averaged(self) -> dict[str, dict[str, torch.Tensor]]:
        """Return the state of both networks with averaged parameters."""
        averages = iter(self.averages)
        return {
            name: {**network.state_dict(), **{key: next(averages) for key, _ in network.named_parameters()}}
            for name, network in (("unet", self.unet), ("text_encoder", self.text_encoder))
        }

    def save(self, number: int) -> None:
        """Write the checkpoint after update `number`."""
        content: dict[str, Any] = {
            "steps": number,
            "unet": self.unet.state_dict(),
            "text_encoder": self.text_encoder.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "averages": self.averages,
            "averaged": self.averaged(),
        }
        save_atomically(content, DENOISER)


def warm_start(unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
    """Take over what the repository's model has learned.

    Tensors are taken over where names and shapes agree, words by their spelling, since the vocabulary may be another.
    """
    if not MODEL.exists():
        return
    earlier_unet = UNet2DConditionModel.from_pretrained(MODEL, subfolder="unet")
    earlier_text = CLIPTextModel.from_pretrained(MODEL, subfolder="text_encoder")
    for network, earlier in ((unet, earlier_unet), (text_encoder, earlier_text)):
        own = {key: value for key, value in network.state_dict().items() if not key.endswith(EMBEDDINGS)}
        known = {key: value.float() for key, value in earlier.state_dict().items() if key in own}
        same = {key: value for key, value in known.items() if own[key].shape == value.shape}
        network.load_state_dict(same, strict=False)
        log.info("%d of %d tensors taken over", len(same), len(own))
    old = json.loads((MODEL / "tokenizer" / "vocab.json").read_text(encoding="utf-8"))
    new = json.loads((TOKENIZER / "vocab.json").read_text(encoding="utf-8"))
    ours, theirs = (text.get_input_embeddings().weight.data for text in (text_encoder, earlier_text))
    shared = [(new[word], old[word]) for word in new.keys() & old.keys()]
    ours[[pair[0] for pair in shared]] = theirs[[pair[1] for pair in shared]].float()
    log.info("%d of %d words taken over", len(shared), len(new))


def build_optimizers(
    unet: UNet2DConditionModel, text_encoder: CLIPTextModel, rate: float, muon: bool
) -> list[torch.optim.Optimizer]:
    """Make AdamW for all, or Muon for the UNet's inner matrices and AdamW for the rest; what reads text goes faster."""
    named = list(unet.named_parameters())
    ends = ("conv_in", "conv_out", "time_embedding", "add_embedding")
    matrices = [(n, p) for n, p in named if muon and p.ndim >= 2 and not n.startswith(ends)]
    chosen = {name for name, _ in matrices}
    rest = [(name, parameter) for name, parameter in named if name not in chosen]

    def groups(pairs: list[tuple[str, torch.nn.Parameter]]) -> list[dict[str, Any]]:
        read = {name for name, _ in pairs if "attn2" in name or "add_embedding" in name}
        return [
            {"params": [p for name, p in pairs if name not in read], "factor": 1.0},
            {"params": [p for name, p in pairs if name in read], "factor": TEXT_RATE},
        ]

    text = {"params": list(text_encoder.parameters()), "factor": TEXT_RATE}
    adam = torch.optim.AdamW([*groups(rest), text], lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    return [adam, Muon(groups(matrices), rate)] if muon else [adam]


def learning_shape(progress: float, hold: float) -> float:
    """Hold the rate for that share of the run, then let it fall as a cosine to a hundredth."""
    fallen = max(0.0, (progress - hold) / (1 - hold))
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fallen))


def main() -> None:
    """Train up to `--steps`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--hold", type=float, default=2 / 3, help="share of the run before the rate begins to fall")
    parser.add_argument("--composed", type=float, default=0.2, help="share of draws from the composed pictures")
    parser.add_argument("--pairs", type=float, default=0.1, help="share of draws that show two things")
    parser.add_argument("--words", type=float, default=0.4, help="share of draws that teach an everyday word")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average of the weights")
    parser.add_argument("--muon", action="store_true")
    parser.add_argument("--save-every", type=int, default=200)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    trainer = Trainer(options)
    smooth, begin = math.nan, time.monotonic()
    for number in range(trainer.first, options.steps):
        loss = trainer.step(number)
        smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
        if (number + 1) % 50 == 0:
            speed = (number + 1 - trainer.first) * options.batch / (time.monotonic() - begin)
            log.info("%d/%d loss %.4f, %.1f/s", number + 1, options.steps, smooth, speed)
        if (number + 1) % options.save_every == 0 or number + 1 == options.steps:
            trainer.save(number + 1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
