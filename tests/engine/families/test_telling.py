"""Denoisers that are told of pictures: as diffusers' own pipelines for them do it."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    Flux2KleinPipeline,
    FluxFillPipeline,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.flux import pipeline_flux_fill
from PIL import Image

from modules.engine.families.base import Asked, Family
from modules.engine.families.driver import drive
from modules.engine.families.flux import Flux2Klein
from modules.engine.families.telling import Told, packed_mask
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.work.encoding import PromptEncoder
from tests.engine import flow
from tests.engine.families.test_driver import replaced, scheduler_of, seeded
from tests.engine.tiny_models import named

STEPS = 3
LATENTS = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(5))
MASK = torch.zeros(2, 1, 64, 64)
MASK[:, :, 16:40, 8:48] = 1
PICTURE = Image.linear_gradient("L").resize((64, 64)).convert("RGB")


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


def words_of(model: LoadedModel, scale: float, pictures: int) -> dict[str, Any]:
    asked = Asked((64, 64), STEPS, scale, pictures, distilled_guidance_scale=2.5)
    with torch.inference_mode():
        words = PromptEncoder().encode(model, "a heart", "blue", asked)
        return model.family.arguments(model.pipeline, words, asked)


def drawn(model: LoadedModel, told: Told, scale: float = 3.0, sampler: str = "DDIM") -> torch.Tensor:
    """Return the latents of a pass whose denoiser is told of a picture."""
    pipeline, family, pictures = model.pipeline, model.family, len(told.latents)
    generators = seeded(pictures)
    shown = SchedulerProxy(family.sampler(pipeline, sampler, "Automatic", STEPS), generators)
    telling = family.telling(pipeline, told)
    assert telling is not None
    with torch.inference_mode(), telling:
        arguments = words_of(model, scale, pictures) | {"generator": generators}
        drive(pipeline, arguments, shown, channels=family.channels(pipeline))
    assert shown.latents is not None
    return shown.latents


def own(pipeline: Any, model: LoadedModel, scale: float = 3.0, pictures: int = 2, **more: Any) -> torch.Tensor:
    """Return the latents of diffusers' own pipeline for such models."""
    made = pipeline(**{name: one for name, one in model.pipeline.components.items() if name in parts_of(pipeline)})
    made.set_progress_bar_config(disable=True)
    if "encode_prompt" in vars(model.pipeline):
        made.encode_prompt = model.pipeline.encode_prompt
    known = inspect.signature(made.__call__).parameters
    given = {name: value for name, value in words_of(model, scale, pictures).items() if name in known}
    with torch.inference_mode():
        latents: torch.Tensor = made(**given | more, generator=seeded(pictures)).images
    return latents


def parts_of(pipeline: Any) -> Any:
    return inspect.signature(pipeline.__init__).parameters


def unet_of(model: LoadedModel, channels: int) -> UNet2DConditionModel:
    torch.manual_seed(3)
    made = UNet2DConditionModel.from_config({**model.denoiser.config, "in_channels": channels})
    return made.eval().requires_grad_(False)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_model_for_inpainting_is_told_the_mask_and_the_rest_of_the_picture(plain: LoadedModel, scale: float) -> None:
    assert not plain.family.takes_mask(plain.pipeline) and not plain.family.needs_picture(plain.pipeline)
    with replaced(plain.pipeline, "unet", unet_of(plain, 9)):
        assert plain.family.takes_mask(plain.pipeline) and not plain.family.needs_picture(plain.pipeline)
        ours = drawn(plain, Told(LATENTS, MASK), scale)
        made = plain.family.sampler(plain.pipeline, "DDIM", "Automatic", STEPS)
        with scheduler_of(plain, made.scheduler):
            theirs = own(
                StableDiffusionInpaintPipeline, plain, scale, strength=1.0, image=torch.zeros(2, 3, 64, 64),
                mask_image=MASK, masked_image_latents=LATENTS, width=64, height=64,
            )  # fmt: skip
        assert torch.equal(ours, theirs)
        # As good as new.
        assert not plain.denoiser._forward_pre_hooks and not plain.denoiser._forward_hooks


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_model_for_instructions_is_guided_by_words_and_picture(plain: LoadedModel, scale: float) -> None:
    with replaced(plain.pipeline, "unet", unet_of(plain, 8)):
        assert plain.family.needs_picture(plain.pipeline) and not plain.family.takes_mask(plain.pipeline)
        factor = plain.pipeline.vae.config.scaling_factor
        ours = drawn(plain, Told(LATENTS * factor, image_guidance_scale=1.7), scale)
        made = plain.family.sampler(plain.pipeline, "DDIM", "Automatic", STEPS)
        with scheduler_of(plain, made.scheduler):
            theirs = own(StableDiffusionInstructPix2PixPipeline, plain, scale, image=LATENTS, image_guidance_scale=1.7)
        assert torch.allclose(ours, theirs, atol=2e-4)


