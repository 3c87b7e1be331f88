"""A pass that begins with a picture: the latents of it, the noise of txt2img, and from there the bits of diffusers."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from diffusers import FluxImg2ImgPipeline, StableDiffusion3Img2ImgPipeline, StableDiffusionImg2ImgPipeline
from PIL import Image
from torch import nn

from modules.engine.families.base import Family
from modules.engine.families.driver import drive
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.noised import noised
from modules.engine.samplers.places import begin_at
from modules.engine.samplers.proxy import Sampler, SchedulerProxy
from modules.engine.work.beginning import Beginning
from modules.engine.work.noising import begun
from modules.engine.work.picture_encoding import encode_pictures, pixels_of
from modules.engine.work.seeds import Seeds
from modules.errors import Interrupted, ModelError
from modules.jobs.samplers import SAMPLERS
from tests.engine import flow
from tests.engine.families.test_driver import STEPS, arguments_of, scheduler_of, seeded

PLAIN = Seeds(())
HALF = 5  # the step at which strength 0.5 begins by either rule of diffusers
NAMES = [sampler.name for sampler in SAMPLERS]
CLEAN = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(5))
PICTURE = Image.linear_gradient("L").resize((64, 64)).convert("RGB")


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    return {"Stable Diffusion": load("plain"), "Stable Diffusion 3": flow.stable_diffusion_3(), "Flux": flow.flux()}


def sampler_of(model: LoadedModel, name: str) -> Sampler:
    return model.family.sampler(model.pipeline, name, "Automatic", STEPS)


def img2img(model: LoadedModel, sampler: str, clean: torch.Tensor) -> torch.Tensor:
    """Return what a pass makes of clean latents, as the scheduler sees them, from the middle of its list."""
    generators = seeded()
    shown = SchedulerProxy(sampler_of(model, sampler), generators, begin=HALF)
    with torch.inference_mode():
        arguments = arguments_of(model) | {"generator": generators}
        start = begun(model, arguments, sampler_of(model, sampler), Beginning(clean), HALF, PLAIN)
        drive(model.pipeline, arguments, shown, start, model.family.channels(model.pipeline))
    assert shown.latents is not None
    return shown.latents


def own_img2img(own: Any, model: LoadedModel, clean: torch.Tensor) -> torch.Tensor:
    """Return what diffusers' own pipeline makes of clean latents."""
    pipeline = own(**dict(model.pipeline.components))
    pipeline.set_progress_bar_config(disable=True)
    pipeline.encode_prompt = model.pipeline.encode_prompt
    arguments = {name: value for name, value in arguments_of(model).items() if name not in ("width", "height")}
    if own is not StableDiffusionImg2ImgPipeline:
        arguments |= {"width": 64, "height": 64}
    known = inspect.signature(own.__call__).parameters
    arguments = {name: value for name, value in arguments.items() if name in known}
    with torch.inference_mode():
        made: torch.Tensor = pipeline(**arguments, image=clean, strength=0.5, generator=seeded()).images
    return made


# PLMS of diffusers takes its first step twice from wherever it begins, but has it twice in its list only at the start.
@pytest.mark.parametrize("sampler", [name for name in NAMES if name not in ("LCM", "PLMS")])
def test_img2img_of_stable_diffusion_has_the_bits_of_diffusers(models: dict[str, LoadedModel], sampler: str) -> None:
    model = models["Stable Diffusion"]
    with scheduler_of(model, sampler_of(model, sampler).scheduler):
        own = own_img2img(StableDiffusionImg2ImgPipeline, model, CLEAN)
    assert torch.equal(img2img(model, sampler, CLEAN), own)


@pytest.mark.parametrize(
    ("family", "own"), [("Flux", FluxImg2ImgPipeline), ("Stable Diffusion 3", StableDiffusion3Img2ImgPipeline)]
)
def test_img2img_of_flows_has_the_bits_of_diffusers(models: dict[str, LoadedModel], family: str, own: Any) -> None:
    model = models[family]
    with torch.inference_mode():
        layout = model.family.layout(model.pipeline, (64, 64))
    assert torch.equal(img2img(model, "Euler", layout.running(CLEAN)), own_img2img(own, model, CLEAN))


