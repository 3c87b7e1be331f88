"""Make pictures and encode them: `python training/05_pool.py originals`, `... halves`, `... composed --seed 1`.

Each run adds one file to `work/pool/`: `latents` (pictures, 16, 16, 16) float16 and `records`, which say what each
picture shows (see `captioning.py`). `originals` are all pictures on white; `composed` has things in other colours, on
coloured backgrounds and gradients, and a thing two to four times; what evaluation asks for as never seen is left out.
Another seed composes other pictures, so the pool can grow. `halves` are the favourites at half size at each of the
four places of `PLACES_OF_HALVES`: latents of two of them, cut in the middle and joined, are those of a picture of both
but for an error of 0.07 of their deviation, so pairs are made while training (`lessons.py`), no two draws alike.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from typing import Any

import numpy as np
import torch
from captioning import Record, plural, without_colour
from painting import composite
from palette import COLOURS, HUES, colour_of_hue, dominant_hue, is_held_out_colour, turn_hue
from PIL import Image
from replicas import choose_device
from settings import (
    PICTURE_SIZE,
    PICTURES,
    POOL,
    WORKERS,
    load_autoencoder,
    read_captions,
    save_atomically,
)

log = logging.getLogger("pool")

RGBA = np.ndarray
KINDS = (("colour", 0.6), ("background", 0.28), ("count", 0.12))
WHITE = np.ones(3, np.float32)
HALF = PICTURE_SIZE // 2
# The upper left corners of things at half size, by how many there are.
PLACES = {
    2: ((0, HALF // 2), (HALF, HALF // 2)),
    3: ((HALF // 2, 0), (0, HALF), (HALF, HALF)),
    4: ((0, 0), (HALF, 0), (0, HALF), (HALF, HALF)),
}
PLACES_OF_HALVES = {
    "left": (0, HALF // 2), "right": (HALF, HALF // 2), "top": (HALF // 2, 0), "bottom": (HALF // 2, HALF),
}  # fmt: skip


class Composer:
    """Makes composed pictures and says what they show; `compose(n)` depends on the seed and `n` alone."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._entries = read_captions()
        self._pictures = np.load(PICTURES, mmap_mode="r")
        self._weights = [entry["weight"] for entry in self._entries]
        self.favourites = [i for i, entry in enumerate(self._entries) if entry["favourite"] and entry["weight"] >= 1]

    def original(self, index: int) -> tuple[torch.Tensor, Record]:
        """Return entry `index` on white."""
        return self._lay(self._rgba(index), WHITE), {"kind": "plain", "entry": index}

    def half(self, number: int) -> tuple[torch.Tensor, Record]:
        """Return a favourite at half size at one of the places; each four numbers are one favourite."""
        index = self.favourites[number // len(PLACES_OF_HALVES)]
        place = list(PLACES_OF_HALVES)[number % len(PLACES_OF_HALVES)]
        return self._place((index,), (PLACES_OF_HALVES[place],)), {"kind": "half", "entry": index, "place": place}

    def compose(self, number: int) -> tuple[torch.Tensor, Record]:
        """Return picture `number`, (3, 256, 256) in -1..1, with its record."""
        draw = random.Random(f"{self._seed}/{number}")
        kind = draw.choices([name for name, _ in KINDS], [share for _, share in KINDS])[0]
        while True:
            index = draw.choices(range(len(self._entries)), self._weights)[0]
            made = getattr(self, f"_{kind}")(index, draw)
            if made is not None:
                return made

    def _rgba(self, index: int) -> RGBA:
        return np.asarray(self._pictures[self._entries[index]["picture"]])

    @staticmethod
    def _lay(rgba: RGBA, background: RGBA) -> torch.Tensor:
        behind = torch.from_numpy(np.broadcast_to(background, (PICTURE_SIZE, PICTURE_SIZE, 3)).copy()).permute(2, 0, 1)
        return composite(torch.from_numpy(rgba.copy()).permute(2, 0, 1)[None], behind[None])[0]

    def _colour(self, index: int, draw: random.Random) -> tuple[torch.Tensor, Record] | None:
        rgba = self._rgba(index)
        hue = dominant_hue(rgba)
        if hue is None:
            return None
        label, now = without_colour(self._entries[index]["label"]), colour_of_hue(hue)
        free = [name for name in HUES if name == now or not is_held_out_colour(label, name)]
        colour = draw.choice(free)
        shift = 0 if colour == now else HUES[colour] - hue
        record = {"kind": "colour", "entry": index, "colour": colour}
        return self._lay(turn_hue(rgba, shift), WHITE), record

    def _background(self, index: int, draw: random.Random) -> tuple[torch.Tensor, Record]:
        first = draw.choice([name for name in COLOURS if name != "white"])
        colour, words = self._shade(first, draw), first
        if draw.random() < 0.3:
            second = draw.choice([name for name in COLOURS if name != first])
            ramp = np.linspace(0, 1, PICTURE_SIZE, dtype=np.float32)[:, None, None]
            colour = colour + (self._shade(second, draw) - colour) * (ramp if draw.random() < 0.5 else ramp[::-1])
            words = draw.choice((f"{first} and {second} gradient", f"{second} to {first} gradient", "gradient"))
        rgba = self._inset(self._rgba(index), draw.choice((1.0, 0.85, 0.75)))
        return self._lay(rgba, colour), {"kind": "background", "entry": index, "background": words}

    def _count(self, index: int, draw: random.Random) -> tuple[torch.Tensor, Record] | None:
        if not self._entries[index]["favourite"] or plural(self._entries[index]["label"]) is None:
            return None
        count = draw.choice(tuple(PLACES))
        return self._place((index,) * count, PLACES[count]), {"kind": "count", "entry": index, "count": count}

    def _place(self, entries: tuple[int, ...], corners: tuple[tuple[int, int], ...]) -> torch.Tensor:
        canvas = Image.new("RGBA", (PICTURE_SIZE, PICTURE_SIZE))
        for entry, corner in zip(entries, corners, strict=True):
            small = Image.fromarray(self._rgba(entry)).convert("RGBa").resize((HALF, HALF), Image.Resampling.BOX)
            canvas.paste(small.convert("RGBA"), corner)
        return self._lay(np.asarray(canvas), WHITE)

    @staticmethod
    def _shade(name: str, draw: random.Random) -> RGBA:
        jitter = [draw.randint(-14, 14) for _ in range(3)]
        return ((np.array(COLOURS[name]) + jitter).clip(0, 255) / 255).astype(np.float32)

    @staticmethod
    def _inset(rgba: RGBA, scale: float) -> RGBA:
        side = round(PICTURE_SIZE * scale)
        small = Image.fromarray(rgba).convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
        canvas = Image.new("RGBA", (PICTURE_SIZE, PICTURE_SIZE))
        canvas.paste(small, ((PICTURE_SIZE - side) // 2,) * 2)
        return np.asarray(canvas)


def choose_numbers(options: argparse.Namespace, composer: Composer) -> list[int]:
    """List the entries to encode as they are, most wanted first, or the numbers of the pictures to make."""
    if options.what == "composed":
        return list(range(options.count or 12_000))
    if options.what == "halves":
        return list(range(len(composer.favourites) * len(PLACES_OF_HALVES)))
    entries = read_captions()
    order = sorted(range(len(entries)), key=lambda index: -entries[index]["weight"])
    return order[: options.count or len(order)]


@torch.no_grad()
def encode(composer: Composer, options: argparse.Namespace) -> dict[str, Any]:
    """Make and encode all pictures of one pool file."""
    device = choose_device()
    model = load_autoencoder().to(device, memory_format=torch.channels_last)
    numbers = choose_numbers(options, composer)
    make = {"composed": composer.compose, "halves": composer.half, "originals": composer.original}[options.what]
    parts, records, begin = [], [], time.monotonic()
    for at in range(0, len(numbers), options.batch):
        made = [make(number) for number in numbers[at : at + options.batch]]
        pictures = torch.stack([picture for picture, _ in made]).to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            parts.append(model.encoder(pictures).to("cpu", torch.float16))
        records += [record for _, record in made]
        if at // options.batch % 50 == 0:
            log.info("%d of %d, %.1f/s", len(records), len(numbers), len(records) / (time.monotonic() - begin))
    latents = torch.cat(parts)
    values = latents.float()
    log.info("mean %.3f, deviation %.3f, largest %.1f", values.mean(), values.std(), values.abs().max())
    return {"latents": latents, "records": records}


def main() -> None:
    """Add one file to the pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("originals", "halves", "composed"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=0, help="0: all originals, or 12,000 composed pictures")
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(WORKERS)
    POOL.mkdir(parents=True, exist_ok=True)
    name = f"composed-{options.seed}" if options.what == "composed" else options.what
    save_atomically(encode(Composer(options.seed), options), POOL / f"{name}.pt")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
