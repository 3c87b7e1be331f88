"""Qwen-Image-Edit: loaded from its folder, told of a picture, with the bits of its own call, and gone on with."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, QwenImageEditPipeline, QwenImageEditPlusPipeline
from PIL import Image

from modules.engine.families.telling import Told
from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.samplers.state import SamplingState
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.decoding import decode
from modules.engine.work.sampling import Batch, Ready
from modules.errors import ModelError
from modules.shared_state import State
from tests.engine.tiny_models.named import qwen_image_edit
from tests.jobs.made_jobs import resolved_job

SIDE, STEPS = 64, 3
PICTURE = Image.effect_noise((SIDE, SIDE), 90).convert("RGB")
RESOLVED = resolved_job(
    prompt="make it red", negative_prompt="blue", seed=7, steps=STEPS, cfg_scale=3.0, width=SIDE, height=SIDE,
    sampler_name="Euler", batch_size=2,
)  # fmt: skip
WORDS = {"prompt": "make it red", "negative_prompt": "blue"}


@pytest.fixture(scope="module", params=[QwenImageEditPipeline, QwenImageEditPlusPipeline])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    torch.manual_seed(0)
    pipeline: type[DiffusionPipeline] = request.param
    folder: Path = tmp_path_factory.mktemp("edit") / "model"
    qwen_image_edit(pipeline).save_pretrained(folder)
    state = State()
    state.begin("trial")
    return ModelCache(Device("cpu", "CPU"), Cancel(state)).get(ModelKey(folder, "", "float32"), lambda fraction: None)


@pytest.fixture(autouse=True)
def small(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pipelines make a megapixel of every picture."""
    module = inspect.getmodule(type(model.pipeline))
    own = vars(module)["calculate_dimensions"]

    def sized(_area: int, ratio: float) -> Any:
        return (*own(SIDE * SIDE, ratio)[:2], None)[: len(own(SIDE * SIDE, ratio))]

    monkeypatch.setattr(module, "calculate_dimensions", sized)


def batch_of(model: LoadedModel, told: Told, resume: SamplingState | None = None) -> Batch:
    ready = Ready(model, WORDS, None, told)
    return Batch(None, {}, RESOLVED, [0, 1], resume, switch=lambda number, left, resumed: ready)


def test_the_latents_are_those_of_its_own_call(model: LoadedModel) -> None:
    told = Told(torch.empty(0), pictures=(PICTURE, PICTURE))
    kept: list[SamplingState | None] = []
    batch = batch_of(model, told)
    with torch.inference_mode():
        latents = batch.sample(lambda done, steps, step: kept.append(batch.state()))
        model.pipeline.set_progress_bar_config(disable=True)
        own = model.pipeline(
            **WORDS, image=[PICTURE], true_cfg_scale=3.0, width=SIDE, height=SIDE, num_inference_steps=STEPS,
            num_images_per_prompt=2, output_type="latent",
            generator=[torch.Generator().manual_seed(seed) for seed in (7, 8)],
        ).images  # fmt: skip
        assert torch.equal(latents, own)
        assert torch.equal(batch_of(model, told, kept[0]).sample(lambda done, steps, step: None), own)
        picture = decode(model, latents[:1], (SIDE, SIDE))
    assert picture.size == (SIDE, SIDE)
    assert batch.spatial(latents).shape == (2, 4, 8, 8), "previews know where each latent is"


def test_pictures_that_differ_are_changed_one_by_one(model: LoadedModel) -> None:
    other = Image.new("RGB", (SIDE, SIDE))
    with pytest.raises(ModelError, match="use batch size 1"), torch.inference_mode():
        batch_of(model, Told(torch.empty(0), pictures=(PICTURE, other))).sample(lambda done, steps, step: None)
