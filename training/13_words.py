"""Teach everyday words to the text encoder alone: `OMP_NUM_THREADS=1 python training/13_words.py --steps 3000`.

The denoiser stays as it is. It reads a text in two ways, by cross-attention and, all of it at once, beside the
timestep; the text encoder learns to word "a cup of coffee" so that both read what they read in "hot beverage", and to
go on wording names, colours, backgrounds, counts and pairs as before. No picture is computed, so this takes minutes
where stage 6 takes hours; that goes on from what this writes, a checkpoint of the denoiser. It needs stages 1 to 3.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import time
from itertools import accumulate
from typing import Any

import torch
from captioning import Captioner, Record, plural, without_colour
from diffusers import UNet2DConditionModel
from objective import Objective
from painting import Painter
from palette import COLOURS, HUES, is_held_out_colour, is_held_out_pair
from replicas import Replicas, use_plain_attention
from settings import (
    DENOISER,
    KEYWORDS,
    MODEL,
    SEED,
    SHORT_TOKENS,
    TOKENIZER,
    TOKENS,
    WORKERS,
    load_autoencoder,
    read_captions,
    save_atomically,
)
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

log = logging.getLogger("words")

WORDS = 0.6  # of all draws; the others are texts that are to mean what they meant
AS_BEFORE = {"plain": 0.4, "colour": 0.2, "background": 0.15, "pair": 0.17, "count": 0.08}
WITHOUT_WORDS = 0.03
LOOKS, QUERIES = 24, 12  # pictures that are looked at, and queries of each layer of cross-attention
FULL_LENGTH_EVERY = 8
BESIDE_THE_TIMESTEP = 3.0  # what this reading counts, beside 1 for all layers of cross-attention together
KNOWN_NAME = 1.3
AVERAGE = 0.99


class Readers(nn.Module):
    """What of the denoiser reads text, with queries that its layers of cross-attention ask while it draws."""

    def __init__(self, unet: UNet2DConditionModel, latents: torch.Tensor, words: torch.Tensor) -> None:
        super().__init__()
        self.beside = unet.add_embedding
        layers = [module for name, module in unet.named_modules() if name.endswith("attn2")]
        self.keys, self.values = (nn.ModuleList(getattr(layer, name) for layer in layers) for name in ("to_k", "to_v"))
        self.heads = [layer.heads for layer in layers]
        for number, queries in enumerate(record_queries(unet, layers, latents, words)):
            self.register_buffer(f"queries{number}", queries)

    def forward(self, words: torch.Tensor) -> list[torch.Tensor]:
        """Return all readings of (batch, length, 192): (batch, 896) beside the timestep, then one of each layer."""
        readings = [self.beside(words).float()]
        for number, (to_key, to_value, heads) in enumerate(zip(self.keys, self.values, self.heads, strict=True)):
            queries, keys, values = (
                tensor.unflatten(-1, (heads, -1)).transpose(-3, -2)
                for tensor in (getattr(self, f"queries{number}"), to_key(words), to_value(words))
            )
            weights = (queries @ keys.mT / queries.shape[-1] ** 0.5).softmax(-1)
            readings.append((weights @ values).float())
        return readings


@torch.no_grad()
def record_queries(
    unet: UNet2DConditionModel, layers: list[Any], latents: torch.Tensor, words: torch.Tensor
) -> list[torch.Tensor]:
    """Let the denoiser look at noisy latents, and return some of the queries of each layer, (queries, width)."""
    found: dict[int, torch.Tensor] = {}
    hooks = [
        layer.to_q.register_forward_hook(lambda _m, _i, output, number=number: found.update({number: output}))
        for number, layer in enumerate(layers)
    ]
    objective, generator = Objective(torch.device("cpu")), torch.Generator().manual_seed(SEED)
    times = torch.linspace(100, 999, len(latents)).long()
    signal, level = objective.signal[times, None, None, None], objective.noise[times, None, None, None]
    unet(signal * latents + level * torch.randn(latents.shape, generator=generator), times, words)
    for hook in hooks:
        hook.remove()
    every = [found[number].flatten(0, 1) for number in range(len(layers))]
    return [each[torch.randperm(len(each), generator=generator)[:QUERIES]] for each in every]


def loss(
    student: CLIPTextModel, teacher: CLIPTextModel, readers: Readers, asked: torch.Tensor, meant: torch.Tensor
) -> torch.Tensor:
    """Compare what is read in the text that is asked with what the teacher's wording of the meant one gives.

    Errors count as shares of the variance that a reading has from text to text.
    """
    with torch.no_grad():
        wanted = readers(teacher(meant).last_hidden_state)
    read = readers(student(asked).last_hidden_state)
    errors = [(a - b).square().mean() / b.var(0).mean().clamp_min(1e-6) for a, b in zip(read, wanted, strict=True)]
    return BESIDE_THE_TIMESTEP * errors[0] + torch.stack(errors[1:]).mean()


class Texts:
    """Draws texts as people write them, and beside each one that the teacher knows and that means the same."""

    def __init__(self, tokenizer: CLIPTokenizer, entries: list[dict[str, Any]], keywords: list[dict[str, Any]]) -> None:
        self._tokenizer, self._entries = tokenizer, [{**entry, "tags": []} for entry in entries]
        self._captioner = Captioner(self._entries)
        self._weights = list(accumulate(entry["weight"] for entry in entries))
        self._favourites = [i for i, entry in enumerate(entries) if entry["favourite"] and entry["weight"] >= 1]
        self._forms: dict[str, list[int]] = {}
        for index, entry in enumerate(entries):
            self._forms.setdefault(entry["code"], []).append(index)
        known = {entries[index]["code"] for index in self._favourites}
        labels = {entry["label"] for entry in entries}
        taught = [one for one in keywords if one["word"] not in labels]  # A name means what it meant.
        self._words = [(one["word"], best_picture(one["pictures"], known)) for one in taught]
        self._word_weights = list(accumulate(one["weight"] for one in taught))

    def draw(self, number: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens of step `number`, (count, length) of texts and of what they mean."""
        chance = random.Random(SEED + number)
        self._captioner.restart(SEED + number)
        pairs = [self._word(chance) if chance.random() < WORDS else self._as_before(chance) for _ in range(count)]
        texts = [asked for asked, _ in pairs] + [meant for _, meant in pairs]
        # Now and then as many tokens as the pipeline reads; else no more than the longest text has, which is faster.
        full = number % FULL_LENGTH_EVERY == 0
        tokens = self._tokenizer(
            texts,
            padding="max_length" if full else "longest",
            truncation=True,
            max_length=TOKENS if full else SHORT_TOKENS,
            return_tensors="pt",
        ).input_ids
        return tokens[:count], tokens[count:]

    def _word(self, chance: random.Random) -> tuple[str, str]:
        ((word, code),) = chance.choices(self._words, cum_weights=self._word_weights)
        index = chance.choice(self._forms[code])
        text = self._captioner.draw({"kind": "word", "entry": index, "word": word})
        label, style = self._entries[index]["label"], self._entries[index]["style"]
        return text, f"{label}, {style} style" if style in text else label

    def _as_before(self, chance: random.Random) -> tuple[str, str]:
        text = "" if chance.random() < WITHOUT_WORDS else self._captioner.draw(self._record(chance))
        return text, text

    def _record(self, chance: random.Random) -> Record:
        (kind,) = chance.choices(list(AS_BEFORE), list(AS_BEFORE.values()))
        entry, right = chance.sample(self._favourites, 2)
        label = self._entries[entry]["label"]
        if kind == "pair" and not is_held_out_pair(label, self._entries[right]["label"]):
            return {"kind": kind, "entry": entry, "right": right, "place": chance.choice(("beside", "above"))}
        if kind == "colour":
            free = [name for name in HUES if not is_held_out_colour(without_colour(label), name)]
            return {"kind": kind, "entry": entry, "colour": chance.choice(free or ["red"])}
        if kind == "background":
            return {"kind": kind, "entry": entry, "background": chance.choice(list(COLOURS))}
        if kind == "count" and plural(label) is not None:
            return {"kind": kind, "entry": entry, "count": chance.choice((2, 3, 4))}
        (entry,) = chance.choices(range(len(self._entries)), cum_weights=self._weights)
        return {"kind": "plain", "entry": entry}