@pytest.mark.parametrize("family", ["Stable Diffusion", "Stable Diffusion 3", "Flux"])
def test_the_noise_is_that_of_txt2img_with_the_same_seeds(models: dict[str, LoadedModel], family: str) -> None:
    model, given = models[family], list[torch.Tensor]()
    hook = model.denoiser.register_forward_pre_hook(
        lambda _module, inputs, named: given.append((inputs or [named["hidden_states"]])[0]) or stop(), with_kwargs=True
    )
    sampler = sampler_of(model, "DDIM")
    with torch.inference_mode():
        with pytest.raises(Interrupted):
            drive(model.pipeline, arguments_of(model) | {"generator": seeded()}, SchedulerProxy(sampler))
        generators = seeded()
        noise = PLAIN.noise(model, arguments_of(model) | {"generator": generators}, sampler)
    hook.remove()
    assert torch.equal(noise, given[0][:2])
    # By a run of the pipeline, whatever shorter way a family has.
    with torch.inference_mode():
        arguments = arguments_of(model) | {"generator": seeded()}
        assert torch.equal(Family.noise(model.family, model.pipeline, arguments, sampler), noise)
    again = seeded()
    for generator in again:
        torch.randn(1, 4, 8, 8, generator=generator)
    assert all(torch.equal(one.get_state(), other.get_state()) for one, other in zip(generators, again, strict=True))


def stop() -> None:
    raise Interrupted("interrupt")


@pytest.mark.parametrize("family", ["Stable Diffusion", "Flux"])
@pytest.mark.parametrize("sampler", NAMES)
def test_every_sampler_takes_noise_at_any_step_for_what_it_is(
    models: dict[str, LoadedModel], family: str, sampler: str
) -> None:
    """A model that knows the noise finds the clean latents in one look, wherever the pass begins."""
    model = models[family]
    for step in (0, 4, STEPS - 1):
        made = sampler_of(model, sampler)
        with torch.inference_mode():
            noise = PLAIN.noise(model, arguments_of(model) | {"generator": seeded()}, made)
        clean = torch.randn(noise.shape, generator=torch.Generator().manual_seed(5))
        place = begin_at(made.scheduler, step)
        sample = noised(made.scheduler, clean, noise, place)
        proxy = SchedulerProxy(made, seeded())
        proxy.place = place
        proxy.scale_model_input(sample, made.scheduler.timesteps[place])
        told = noise - clean if family == "Flux" else noise
        proxy.step(told, made.scheduler.timesteps[place], sample)
        assert proxy.latest is not None
        atol = 2e-3 if step or family != "Flux" else 0.05  # From pure noise float32 knows little of what is below it.
        assert torch.allclose(proxy.latest.denoised(), clean, atol=atol), step


def test_noise_may_be_stronger_and_may_lie_there_unknown_to_the_sampler(models: dict[str, LoadedModel]) -> None:
    model = models["Stable Diffusion"]
    zero = torch.zeros_like(CLEAN)

    def started(sampler: str, **more: Any) -> torch.Tensor:
        with torch.inference_mode():
            arguments = arguments_of(model) | {"generator": seeded()}
            return begun(model, arguments, sampler_of(model, sampler), Beginning(zero, **more), HALF, PLAIN)

    for sampler in ("Euler", "DDIM"):
        plain = started(sampler)
        assert torch.allclose(started(sampler, noise_multiplier=1.5), 1.5 * plain)
    # In units of the latents: Euler sees them as they are.
    noise = torch.cat([torch.randn(1, 4, 8, 8, generator=generator) for generator in seeded()])
    assert torch.allclose(started("Euler", extra_noise=0.25) - started("Euler"), 0.25 * noise, atol=1e-5)
    more, once = started("DDIM", extra_noise=0.25) - started("DDIM"), started("DDIM")
    signal = (1 - (once / noise).median() ** 2) ** 0.5
    assert torch.allclose(more, signal * 0.25 * noise, atol=1e-4)


