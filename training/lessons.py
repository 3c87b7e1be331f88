"""Draw what the denoiser learns from: latents of the pool, their captions as tokens, noise levels and noise."""

from __future__ import annotations

import torch
from captioning import Captioner, Record
from settings import POOL, SEED, SHORT_TOKENS, TOKENIZER, TOKENS, read_captions
from transformers import CLIPTokenizer

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]

WITHOUT_WORDS = 0.12
# Above 1 would favour low noise; below it, more steps go to high noise, where the shapes are decided.
TIMESTEP_POWER = 0.75


class Lessons:
    """The pool in memory; a draw depends on its number alone, so a resumed run draws what it would have drawn."""

    def __init__(self, composed_share: float) -> None:
        entries = read_captions()
        self.tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
        self._captioner = Captioner(entries)
        parts, self._records = [], list[Record]()
        for path in sorted(POOL.glob("*.pt")):
            content = torch.load(path, weights_only=True)
            parts.append(content["latents"])
            self._records += content["records"]
        self._latents = torch.cat(parts)
        plain = torch.tensor([record["kind"] == "plain" for record in self._records])
        weights = torch.tensor([entries[record["entry"]]["weight"] for record in self._records])
        composed = (~plain).double()
        originals = torch.where(plain, weights.double(), 0.0)
        share = composed_share if bool(composed.any()) else 0.0
        self._weights = (1 - share) * originals / originals.sum() + share * composed / composed.sum().clamp_min(1)

    def draw(self, number: int, count: int, full_length: bool) -> Batch:
        """Draw (latents, token ids, timesteps, noise) for step `number`; timesteps are stratified over the schedule."""
        generator = torch.Generator().manual_seed(SEED + number)
        index = torch.multinomial(self._weights, count, replacement=True, generator=generator)
        self._captioner.restart(SEED + number)
        wordless = torch.rand(count, generator=generator) < WITHOUT_WORDS
        texts = [
            "" if empty else self._captioner.draw(self._records[i])
            for i, empty in zip(index.tolist(), wordless.tolist(), strict=True)
        ]
        tokens = self.tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=TOKENS if full_length else SHORT_TOKENS,
            return_tensors="pt",
        ).input_ids
        latents = self._latents[index].float()
        noise = torch.randn(latents.shape, generator=generator)
        spread = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
        return latents, tokens, (spread**TIMESTEP_POWER * 1000).long().clamp(max=999), noise
