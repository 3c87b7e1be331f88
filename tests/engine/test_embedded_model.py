"""The model that the project brings: a folder that diffusers alone draws with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from modules.jobs.diffusers_folder import native_size
from modules.paths import ROOT

EMBEDDED = ROOT / "models" / "Stable-diffusion" / "emoji"
MOST_BYTES = 45_000_000


def test_the_snippet_on_the_models_card_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pipeline = DiffusionPipeline.from_pretrained("models/Stable-diffusion/emoji")
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(1)
    heart, nothing = (
        np.asarray(pipeline(words, num_inference_steps=8, guidance_scale=3.0, generator=generator).images[0], float)
        for words in ("red heart", "")
    )
    assert heart.shape[:2] == nothing.shape[:2] == native_size(EMBEDDED)[::-1]
    red, green, blue = heart.mean((0, 1))
    assert red > green + 20
    assert red > blue + 20
    assert nothing.std() > 5


def test_the_weights_are_small_enough_to_come_with_the_program() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*.safetensors")) <= MOST_BYTES
