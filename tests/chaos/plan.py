"""What a chaotic run does, in order: the same for the same seed, whatever the program answers."""

import base64
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

OWNERS = ("ada", "bob", "cleo")
SECONDS_BETWEEN_BLOWS = 5.0
LONGEST_WAIT_SECONDS = 0.6

# How often each deed comes, against the others.
DEEDS = {
    "submit": 24, "skip": 5, "skip running": 6, "interrupt": 4, "interrupt running": 3, "stop": 4, "pause": 6,
    "resume": 7, "retry": 5, "move": 4, "priority": 3, "pause queue": 1, "resume queue": 6, "interrupt waiting": 1,
    "forever": 2, "not forever": 4, "remove": 2, "drop readers": 3, "wait for a picture": 3, "ask nonsense": 2,
    "restart later": 2, "freeze engine": 2, "freeze server": 2, "freeze launcher": 1,
}  # fmt: skip
# What ends a process. Each round of blows has all of these, in another order.
BLOWS = (
    "kill engine",
    "kill server",
    "hang engine",
    "restart server",
    "kill engine",
    "restart engine",
    "kill launcher",
    "kill engine",
)


class Wish(NamedTuple):
    """A request and the kind of job that it is for; a grid has so many `cells`."""

    kind: str
    request: dict[str, Any]
    cells: int = 1

    @property
    def image_count(self) -> int:
        """How many pictures it asks for."""
        return int(self.request.get("batch_size", 1) * self.request.get("n_iter", 1)) * self.cells


@dataclass(frozen=True)
class Step:
    """One deed after a pause. `chance` (0 to 1) picks the job or the like that it is done to."""

    number: int
    wait: float
    deed: str
    chance: float
    more: float

    def __str__(self) -> str:
        return f"{self.number}: {self.deed} ({self.chance:.3f})"


def steps(seed: int, blows: tuple[str, ...] = BLOWS) -> Iterator[Step]:
    """Yield steps for ever. Blows come at about even distances, so that the program has time to get up."""
    chance = random.Random(seed)
    names, weights = list(DEEDS), list(DEEDS.values())
    round_of_blows: list[str] = []
    since_blow = 0.0
    number = 0
    while True:
        number += 1
        wait = chance.uniform(0, LONGEST_WAIT_SECONDS)
        since_blow += wait
        deed = chance.choices(names, weights)[0]
        if number <= 4:
            deed = "submit"
        elif blows and since_blow >= SECONDS_BETWEEN_BLOWS:
            since_blow = 0.0
            if not round_of_blows:
                round_of_blows = chance.sample(blows, len(blows))
            deed = round_of_blows.pop()
        yield Step(number, wait, deed, chance.random(), chance.random())


def wishes(seed: int, samplers: list[str]) -> list[Wish]:
    """Return what a run submits again and again: few requests, since each is drawn once more in peace."""
    chance = random.Random(seed)
    drawn = [
        _drawing(chance, 1000 * (number + 1), sampler) for number, sampler in enumerate(chance.sample(samplers, 8))
    ]
    with_mask, enlarged, latent = drawn[-3:]
    with_mask |= {
        "init_images": [_picture(chance), _picture(chance)], "mask": _mask(chance), "mask_blur": 2,
        "batch_size": 2, "denoising_strength": chance.choice((0.4, 0.75, 1)),
        "inpainting_fill": chance.choice((0, 1, 2, 3)), "inpaint_full_res": chance.random() < 0.5,
        "inpaint_full_res_padding": 8,
    }  # fmt: skip
    hires = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6, "n_iter": 1, "width": 64, "height": 64}
    enlarged |= hires | {"hr_upscaler": "Lanczos"}
    latent |= hires | {"hr_upscaler": "Latent", "hr_second_pass_steps": 10}
    extras = {"image": _picture(chance), "upscaling_resize": 2, "upscaler_1": "emoji-2x", "upscaler_2": "Lanczos",
              "extras_upscaler_2_visibility": 0.3}  # fmt: skip
    axes = {"x_type": "Steps", "x_values": "5, 15", "y_type": "Prompt S/R", "y_values": "red, blue"}
    plot = {"of": "txt2img", "script": "X/Y/Z plot", "script_args": axes, "prompt": "red cat", "seed": 9000,
            "width": 64, "height": 96, "n_iter": 2, "sampler_name": drawn[0]["sampler_name"]}  # fmt: skip
    kinds = ["txt2img"] * 5 + ["img2img", "txt2img", "txt2img"]
    return [*map(Wish, kinds, drawn), Wish("extras", extras), Wish("grid", plot, cells=4)]


def _drawing(chance: random.Random, seed: int, sampler: str) -> dict[str, Any]:
    return {
        "prompt": chance.choice(("red heart", "cat", "sun", "green tree", "blue fish")),
        "seed": seed,
        "steps": chance.choice((4, 10, 20, 30)),
        "width": chance.choice((64, 96, 128)),
        "height": chance.choice((64, 96, 128)),
        "sampler_name": sampler,
        "batch_size": chance.choice((1, 1, 2)),
        "n_iter": chance.choice((1, 2)),
        "override_settings": {"save_incomplete_images": chance.random() < 0.3},
    }


def _picture(chance: random.Random) -> str:
    """Return a picture of one colour with a disk of another, as A1111's clients send it."""
    picture = Image.new("RGB", (96, 64), tuple(chance.randrange(256) for _ in range(3)))
    ImageDraw.Draw(picture).ellipse((20, 10, 70, 60), fill=tuple(chance.randrange(256) for _ in range(3)))
    return _as_text(picture)


def _mask(chance: random.Random) -> str:
    """Return a mask of one rectangle somewhere."""
    mask = Image.new("L", (96, 64))
    left, top = chance.randrange(60), chance.randrange(30)
    ImageDraw.Draw(mask).rectangle((left, top, left + 30, top + 30), fill=255)
    return _as_text(mask)


def _as_text(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
