"""The LoRA and the textual inversion that come with the embedded model, applied by hand to plain diffusers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors import safe_open
from safetensors.torch import load_file

from modules.paths import ROOT

EMBEDDED = ROOT / "models" / "Stable-diffusion" / "emoji"
LORA = ROOT / "models" / "Lora" / "pixel-art.safetensors"
EMBEDDING = ROOT / "models" / "embeddings" / "sprig.safetensors"
SQUARE = 16  # pixels, of the art that the LoRA learned from


@pytest.fixture
def pipeline() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        made = DiffusionPipeline.from_pretrained(EMBEDDED)
        made.set_progress_bar_config(disable=True)
        yield made


def draw(pipeline: Any, words: str, seed: int = 1) -> np.ndarray:
    made = pipeline(
        words, num_inference_steps=12, guidance_scale=3.0, generator=torch.Generator().manual_seed(seed)
    ).images[0]
    return np.asarray(made, float)


def add_lora(pipeline: Any) -> int:
    """Add the low-rank changes to the weights that their keys name; return to how many."""
    weights = load_file(LORA)
    modules = {
        "lora_unet_" + name.replace(".", "_"): part for name, part in pipeline.unet.named_modules() if "." in name
    }
    names = sorted({key.split(".", 1)[0] for key in weights})
    for name in names:
        down, up = weights[f"{name}.lora_down.weight"].float(), weights[f"{name}.lora_up.weight"].float()
        scale = float(weights[f"{name}.alpha"]) / len(down)
        change = up.flatten(1) @ down.flatten(1) * scale
        target = modules[name].weight
        target.data += change.reshape(target.shape)
    return len(names)


def flatness(picture: np.ndarray) -> float:
    """Tell how little a picture changes inside the squares of the grid, against its change across their borders."""
    steps = np.abs(np.diff(picture, axis=1)).mean((0, 2))
    across = np.arange(1, picture.shape[1]) % SQUARE == 0
    return float(steps[across].mean() / (steps[~across].mean() + 1e-6))


def test_the_lora_turns_things_into_pixel_art(pipeline: Any) -> None:
    words = ("red apple, pixel art", "cat face, pixel art")
    before = [flatness(draw(pipeline, text)) for text in words]
    assert add_lora(pipeline) > 20
    after = [flatness(draw(pipeline, text)) for text in words]
    assert all(late > 1.5 * early for early, late in zip(before, after, strict=True)), (before, after)


def test_the_embedding_draws_a_mint_creature_that_no_word_of_the_model_names(pipeline: Any) -> None:
    vectors = load_file(EMBEDDING)["emb_params"]
    pipeline.load_textual_inversion(EMBEDDING, token="sprig")
    assert vectors.shape == (6, pipeline.text_encoder.config.hidden_size)
    picture = draw(pipeline, "sprig")
    red, green, blue = picture[128:224, 64:192].mean((0, 1))  # its body
    assert green > red + 25
    assert green > blue
    assert picture[:16].mean() > 200  # on white


@pytest.mark.parametrize(("path", "most_bytes"), [(LORA, 1_000_000), (EMBEDDING, 50_000)])
def test_the_files_are_small_and_readable(path: Any, most_bytes: int) -> None:
    assert path.stat().st_size <= most_bytes
    with safe_open(path, "pt") as opened:
        assert all(torch.isfinite(opened.get_tensor(key)).all() for key in opened.keys())  # noqa: SIM118
    text = (path.parent / "README.md").read_text(encoding="utf-8")
    assert re.search(r"CC BY 4\.0|drawn by a script", text), "its README names its sources"