def best_picture(pictures: dict[str, float], favourites: set[str]) -> str:
    """Choose the one picture that a word is to mean; one whose name the teacher knows well is preferred a little."""
    return max(pictures, key=lambda code: (pictures[code] * (KNOWN_NAME if code in favourites else 1.0), code))


def load_networks(texts: Texts) -> tuple[UNet2DConditionModel, CLIPTextModel, CLIPTextModel, Readers]:
    """Return the committed model's denoiser, its text encoder, a second one that learns, and what reads them."""
    unet = UNet2DConditionModel.from_pretrained(MODEL, subfolder="unet").float()
    teacher, student = (CLIPTextModel.from_pretrained(MODEL, subfolder="text_encoder").float() for _ in range(2))
    use_plain_attention(unet)
    for network in (unet, teacher):
        network.requires_grad_(False)
    with torch.no_grad():
        words = teacher(texts.draw(0, LOOKS)[1]).last_hidden_state
    return unet, teacher, student, Readers(unet, encode_some(LOOKS), words).requires_grad_(False)


@torch.no_grad()
def encode_some(count: int) -> torch.Tensor:
    """Return latents of some pictures, (count, 16, 16, 16)."""
    latents: torch.Tensor = load_autoencoder().encoder(Painter().unseen(count))
    return latents


