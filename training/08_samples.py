"""Draw a grid of samples with the exported model: `python training/08_samples.py grid.png`.

Loads the folder as a user would, offline. `--favourites 64` draws that many of the favourite names instead of the
built-in prompts, `--scheduler euler` draws with EulerDiscrete instead of the model's own DDIM. `--check` also runs
img2img and inpainting, and prints the seconds that one picture takes.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from settings import EXPORT, FAVOURITES

os.environ["HF_HUB_OFFLINE"] = "1"
from diffusers import (
    DiffusionPipeline,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
)

log = logging.getLogger("samples")

PROMPTS = (
    "red heart", "cat", "pizza", "smiling face", "dog", "car", "tree", "moon", "red apple", "rocket", "blue heart",
    "sun", "house", "flower", "fish", "crying face", "book", "guitar", "soccer ball", "hamburger", "unicorn", "star",
    "umbrella", "robot", "ghost", "cup of coffee", "penguin", "banana", "airplane", "thumbs up", "3d fox", "flat fox",
    "noto fox", "twemoji fox", "blue cat", "purple banana", "green rocket", "cat on a blue background",
    "a pizza on a pink background", "a cat and a moon",
)  # fmt: skip
COLUMNS = 8


def draw_batch(pipeline: Any, prompts: list[str], options: argparse.Namespace) -> list[Image.Image]:
    """Draw each prompt from the same noise."""
    return list(
        pipeline(
            prompts,
            num_inference_steps=options.steps,
            guidance_scale=options.guidance,
            generator=[torch.Generator().manual_seed(options.seed) for _ in prompts],
        ).images
    )


def check(pipeline: Any, folder: Path) -> None:
    """Say how long one picture takes, and run img2img and inpainting.

    diffusers' own inpainting pipeline takes UNets of 4 or 9 channels only, so inpainting here is img2img that puts the
    kept part back after each step, with the noise that belongs there.
    """
    for _ in range(2):
        begin, spent = time.monotonic(), time.process_time()
        picture = pipeline("red heart", num_inference_steps=20, guidance_scale=3.0).images[0]
    elapsed, spent = time.monotonic() - begin, time.process_time() - spent
    log.info("one picture of 20 steps: %.2f s, %.2f s of CPU, %s", elapsed, spent, picture.size)
    again = StableDiffusionImg2ImgPipeline.from_pretrained(folder, dtype=torch.float32)
    again.set_progress_bar_config(disable=True)
    log.info("img2img: %s", again("cat", image=picture, strength=0.6, num_inference_steps=10).images[0].size)
    with torch.no_grad():
        kept = again.vae.encode(again.image_processor.preprocess(picture)).latents
    mask = torch.zeros(1, 1, *kept.shape[2:])
    mask[..., 4:12, 4:12] = 1

    def put_back(_: Any, step: int, timestep: torch.Tensor, values: dict[str, Any]) -> dict[str, Any]:
        later = again.scheduler.timesteps[step + 1 : step + 2]
        noised = again.scheduler.add_noise(kept, torch.randn_like(kept), later) if len(later) else kept
        return {"latents": noised * (1 - mask) + values["latents"] * mask}

    painted = again("cat", image=picture, strength=0.9, num_inference_steps=10, callback_on_step_end=put_back)
    log.info("inpainting: %s", painted.images[0].size)


def lay_out(pictures: list[Image.Image], prompts: list[str], cell: int) -> Image.Image:
    """Put pictures with their prompts into one grid."""
    rows = -(-len(prompts) // COLUMNS)
    grid = Image.new("RGB", (COLUMNS * cell, rows * (cell + 14)), "white")
    draw = ImageDraw.Draw(grid)
    for number, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True)):
        left, top = number % COLUMNS * cell, number // COLUMNS * (cell + 14)
        grid.paste(picture.resize((cell, cell), Image.Resampling.LANCZOS), (left, top + 14))
        draw.text((left + 2, top + 1), prompt[: cell // 6], fill="black")
    return grid


def main() -> None:
    """Draw every prompt once, from the same noise each time, and save the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, default=EXPORT)
    parser.add_argument("--prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--favourites", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cell", type=int, default=160)
    parser.add_argument("--scheduler", choices=("ddim", "euler"), default="ddim")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pipeline = DiffusionPipeline.from_pretrained(options.model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if options.scheduler == "euler":
        pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    prompts = options.prompts
    if options.favourites:
        names = sorted(FAVOURITES)
        prompts = names[:: max(1, len(names) // options.favourites)][: options.favourites]
    pictures: list[Image.Image] = []
    for at in range(0, len(prompts), COLUMNS):
        pictures += draw_batch(pipeline, prompts[at : at + COLUMNS], options)
    lay_out(pictures, prompts, options.cell).save(options.output)
    if options.check:
        check(pipeline, options.model)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
