"""Draw a grid of samples with the exported model: `python training/07_samples.py grid.png`.

Also loads the folder as a user would, offline, and prints the seconds a picture takes; `--scheduler euler` draws with
EulerDiscrete instead of the model's own DDIM.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from settings import MODEL, PICTURE_SIZE

os.environ["HF_HUB_OFFLINE"] = "1"
from diffusers import DiffusionPipeline, EulerDiscreteScheduler

log = logging.getLogger("samples")

PROMPTS = (
    "red heart", "cat", "pizza", "smiling face", "dog", "car", "tree", "moon", "apple", "rocket", "blue heart", "sun",
    "house", "flower", "fish", "crying face", "book", "guitar", "soccer ball", "hamburger", "unicorn", "star",
    "umbrella", "a red heart", "robot", "ghost", "cup of coffee", "penguin", "banana", "airplane", "thumbs up",
    "green apple",
)  # fmt: skip


def main() -> None:
    """Draw every prompt once, from the same noise each time, and save the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scheduler", choices=("ddim", "euler"), default="ddim")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pipeline = DiffusionPipeline.from_pretrained(options.model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if options.scheduler == "euler":
        pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    columns, cell = 8, PICTURE_SIZE + 14
    rows = -(-len(options.prompts) // columns)
    grid = Image.new("RGB", (columns * PICTURE_SIZE, rows * cell), "white")
    draw = ImageDraw.Draw(grid)
    begin = time.monotonic()
    for number, prompt in enumerate(options.prompts):
        picture = pipeline(
            prompt,
            num_inference_steps=options.steps,
            guidance_scale=options.guidance,
            generator=torch.Generator().manual_seed(options.seed),
        ).images[0]
        left, top = number % columns * PICTURE_SIZE, number // columns * cell
        grid.paste(picture, (left, top + 14))
        draw.text((left + 2, top + 1), prompt, fill="black")
    log.info("%.2f s a picture", (time.monotonic() - begin) / len(options.prompts))
    grid.save(options.output)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
