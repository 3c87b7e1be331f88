"""Judge the exported model: `python training/evaluate.py`, or `--quick` for a small run.

Trains the judge of names first where it is not trained (`judge.py`), prints the figures, writes EVALUATION.md into the
model's folder and one grid a measure into `--grids`.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measures
import torch
from everyday import everyday, phrases
from judge import Gallery, train_judge
from PIL import Image, ImageDraw
from replicas import choose_device
from settings import EXPORT, PREVIEW_DECODER, ROOT, WORK, WORKERS
from sharpness import sharpness

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.append(str(ROOT.parent))
from diffusers import DiffusionPipeline

from modules.prompts.symbols import read_symbols

log = logging.getLogger("evaluate")

BATCH = 8
COLUMNS, CELL, SHOWN = 8, 128, 48
# Each with how many pictures it is asked for, in a quick run and in a whole one.
PLANS: dict[str, tuple[Callable[[measures.Examiner, int], measures.Result], int, int]] = {
    "names": (measures.retrieval, 48, 300),
    "colours": (measures.colours, 24, 120),
    "styles": (measures.styles, 24, 200),
    "pairs": (measures.pairs, 16, 100),
    "backgrounds": (measures.backgrounds, 20, 100),
    "strange": (measures.strange_words, 20, 100),
    "everyday": (everyday, 40, 200),
    "phrases": (phrases, 20, 60),
    "seeds": (measures.seeds, 6, 40),
    "sharpness": (sharpness, 24, 100),
}
ALL_SHOWN = ("everyday",)


def make_draw(pipeline: Any, spell_out: Callable[[str], str], steps: int, guidance: float) -> measures.Draw:
    """Return a function that draws prompts, each from its own seed; what two measures ask for is drawn once.

    `spell_out` puts names in the place of words, as the program does (`words.py`).
    """
    drawn: dict[tuple[str, int], Image.Image] = {}

    def draw(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        asked = list(zip(map(spell_out, prompts), seeds, strict=True))
        new = [one for one in dict.fromkeys(asked) if one not in drawn]
        for part in (new[at : at + BATCH] for at in range(0, len(new), BATCH)):
            made = pipeline(
                [prompt for prompt, _ in part],
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=[torch.Generator().manual_seed(seed) for _, seed in part],
            )
            drawn.update(zip(part, made.images, strict=True))
        return [drawn[one] for one in asked]

    return draw


def save_grid(result: measures.Result, path: Path, shown: int | None) -> None:
    """Write the first pictures of a measure, or all, with their prompts."""
    pictures, captions = result.pictures[:shown], result.captions[:shown]
    rows = -(-len(pictures) // COLUMNS)
    grid = Image.new("RGB", (COLUMNS * CELL, rows * (CELL + 14)), "white")
    draw = ImageDraw.Draw(grid)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = number % COLUMNS * CELL, number // COLUMNS * (CELL + 14)
        grid.paste(picture.resize((CELL, CELL), Image.Resampling.LANCZOS), (left, top + 14))
        draw.text((left + 2, top + 1), caption[:21], fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(path, quality=88)


def fingerprints(model: Path) -> str:
    """Name each weights file of a model's folder with the first 12 digits of its SHA-256."""
    files = [path for path in sorted(model.glob("*/*.safetensors")) if path.parent.name != PREVIEW_DECODER.name]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files]
    return ", ".join(f"{path.parent.name} `{digest}`" for path, digest in zip(files, digests, strict=True))


def write_report(results: list[measures.Result], path: Path, options: argparse.Namespace) -> None:
    """Write EVALUATION.md."""
    lines = [
        "# How good the model is",
        "",
        f"{options.steps} steps, guidance {options.guidance:g}, by `training/evaluate.py"
        f"{' --quick' if options.quick else ''}`. Names and halves are judged by an encoder that was trained for",
        f"this alone ({options.judge_steps} steps), among all training pictures; styles by which of the four sets'",
        "pictures of the thing is nearest, pixel by pixel within its box; colours by hue or by the corners. What fits",
        "an everyday word, `training/everyday_words.txt` says.",
        "",
        f"Weights, by SHA-256: {fingerprints(path.parent)}.",
        "",
        "| what | found | aim | reached |",
        "|---|---|---|---|",
    ]
    words = {True: "yes", False: "no", None: ""}
    lines += [
        f"| {line.what} | {line.value} | {line.aim} | {words[line.reached]} |"
        for result in results
        for line in result.lines
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run all measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=EXPORT)
    parser.add_argument("--grids", type=Path, default=WORK / "grids")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--measures", nargs="+", choices=PLANS, help="only these, without a report")
    parser.add_argument("--threads", type=int, default=WORKERS)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--judge-steps", type=int, default=3000)
    options = parser.parse_args()
    gallery = Gallery()
    judge = train_judge(gallery, options.judge_steps, batch=128, micro=32).cpu()
    torch.set_num_threads(options.threads)
    pipeline = DiffusionPipeline.from_pretrained(options.model, dtype=torch.float32).to(choose_device())
    pipeline.set_progress_bar_config(disable=True)
    draw = make_draw(pipeline, read_symbols(options.model).spell_out, options.steps, options.guidance)
    examiner = measures.Examiner(judge, gallery, draw)
    results = []
    for name in options.measures or PLANS:
        measure, few, many = PLANS[name]
        begin = time.monotonic()
        result = measure(examiner, few if options.quick else many)
        results.append(result)
        save_grid(result, options.grids / f"{name}.jpg", None if name in ALL_SHOWN else SHOWN)
        for line in result.lines:
            log.info("%s: %s (aim %s), %.0f s", line.what, line.value, line.aim, time.monotonic() - begin)
    if options.measures:
        return
    results += [
        measures.reconstruction(pipeline.vae.cpu(), 48),
        measures.judges_themselves(examiner, 2000),
    ]
    for line in (line for result in results[-2:] for line in result.lines):
        log.info("%s: %s (aim %s)", line.what, line.value, line.aim)
    write_report(results, options.model / "EVALUATION.md", options)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
