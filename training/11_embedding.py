"""Train the textual inversion "sprig": `OMP_NUM_THREADS=1 python training/11_embedding.py --steps 1000`.

Sprig is a creature that no emoji shows, drawn here: a round mint body with large eyes and two leaves on the head. Six
vectors learn to call it. Written to `models/embeddings/sprig.safetensors` in the form that A1111 and diffusers read.
"""

from __future__ import annotations

import argparse
import logging
import random
from functools import partial

import numpy as np
import torch
from captioning import BEHIND
from family import Examples, Trainer, encode, load_model
from palette import COLOURS
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from settings import EMBEDDING, PICTURE_SIZE, SEED

log = logging.getLogger("embedding")

COUNT, VECTORS = 96, 6
TOKENS = [f"<sprig-{number}>" for number in range(VECTORS)]
TEMPLATES = ("{}", "a {}", "a picture of a {}", "the {}", "one {}")
SCALE = 4
MINT, DARK, LEAF = (120, 214, 170), (36, 60, 52), (60, 150, 80)


def draw_sprig(draw: random.Random, background: tuple[int, int, int]) -> torch.Tensor:
    """Draw the creature once, a little different each time; (3, 256, 256) in -1..1."""
    side = PICTURE_SIZE * SCALE
    picture = Image.new("RGB", (side, side), background)
    pen = ImageDraw.Draw(picture)
    middle, ground = side * draw.uniform(0.47, 0.53), side * draw.uniform(0.88, 0.92)
    wide, tall = side * draw.uniform(0.34, 0.4), side * draw.uniform(0.3, 0.36)
    centre = ground - tall
    for turn in (-1, 1):
        tip = (middle + turn * side * draw.uniform(0.14, 0.22), centre - tall - side * draw.uniform(0.1, 0.16))
        stem = (middle, centre - tall + side * 0.02)
        bend = ((stem[0] + tip[0]) / 2, tip[1] - side * 0.03), (tip[0], (stem[1] + tip[1]) / 2 + side * 0.05)
        pen.polygon([stem, bend[0], tip, bend[1]], fill=LEAF)
    pen.ellipse((middle - wide, centre - tall, middle + wide, ground), fill=MINT)
    pen.ellipse(
        (middle - wide * 0.75, centre - tall * 0.85, middle - wide * 0.1, centre - tall * 0.45), fill=(170, 236, 205)
    )
    look = side * draw.uniform(-0.012, 0.012)
    for turn in (-1, 1):
        x, y, r = middle + turn * wide * 0.42, centre - tall * 0.05, side * 0.075
        pen.ellipse((x - r, y - r * 1.2, x + r, y + r * 1.2), fill="white")
        pen.ellipse((x - r * 0.6 + look, y - r * 0.6, x + r * 0.6 + look, y + r * 0.8), fill=DARK)
    mouth = (middle - wide * 0.22, centre + tall * 0.2, middle + wide * 0.22, centre + tall * 0.5)
    if draw.random() < 0.5:
        pen.chord(mouth, 0, 180, fill=(170, 60, 80))
    else:
        pen.arc(mouth, 15, 165, fill=DARK, width=side // 60)
    small = picture.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-2)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    draw, called = random.Random(SEED), " ".join(TOKENS)
    colours = [draw.choice(list(COLOURS)) if draw.random() < 0.3 else "white" for _ in range(COUNT)]

    def word(colour: str) -> str:
        text = draw.choice(TEMPLATES).format(called)
        article = "an" if colour == "orange" else "a"
        return text if colour == "white" else draw.choice(BEHIND).format(text, article=article, background=colour)

    pipeline = load_model()
    latents = encode(pipeline, [draw_sprig(draw, COLOURS[colour]) for colour in colours])
    pipeline.tokenizer.add_tokens(TOKENS)
    pipeline.text_encoder.resize_token_embeddings(len(pipeline.tokenizer), mean_resizing=True)
    table = pipeline.text_encoder.get_input_embeddings().weight.requires_grad_()

    def keep_others() -> None:
        assert table.grad is not None
        table.grad[:-VECTORS] = 0

    trainer = Trainer(pipeline, Examples(latents, [partial(word, c) for c in colours]), options.rate, options.steps)
    trainer.run(options.batch, keep_others)
    EMBEDDING.parent.mkdir(parents=True, exist_ok=True)
    save_file({"emb_params": table[-VECTORS:].detach().clone()}, EMBEDDING)
    EMBEDDING.chmod(0o644)
    log.info("%s: %.1f kB", EMBEDDING, EMBEDDING.stat().st_size / 1e3)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