def test_flux_fill_is_told_each_pixel_of_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    model = flow.flux()
    torch.manual_seed(3)
    fill = FluxTransformer2DModel(
        **flow.HEADS, in_channels=2 * 16 + 4 * 64, out_channels=16, num_layers=1, num_single_layers=1,
        pooled_projection_dim=16, axes_dims_rope=(4, 4, 8),
    ).eval().requires_grad_(False)  # fmt: skip
    assert not model.family.takes_mask(model.pipeline)
    model.pipeline.transformer = fill
    assert model.family.takes_mask(model.pipeline)
    monkeypatch.setattr(pipeline_flux_fill, "retrieve_latents", lambda said, **_more: said.latent_dist.mode())
    pixels = torch.cat([model.pipeline.image_processor.preprocess(PICTURE)] * 2).contiguous()
    with torch.inference_mode():
        masked = model.family.encode_picture(model.pipeline, pixels * (1 - MASK))
    ours = drawn(model, Told(masked, MASK), 1.0, "Euler")
    theirs = own(FluxFillPipeline, model, 1.0, image=[PICTURE] * 2, mask_image=MASK)
    assert torch.allclose(ours, theirs, atol=1e-4)  # It encodes in another memory layout.
    parts = {name: one for name, one in model.pipeline.components.items() if name in parts_of(FluxFillPipeline)}
    zeros = torch.zeros(2, 4, 8, 8)
    mask, _ = FluxFillPipeline(**parts).prepare_mask_latents(
        MASK, zeros, 2, 4, 1, 64, 64, torch.float32, torch.device("cpu"), None
    )
    assert torch.equal(packed_mask(MASK, 8), mask)


def test_flux_kontext_reads_a_pictures_tokens() -> None:
    model = flow.flux()
    ours = drawn(model, Told(model.pipeline._pack_latents(LATENTS, 2, 4, 8, 8)), 1.0, "Euler")
    theirs = own(FluxKontextPipeline, model, 1.0, image=LATENTS, max_area=64 * 64)
    assert torch.equal(ours, theirs)


def test_klein_reads_a_pictures_tokens() -> None:
    pipeline = named.seeded(named.flux_2_klein)
    pipeline.set_progress_bar_config(disable=True)
    model = LoadedModel(ModelKey(Path("klein"), "x", "float32"), Flux2Klein(), pipeline, None)
    with torch.inference_mode():
        words_of(model, 1.0, 1)
        pixels = pipeline.image_processor.preprocess(PICTURE, height=64, width=64)
        told = Told(model.family.encode_picture(pipeline, pixels))
    ours = drawn(model, told, 1.0, "Euler")
    theirs = own(Flux2KleinPipeline, model, 1.0, 1, image=PICTURE, output_type="pt")
    with torch.inference_mode():
        assert torch.allclose(model.family._end(pipeline, ours, (64, 64), "pt"), theirs, atol=1e-5)


def test_others_are_told_nothing() -> None:
    assert Family().telling(None, Told(LATENTS)) is None
    assert not Family().takes_mask(None) and not Family().needs_picture(None)
