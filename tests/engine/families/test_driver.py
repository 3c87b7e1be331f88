"""One driver for all families: the bits of the pipelines' own calls, from any step, and unharmed by any stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from modules.engine.families.base import Asked, Family
from modules.engine.families.driver import drive
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch
from modules.errors import Interrupted
from modules.jobs.samplers import SAMPLERS
from tests.engine import flow
from tests.engine.work.test_sampling import embeddings, resolved

STEPS = 10
FEW = 6  # more than any sampler's history is long
SIZE = 64, 64
NAMES = [sampler.name for sampler in SAMPLERS]
FAMILIES = ["Stable Diffusion", "Stable Diffusion 3", "Flux"]
# They remember nothing of the steps before, so a fresh one goes on to the same bits.
WITHOUT_MEMORY = ("Euler", "Euler a", "DDIM", "DPM++ SDE", "DPM++ 2S a", "LCM", "Heun", "DPM2", "DPM2 a")


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    drawn = load("plain"), flow.stable_diffusion_3(), flow.flux()
    return {"terminal noise": load("tiny")} | dict(zip(FAMILIES, drawn, strict=True))


def seeded(count: int = 2) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def arguments_of(model: LoadedModel, steps: int = STEPS, pictures: int = 2) -> dict[str, Any]:
    asked = Asked(SIZE, steps, guidance_scale=3.0, pictures=pictures)
    with torch.inference_mode():
        words = PromptEncoder().encode(model, "a heart", "blue", asked)
    return model.family.arguments(model.pipeline, words, asked)


def run(
    model: LoadedModel, sampler: str = "Euler", steps: int = STEPS, start: torch.Tensor | None = None, **more: Any
) -> tuple[torch.Tensor, list[Step]]:
    """Return the latents that a pass leaves, and its steps."""
    told: list[Step] = []
    generators = more.pop("generators", None) or seeded()
    made = model.family.sampler(model.pipeline, sampler, "Automatic", steps)
    shown = SchedulerProxy(made, generators, lambda step, latents: told.append(step), **more)
    with torch.inference_mode():
        arguments = arguments_of(model, steps) | {"generator": generators}
        drive(model.pipeline, arguments, shown, start, model.family.channels(model.pipeline))
    assert shown.latents is not None
    return shown.latents, told


@contextmanager
def scheduler_of(model: LoadedModel, scheduler: Any) -> Iterator[None]:
    own, model.pipeline.scheduler = model.pipeline.scheduler, scheduler
    yield
    model.pipeline.scheduler = own


@pytest.mark.parametrize("sampler", NAMES)
def test_a_pass_has_the_bits_of_the_pipelines_own_call(models: dict[str, LoadedModel], sampler: str) -> None:
    model = models["Stable Diffusion"]
    made = model.family.sampler(model.pipeline, sampler, "Automatic", FEW)
    with scheduler_of(model, made.scheduler), torch.inference_mode():
        own = model.pipeline(**arguments_of(model, FEW), generator=seeded()).images
    assert torch.equal(run(model, sampler, FEW)[0], own)


@pytest.mark.parametrize("family", FAMILIES[1:])
def test_a_pass_of_any_family_has_the_bits_of_its_own_call(models: dict[str, LoadedModel], family: str) -> None:
    model = models[family]
    with torch.inference_mode():
        own = model.pipeline(**arguments_of(model), generator=seeded()).images
    latents, told = run(model)
    assert torch.equal(latents, own)
    # The last step goes to no noise: what it estimates is what it gives.
    assert torch.allclose(told[-1].denoised(), latents, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pass_of_no_steps_decodes_as_the_pipeline_does(models: dict[str, LoadedModel], family: str) -> None:
    model = models[family]
    latents = run(model)[0][:1]
    with torch.inference_mode():
        ours = Family.decode(model.family, model.pipeline, latents, SIZE, save_memory=False)
        own = model.family.decode(model.pipeline, latents, SIZE, save_memory=False)
        if family != "Stable Diffusion":
            call = arguments_of(model, pictures=1) | {"output_type": "pil", "generator": seeded(1)}
            own = model.pipeline(**call).images[0]
            alone = run_alone(model)
            ours = Family.decode(model.family, model.pipeline, alone, SIZE, save_memory=False)
    assert ours.size == SIZE
    assert np.array_equal(np.asarray(ours), np.asarray(own))


def run_alone(model: LoadedModel) -> torch.Tensor:
    shown = SchedulerProxy(model.family.sampler(model.pipeline, "Euler", "Automatic", STEPS))
    drive(model.pipeline, arguments_of(model, pictures=1) | {"generator": seeded(1)}, shown)
    assert shown.latents is not None
    return shown.latents


@pytest.mark.parametrize("model_name", ["Stable Diffusion", "terminal noise"])
@pytest.mark.parametrize("sampler", NAMES)
def test_a_fresh_sampler_goes_on_from_any_step(models: dict[str, LoadedModel], model_name: str, sampler: str) -> None:
    """Those that look back differ by what they no longer remember: by little where the steps are short."""
    model, number = models[model_name], 5 if sampler in WITHOUT_MEMORY else 10
    whole, steps = run(model, sampler, number)
    for begin in (1, 4):
        generators = seeded()
        until, _ = run(model, sampler, number, end=begin, generators=generators)
        latents, rest = run(model, sampler, number, start=until, begin=begin, generators=generators)
        levels = [step.sigma for step in steps]
        assert rest[0].sigma == (list(dict.fromkeys(levels))[begin] if sampler == "PLMS" else levels[-len(rest)])
        if sampler in WITHOUT_MEMORY:
            assert torch.equal(latents, whole)
        else:
            nearly = 0.4 if "SDE" in sampler else 0.05
            assert (latents - whole).abs().mean() < nearly * whole.abs().mean()


@contextmanager
def stopped_before_a_block(model: LoadedModel, number: int | None) -> Iterator[list[int]]:
    """Raise before the block with this number; None: count them."""
    blocks: list[int] = []

    def before_block(_module: nn.Module, _inputs: Any) -> None:
        blocks.append(1)
        if len(blocks) == number:
            raise Interrupted("interrupt")

    lists = [part for part in model.denoiser.modules() if isinstance(part, nn.ModuleList)]
    parts = [block for blocks_of in lists for block in blocks_of if list(block.children())]
    hooks = [block.register_forward_pre_hook(before_block) for block in parts]
    yield blocks
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stop_before_any_block_leaves_the_pipeline_as_good_as_new(
    models: dict[str, LoadedModel], family: str
) -> None:
    model = models[family]
    own = model.pipeline.scheduler
    with stopped_before_a_block(model, None) as blocks:
        whole, _ = run(model, "DPM++ 2M SDE", steps=2)
    assert len(blocks) >= 4
    for number in range(1, len(blocks) + 1):
        with stopped_before_a_block(model, number), pytest.raises(Interrupted):
            run(model, "DPM++ 2M SDE", steps=2)
        assert model.pipeline.scheduler is own
        assert torch.equal(run(model, "DPM++ 2M SDE", steps=2)[0], whole)


@pytest.mark.parametrize("sampler", NAMES)
def test_a_stop_amid_a_pass_leaves_nothing_for_the_next(models: dict[str, LoadedModel], sampler: str) -> None:
    model = models["Stable Diffusion"]
    whole, _ = run(model, sampler, steps=4)
    with stopped_before_a_block(model, 16), pytest.raises(Interrupted):
        run(model, sampler, steps=4)
    assert torch.equal(run(model, sampler, steps=4)[0], whole)


def test_the_noise_has_the_channels_that_the_denoiser_gives(models: dict[str, LoadedModel]) -> None:
    """One for inpainting takes nine, of which a hook is to add five; packed ones count otherwise."""
    plain = models["Stable Diffusion"]
    seen: list[torch.Size] = []
    nine = UNet2DConditionModel.from_config({**plain.denoiser.config, "in_channels": 9})
    nine.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].shape) or stop())
    with replaced(plain.pipeline, "unet", nine), pytest.raises(Interrupted):
        run(plain)
    assert seen == [(4, 4, 8, 8)]
    assert run(models["Flux"], steps=1)[0].shape == (2, 16, 16)


def stop() -> None:
    raise Interrupted("interrupt")


@contextmanager
def replaced(pipeline: Any, name: str, part: Any) -> Iterator[None]:
    own = getattr(pipeline, name)
    setattr(pipeline, name, part)
    yield
    setattr(pipeline, name, own)


def test_what_either_prompt_says_alone_is_found_in_one_call_or_in_two() -> None:
    class PositiveFirst(Family):
        negative_first = False

    positive, negative = torch.ones(2, 4), torch.zeros(2, 4)
    families = (Family(), [torch.cat([negative, positive])]), (PositiveFirst(), [torch.cat([positive, negative])])
    for family, said in (*families, (Family(), [positive, negative])):
        found = family.said_alone(said, 2)
        assert found is not None
        assert torch.equal(found[0], positive) and torch.equal(found[1], negative)
    assert Family().said_alone([positive], 2) is None
    assert Family().said_alone([], 2) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_previews_of_any_family_show_what_either_prompt_alone_would_make_of_it(
    models: dict[str, LoadedModel], family: str
) -> None:
    model = models[family]
    what = resolved(steps=2, batch_size=2, height=64)
    batch = Batch(model, embeddings(model, what), what, [0, 1])
    told: list[int] = []

    def on_step(done: int, steps: int, step: Step) -> None:
        positive, negative = batch.shown("Prompt"), batch.shown("Negative prompt")
        assert positive is not None and negative is not None
        weighed = negative.model_output + 4.0 * (positive.model_output - negative.model_output)
        assert torch.allclose(step.model_output, weighed, atol=1e-5)
        assert not torch.allclose(positive.model_output, negative.model_output)
        told.append(done)

    with torch.inference_mode():
        batch.sample(on_step)
    assert told == [1, 2]
