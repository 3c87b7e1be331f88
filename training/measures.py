"""The measures of the evaluation: each draws with the exported model and returns a share or a number, and its grid."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from captioning import without_colour
from judge import SIDE, Gallery, Judge
from painting import Painter
from palette import COLOURS, HUES, colour_of_hue, dominant_hue, is_held_out_colour, is_held_out_pair
from PIL import Image, ImageFilter
from quality import psnr
from settings import PICTURE_SIZE, PICTURES, SEED, STYLES

Draw = Callable[[list[str], list[int]], list[Image.Image]]

# No caption holds any of these.
STRANGE_WORDS = (
    "steampunk", "cyberpunk", "gothic", "futuristic", "baroque", "bioluminescent", "impressionist", "brutalist",
    "psychedelic", "Victorian",
)  # fmt: skip
DRAWN = 225  # of 255; what is darker than this in any channel is no white ground


@dataclass(frozen=True)
class Line:
    """One figure in words; `aim` is "" where it only informs, `reached` None where no number decides."""

    what: str
    value: str
    aim: str = ""
    reached: bool | None = None


@dataclass(frozen=True)
class Result:
    """What a measure found, and pictures with captions for the grid."""

    title: str
    lines: list[Line]
    pictures: list[Image.Image] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)


class Examiner:
    """Holds the judge of names with all training pictures in its space, and each set's picture of each favourite."""

    def __init__(self, judge: Judge, gallery: Gallery, draw: Draw) -> None:
        self.gallery, self.draw, self._judge = gallery, draw, judge
        self.entries = gallery.entries
        self.labels = [entry["label"] for entry in self.entries]
        self._white = gallery.on_white()
        self._space = torch.cat([self.look(part)[0] for part in self._white.split(256)])
        self.favourites = sorted({entry["label"] for entry in self.entries if entry["favourite"]})
        self.sets: dict[str, dict[str, int]] = {name: {} for name in self.favourites}
        for index, entry in enumerate(self.entries):
            if entry["favourite"] and entry["weight"] >= 1:
                self.sets[entry["label"]][entry["style"]] = index

    @torch.no_grad()
    def look(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embeddings and name logits of (count, 3, 64, 64) pictures."""
        return self._judge(pictures)

    def style(self, picture: Image.Image, name: str) -> str:
        """Name the set whose picture of that thing is nearest."""
        return nearest_set(picture, {style: on_white(original(self, name, style)) for style in self.sets[name]})

    def nearest(self, pictures: list[Image.Image], count: int) -> list[list[str]]:
        """Name the `count` training pictures nearest to each picture, best first."""
        return [[self.labels[index] for index in row] for row in self.nearest_entries(pictures, count)]

    def nearest_entries(self, pictures: list[Image.Image], count: int) -> list[list[int]]:
        """Return the numbers of the `count` training pictures nearest to each picture, best first."""
        embeddings = self.look(small(pictures))[0]
        best: list[list[int]] = (embeddings @ self._space.T).topk(count, dim=1).indices.tolist()
        return best

    def near_copies(self, pictures: list[Image.Image]) -> float:
        """Return the share of pictures whose root mean squared distance to a training picture is below 0.06 of full."""
        drawn = small(pictures).flatten(1)
        known = self._white.flatten(1)
        distance = torch.cdist(drawn, known).min(dim=1).values / drawn.shape[1] ** 0.5 / 2
        return float((distance < 0.06).float().mean())

    def some(self, names: list[str], count: int) -> list[str]:
        """Return `count` of the names, the same every time."""
        return random.Random(SEED).sample(names, min(count, len(names)))


def small(pictures: list[Image.Image]) -> torch.Tensor:
    """Return pictures as the judge reads them, (count, 3, 64, 64) in -1..1."""
    arrays = [np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for picture in pictures]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def share(what: str, hits: list[bool], aim: int | None = None) -> Line:
    """Say how many were right; the aim is in percent, None where it only informs."""
    found = 100 * sum(hits) / max(len(hits), 1)
    if aim is None:
        return Line(what, f"{found:.1f} % of {len(hits)}")
    return Line(what, f"{found:.1f} % of {len(hits)}", f"≥ {aim} %", found >= aim)


def retrieval(examiner: Examiner, count: int) -> Result:
    """Draw names; is the nearest training picture one of that name, or one of the five nearest?"""
    names = examiner.some(examiner.favourites, count)
    pictures = examiner.draw(names, [SEED] * len(names))
    nearest = examiner.nearest(pictures, 5)
    first = [name == found[0] for name, found in zip(names, nearest, strict=True)]
    five = [name in found for name, found in zip(names, nearest, strict=True)]
    lines = [share("Name: nearest picture", first, 70), share("Name: five nearest", five, 90)]
    return Result("Names", lines, pictures, names)


def seen_hue(picture: Image.Image) -> int | None:
    """Return the hue that rules what is not white in a picture."""
    rgb = np.asarray(picture.convert("RGB"))
    opaque = (rgb.min(axis=2) < 235).astype(np.uint8) * 255
    return dominant_hue(np.dstack([rgb, opaque]))


def held_out_colours(examiner: Examiner) -> list[tuple[str, str]]:
    """List (colour, thing) that training left out, for things with a ruling hue in the 3D set."""
    pictures = np.load(PICTURES, mmap_mode="r")
    found = set()
    for entry in examiner.entries:
        if entry["favourite"] and entry["style"] == "3d" and entry["weight"] >= 1:
            hue = dominant_hue(np.asarray(pictures[entry["picture"]]))
            label = without_colour(entry["label"])
            if hue is not None:
                away = [name for name in HUES if name != colour_of_hue(hue) and is_held_out_colour(label, name)]
                away = [name for name in away if f"{name} {label}" not in examiner.labels]
                found |= {(colour, entry["label"]) for colour in away}
    return sorted(found)


def colours(examiner: Examiner, count: int) -> Result:
    """Draw things in colours that they were never shown in."""
    asked = random.Random(SEED).sample(pairs := held_out_colours(examiner), min(count, len(pairs)))
    prompts = [f"{colour} {without_colour(label)}" for colour, label in asked]
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    hues = [seen_hue(picture) for picture in pictures]
    right = [hue is not None and colour_of_hue(hue) == colour for hue, (colour, _) in zip(hues, asked, strict=True)]
    nearest = examiner.nearest(pictures, 5)
    same = [
        without_colour(label) in {without_colour(found) for found in row}
        for row, (_, label) in zip(nearest, asked, strict=True)
    ]
    lines = [
        share("Held-out colour: colour right", right, 85),
        share("Held-out colour: thing among five nearest", same, 60),
    ]
    return Result("Colours never shown on these things", lines, pictures, prompts)


def nearest_set(picture: Image.Image, sets: dict[str, Image.Image]) -> str:
    """Name the set whose picture is nearest, by squares of differences of pixels.

    Each is cut to what is drawn on it first, so that it does not matter how large that is and where.
    """
    seen = small([cut_out(picture)])[0]
    return min(sets, key=lambda style: float((small([cut_out(sets[style])])[0] - seen).square().mean()))


def cut_out(picture: Image.Image) -> Image.Image:
    """Return the box of an RGB picture that holds all that is not white, or nearly; all of a white one."""
    rows, columns = (np.asarray(picture).min(axis=2) < DRAWN).nonzero()
    if not len(rows):
        return picture
    return picture.crop((int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))


def asked_styles(examiner: Examiner, count: int) -> list[tuple[str, str]]:
    """List (style, name) for favourites that every set has."""
    names = [name for name in examiner.favourites if len(examiner.sets[name]) == len(STYLES)]
    return [(style, name) for name in examiner.some(names, count // len(STYLES)) for style in STYLES]


def styles(examiner: Examiner, count: int) -> Result:
    """Draw names in each style; of the four sets' pictures of that thing, that set's must be the nearest."""
    asked = asked_styles(examiner, count)
    prompts = [f"{style} {name}" for style, name in asked]
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    right = [examiner.style(picture, name) == style for picture, (style, name) in zip(pictures, asked, strict=True)]
    return Result("Styles", [share("Style right", right, 90)], pictures, prompts)


def asked_pairs(examiner: Examiner, count: int) -> list[tuple[str, str]]:
    """List pairs of favourites that training left out."""
    draw = random.Random(SEED)
    asked: list[tuple[str, str]] = []
    while len(asked) < count:
        first, second = draw.sample(examiner.favourites, 2)
        if is_held_out_pair(first, second):
            asked.append((first, second))
    return asked


def both_there(examiner: Examiner, pictures: list[Image.Image], asked: list[tuple[str, str]]) -> list[bool]:
    """Tell for each picture whether each of two things is among the five nearest of one half."""
    lefts = examiner.nearest([half(picture, 0) for picture in pictures], 5)
    rights = examiner.nearest([half(picture, 1) for picture in pictures], 5)
    return [
        (a in left and b in right) or (b in left and a in right)
        for (a, b), left, right in zip(asked, lefts, rights, strict=True)
    ]


def pairs(examiner: Examiner, count: int) -> Result:
    """Draw two things whose pair was never shown; each must be among the five nearest of one half."""
    asked = asked_pairs(examiner, count)
    prompts = [f"a {first} and a {second}" for first, second in asked]
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    line = share("Held-out pair: both there", both_there(examiner, pictures, asked), 50)
    return Result("Two things never shown together", [line], pictures, prompts)


def judges_themselves(examiner: Examiner, count: int) -> Result:
    """Ask the judges about originals: how far they can be believed.

    Names: altered ones (turned, shifted, recoloured, noisy); styles: moved and softened ones; pairs: those of `pairs`
    put together from originals.
    """
    pictures, names = examiner.gallery.draw(count, SEED - 1)
    named = (examiner.look(pictures)[1].argmax(1) == names).tolist()
    draw, sets, both = random.Random(SEED), asked_styles(examiner, 200), asked_pairs(examiner, 100)
    styled = [examiner.style(moved(original(examiner, name, style), draw), name) == style for style, name in sets]
    composed = [beside(examiner, *pair) for pair in both]
    lines = [
        share("The judge itself: name of an altered original", named),
        share("The judge itself: style of a moved and softened original", styled),
        share("The judge itself: both there, put together from originals", both_there(examiner, composed, both)),
    ]
    return Result("The judges", lines)


def original(examiner: Examiner, name: str, style: str) -> Image.Image:
    """Return one set's picture of a favourite, RGBA of 256 x 256."""
    index = examiner.entries[examiner.sets[name][style]]["picture"]
    return Image.fromarray(np.asarray(np.load(PICTURES, mmap_mode="r")[index]))


def on_white(picture: Image.Image, box: tuple[int, int, int] = (0, 0, PICTURE_SIZE)) -> Image.Image:
    """Lay an RGBA picture on white; `box` is where, (left, top, side) in pixels."""
    left, top, side = box
    canvas = Image.new("RGB", (PICTURE_SIZE, PICTURE_SIZE), "white")
    laid = picture if side == PICTURE_SIZE else picture.resize((side, side), Image.Resampling.LANCZOS)
    canvas.paste(laid, (left, top), laid)
    return canvas


def moved(picture: Image.Image, draw: random.Random) -> Image.Image:
    """Lay a picture on white, a little smaller, somewhere near the middle, and soften it."""
    side = round(PICTURE_SIZE * draw.uniform(0.9, 1.0))
    left, top = (draw.randint(0, PICTURE_SIZE - side) for _ in range(2))
    return on_white(picture, (left, top, side)).filter(ImageFilter.GaussianBlur(1.5))


def beside(examiner: Examiner, first: str, second: str) -> Image.Image:
    """Put the 3D originals of two names beside each other on white."""
    canvas = Image.new("RGB", (PICTURE_SIZE, PICTURE_SIZE), "white")
    for place, name in enumerate((first, second)):
        small_one = original(examiner, name, "3d").resize((PICTURE_SIZE // 2,) * 2)
        canvas.paste(small_one, (place * PICTURE_SIZE // 2, PICTURE_SIZE // 4), small_one)
    return canvas


def half(picture: Image.Image, side: int) -> Image.Image:
    """Cut one half out of a picture, as a square of its middle rows."""
    width = picture.width // 2
    top = (picture.height - width) // 2
    return picture.crop((side * width, top, (side + 1) * width, top + width))


def backgrounds(examiner: Examiner, count: int) -> Result:
    """Draw things on coloured backgrounds; the median of the corners must be nearest to that colour."""
    names = [name for name in COLOURS if name != "white"]
    things = examiner.some(examiner.favourites, count)
    asked = [(names[number % len(names)], thing) for number, thing in enumerate(things)]
    prompts = [f"{thing} on a {colour} background" for colour, thing in asked]
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    right = [corner_colour(picture) == colour for picture, (colour, _) in zip(pictures, asked, strict=True)]
    return Result("Backgrounds", [share("Background colour right", right, 90)], pictures, prompts)


def corner_colour(picture: Image.Image) -> str:
    """Name the colour of a picture's corners."""
    rgb = np.asarray(picture.convert("RGB")).astype(int)
    corners = np.concatenate([rgb[y : y + 16, x : x + 16].reshape(-1, 3) for y in (0, -17) for x in (0, -17)])
    middle = np.median(corners, axis=0)
    return min(COLOURS, key=lambda name: float(np.square(middle - np.array(COLOURS[name])).sum()))


def strange_words(examiner: Examiner, count: int) -> Result:
    """Draw names beside a word that the model cannot know; the name must be among those of the five nearest."""
    names = examiner.some(examiner.favourites, count)
    prompts = [f"{STRANGE_WORDS[number % len(STRANGE_WORDS)]} {name}" for number, name in enumerate(names)]
    pictures = examiner.draw(prompts, [SEED] * len(prompts))
    there = [name in row for name, row in zip(names, examiner.nearest(pictures, 5), strict=True)]
    return Result("Words that it does not know", [share("Beside an unknown word: name", there)], pictures, prompts)


def seeds(examiner: Examiner, count: int) -> Result:
    """Compare pictures of one prompt with each other and with those of other prompts, and with training pictures."""
    names = examiner.some(examiner.favourites, count)
    prompts = [name for name in names for _ in range(4)]
    pictures = examiner.draw(prompts, [SEED + number % 4 for number in range(len(prompts))])
    space = examiner.look(small(pictures))[0].view(len(names), 4, -1)
    within = (1 - space @ space.mT).sum((1, 2)).mean() / 12
    flat = functional.normalize(space.mean(1), dim=1)
    between = (1 - flat @ flat.T).sum() / max(len(names) * (len(names) - 1), 1)
    lines = [
        Line("Mean distance between seeds of one prompt", f"{within:.3f}"),
        Line("Mean distance between prompts", f"{between:.3f}"),
        Line("Near copies of a training picture", f"{100 * examiner.near_copies(pictures):.1f} % of {len(pictures)}"),
    ]
    return Result("Four seeds a prompt", lines, pictures, prompts)


def reconstruction(vae: Any, count: int) -> Result:
    """Measure the autoencoder on pictures that it never saw."""
    score = psnr(vae, Painter().unseen(count))
    return Result("Autoencoder", [Line(f"PSNR on {count} unseen pictures", f"{score:.2f} dB", "≥ 35 dB", score >= 35)])