def test_a_model_that_knows_noise_alone_says_so(models: dict[str, LoadedModel]) -> None:
    class Alone:
        timesteps = (1.0,)

    with pytest.raises(ValueError, match="Alone begins with noise alone"):
        noised(Alone(), CLEAN, CLEAN, 0)
    assert noised(Alone(), CLEAN, CLEAN, 1) is CLEAN


# --- Pictures -------------------------------------------------------------------------------------------------------


def test_the_latents_of_a_picture_are_the_mode_of_diffusers_own(models: dict[str, LoadedModel]) -> None:
    with torch.inference_mode():
        model = models["Stable Diffusion"]
        vae = model.pipeline.vae
        pixels = model.pipeline.image_processor.preprocess(PICTURE).contiguous()
        own = vae.config.scaling_factor * vae.encode(pixels).latent_dist.mode()
        assert torch.equal(encode_pictures(model, [PICTURE, PICTURE]), own.expand(2, -1, -1, -1))
        model = models["Flux"]
        vae = model.pipeline.vae
        own = vae.encode(pixels_of(PICTURE)).latent_dist.mode()
        own = (own - vae.config.shift_factor) * vae.config.scaling_factor
        assert torch.equal(encode_pictures(model, [PICTURE]), model.pipeline._pack_latents(own, 1, 4, 8, 8))


def test_a_picture_is_encoded_once_and_stopped_between_two_blocks(models: dict[str, LoadedModel]) -> None:
    model, asked = models["Stable Diffusion"], list[int]()
    encoder = model.pipeline.vae.encoder
    hook = encoder.register_forward_pre_hook(lambda _module, _inputs: asked.append(1))
    with torch.inference_mode():
        encode_pictures(model, [PICTURE, PICTURE.copy(), PICTURE])
    hook.remove()
    assert len(asked) == 2


def test_large_pictures_are_encoded_in_tiles_and_others_to_save_memory(models: dict[str, LoadedModel]) -> None:
    model = models["Stable Diffusion"]
    vae, large = model.pipeline.vae, PICTURE.resize((256, 256))
    with torch.inference_mode():
        whole = encode_pictures(model, [large])
        assert not vae.use_tiling
        in_tiles = encode_pictures(model, [large], save_memory=True)
        assert vae.use_tiling and in_tiles.shape == whole.shape and not torch.equal(in_tiles, whole)
        encode_pictures(model, [large])
        assert not vae.use_tiling


def test_sides_that_are_no_multiples_are_widened_by_what_decoding_cuts_off(models: dict[str, LoadedModel]) -> None:
    model = models["Stable Diffusion"]
    with torch.inference_mode():
        assert encode_pictures(model, [PICTURE.resize((60, 33))]).shape == (1, 4, 5, 8)


def test_an_encoder_that_gives_no_numbers_in_half_precision_does_it_once_more(load: Callable[..., LoadedModel]) -> None:
    told = list[str]()
    with torch.inference_mode():
        half = load("plain", "bfloat16")
        with no_numbers_in_half(half.pipeline.vae.encoder.conv_in):
            with pytest.raises(ModelError, match="turn on in the settings"):
                encode_pictures(half, [PICTURE])
            made = encode_pictures(half, [PICTURE], once_more=told.append)
        nn.Module.to(half.pipeline.vae, dtype=torch.float32)
        assert torch.equal(made, encode_pictures(half, [PICTURE]))
    assert told == ["The VAE gave no numbers in bfloat16, so it encoded once more in float32."]


@contextmanager
def no_numbers_in_half(layer: Any) -> Iterator[None]:
    def hook(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        return output if output.dtype == torch.float32 else output * float("nan")

    handle = layer.register_forward_hook(hook)
    yield
    handle.remove()
