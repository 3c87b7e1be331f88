"""Draw what the denoiser learns from: latents of the pool, their captions as tokens, noise levels and noise."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import torch
from captioning import Captioner, Record
from palette import is_held_out_pair
from settings import EVERYDAY_NAMES, LATENT_SIZE, POOL, SEED, SHORT_TOKENS, TOKENIZER, TOKENS, read_captions
from transformers import CLIPTokenizer

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]

WITHOUT_WORDS = 0.12
# Above 1 would favour low noise; below it, more steps go to high noise, where the shapes are decided.
TIMESTEP_POWER, DETAIL_POWER = 0.6, 1.0
ABOVE_SHARE = 0.2
# Of the names that everyday words are read as: how many that are no favourites are taught, and how often.
MOST_NAMES, FAVOURITE_AGAIN = 900, 0.2


class Pairs:
    """Joins latents of things at half size into those of two things beside or above each other.

    `latents` are (count, 16, 16, 16); a record of kind "half" says which entry one shows, and in which place.
    """

    def __init__(self, latents: torch.Tensor, records: list[Record], entries: list[dict[str, Any]]) -> None:
        self._latents, self._entries = latents, entries
        self._at = {(record["entry"], record["place"]): number for number, record in enumerate(records)}
        self._by_style: dict[str, list[int]] = {}
        for index in sorted({record["entry"] for record in records}):
            self._by_style.setdefault(entries[index]["style"], []).append(index)

    def draw(self, chance: random.Random) -> tuple[torch.Tensor, Record]:
        """Return (16, 16, 16) latents of two things of one style with their record; never a pair that is held out."""
        while True:
            first, second = chance.sample(self._by_style[chance.choice(sorted(self._by_style))], 2)
            if not is_held_out_pair(self._entries[first]["label"], self._entries[second]["label"]):
                break
        above = chance.random() < ABOVE_SHARE
        one, other = (
            self._latents[self._at[entry, place]]
            for entry, place in zip((first, second), ("top", "bottom") if above else ("left", "right"), strict=True)
        )
        parts = [
            part.narrow(1 if above else 2, start, LATENT_SIZE // 2)
            for part, start in ((one, 0), (other, LATENT_SIZE // 2))
        ]
        record = {"kind": "pair", "entry": first, "right": second, "place": "above" if above else "beside"}
        return torch.cat(parts, dim=1 if above else 2), record


class EverydayNames:
    """Draws the number of an original whose name everyday words are read as, all sets of a thing alike.

    `weights` are what stage 3 wrote, `shown` the entries of which there are latents. Favourites come seldom, since most
    other draws show them.
    """

    def __init__(self, weights: Mapping[str, float], entries: list[dict[str, Any]], shown: set[int]) -> None:
        self._by_name: dict[str, list[int]] = {}
        for number in sorted(shown):
            self._by_name.setdefault(entries[number]["label"], []).append(number)
        favourites = {entry["label"] for entry in entries if entry["favourite"]}
        known = sorted((name for name in weights if name in self._by_name), key=lambda name: -weights[name])
        self._names = [name for name in known if name in favourites]
        self._names += [name for name in known if name not in favourites][:MOST_NAMES]
        self._weights = [weights[name] * (FAVOURITE_AGAIN if name in favourites else 1.0) for name in self._names]

    def draw(self, chance: random.Random) -> Record:
        """Return the record of one."""
        (name,) = chance.choices(self._names, self._weights)
        return {"kind": "word", "entry": chance.choice(self._by_name[name])}


class Lessons:
    """The pool in memory; a draw depends on its number alone, so a resumed run draws what it would have drawn."""

    def __init__(self, composed_share: float, pair_share: float, word_share: float) -> None:
        if not (POOL / "halves.pt").exists():
            raise SystemExit("There is nothing to join pairs from: run `python training/05_pool.py halves` first.")
        entries = read_captions()
        self.tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
        self._captioner = Captioner(entries)
        parts, self._records = [], list[Record]()
        for path in sorted(POOL.glob("*.pt")):
            content = torch.load(path, weights_only=True)
            if path.stem == "halves":
                self._pairs = Pairs(content["latents"], content["records"], entries)
                continue
            parts.append(content["latents"])
            self._records += content["records"]
        self._latents = torch.cat(parts)
        self._pair_share, self._word_share = pair_share, word_share
        self._original = {record["entry"]: i for i, record in enumerate(self._records) if record["kind"] == "plain"}
        self._names = EverydayNames(
            json.loads(EVERYDAY_NAMES.read_text(encoding="utf-8")), entries, set(self._original)
        )
        plain = torch.tensor([record["kind"] == "plain" for record in self._records])
        weights = torch.tensor([entries[record["entry"]]["weight"] for record in self._records])
        composed = (~plain).double()
        originals = torch.where(plain, weights.double(), 0.0)
        share = composed_share / (1 - pair_share - word_share) if bool(composed.any()) else 0.0
        self._weights = (1 - share) * originals / originals.sum() + share * composed / composed.sum().clamp_min(1)

    def show(self, count: int, number: int, generator: torch.Generator) -> tuple[torch.Tensor, list[Record]]:
        """Draw latents and the records of what they show."""
        index = torch.multinomial(self._weights, count, replacement=True, generator=generator).tolist()
        latents, records = self._latents[index].float(), [self._records[i] for i in index]
        chance = random.Random(SEED + number)
        kinds = torch.rand(count, generator=generator)
        for row in (kinds < self._pair_share).nonzero().flatten().tolist():
            pair, records[row] = self._pairs.draw(chance)
            latents[row] = pair.float()
        for row in (kinds > 1 - self._word_share).nonzero().flatten().tolist():
            records[row] = self._names.draw(chance)
            latents[row] = self._latents[self._original[records[row]["entry"]]].float()
        return latents, records

    def draw(self, number: int, count: int, full_length: bool, power: float = TIMESTEP_POWER) -> Batch:
        """Draw (latents, token ids, timesteps, noise) for step `number`; timesteps are stratified over the schedule.

        The larger `power`, the more low noise, where details are decided.
        """
        generator = torch.Generator().manual_seed(SEED + number)
        latents, records = self.show(count, number, generator)
        self._captioner.restart(SEED + number)
        wordless = torch.rand(count, generator=generator) < WITHOUT_WORDS
        texts = [
            "" if empty else self._captioner.draw(record)
            for record, empty in zip(records, wordless.tolist(), strict=True)
        ]
        tokens = self.tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=TOKENS if full_length else SHORT_TOKENS,
            return_tensors="pt",
        ).input_ids
        noise = torch.randn(latents.shape, generator=generator)
        spread = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
        return latents, tokens, (spread**power * 1000).long().clamp(max=999), noise