def save(unet: UNet2DConditionModel, student: CLIPTextModel, averages: list[torch.Tensor]) -> None:
    """Write a checkpoint that stage 6 goes on from and stage 7 exports."""
    averaged = dict(zip([name for name, _ in student.named_parameters()], averages, strict=True))
    text = {**student.state_dict(), **averaged}
    content = {"steps": 0, "unet": unet.state_dict(), "text_encoder": text}
    content["averaged"] = {"unet": content["unet"], "text_encoder": text}
    save_atomically(content, DENOISER)


def main() -> None:
    """Train for all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--micro", type=int, default=96)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    keywords = json.loads(KEYWORDS.read_text(encoding="utf-8"))
    texts = Texts(CLIPTokenizer.from_pretrained(TOKENIZER), read_captions(), keywords)
    unet, teacher, student, readers = load_networks(texts)
    replicas = Replicas([student, teacher, readers], WORKERS)
    parameters = [p for p in student.parameters() if p.requires_grad]
    averages = [p.detach().clone() for p in student.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01)
    smooth, begin = math.nan, time.monotonic()
    for number in range(options.steps):
        fall = 0.01 + 0.495 * (1 + math.cos(math.pi * number / options.steps))
        optimizer.param_groups[0]["lr"] = options.rate * min(1.0, (number + 1) / 100) * fall
        optimizer.zero_grad()
        value = replicas.backward(loss, *texts.draw(number, options.batch), micro=options.micro)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        decay = min(AVERAGE, (1 + number) / (10 + number))
        torch._foreach_lerp_(averages, [p.detach() for p in student.parameters()], 1 - decay)
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if (number + 1) % 50 == 0:
            speed = (number + 1) * options.batch / (time.monotonic() - begin)
            log.info("%d/%d loss %.4f, %.0f/s", number + 1, options.steps, smooth, speed)
        if (number + 1) % 500 == 0 or number + 1 == options.steps:
            save(unet, student, averages)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
