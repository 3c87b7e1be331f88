"""What is known of a picture stays, what is drawn anew is drawn as ever, with any sampler."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from modules.engine.families.driver import drive
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.blending import Blend, SoftMix
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.engine.work.beginning import Beginning
from modules.engine.work.noising import begun
from modules.engine.work.seeds import Seeds
from modules.errors import Interrupted
from modules.jobs.samplers import SAMPLERS
from tests.engine import flow
from tests.engine.families.test_driver import arguments_of, seeded

STEPS = 6
NAMES = [sampler.name for sampler in SAMPLERS]
CLEAN = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(5))
MASK = torch.zeros(1, 1, 8, 8)
MASK[..., 3:6, 2:7] = 1


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    return {"Stable Diffusion": load("plain"), "terminal noise": load("tiny"), "Flux": flow.flux()}


def known(model: LoadedModel, mask: torch.Tensor = MASK) -> Blend:
    with torch.inference_mode():
        layout = model.family.layout(model.pipeline, (64, 64))
    return Blend(layout.running(CLEAN), layout.running(mask))


def draw(
    model: LoadedModel,
    sampler: str,
    blend: Blend | None,
    begin: int = 0,
    watch: Callable[[Step, torch.Tensor], None] = lambda step, latents: None,
    state: SamplingState | None = None,
) -> SchedulerProxy:
    def made() -> Any:
        return model.family.sampler(model.pipeline, sampler, "Automatic", STEPS)

    generators = seeded()
    with torch.inference_mode():
        arguments = arguments_of(model, STEPS) | {"generator": generators}
        if state is not None:
            start = state.latents
            for generator, kept in zip(generators, state.generators, strict=True):
                generator.set_state(kept)
        else:
            beginning = Beginning(known(model).clean if blend is None else blend.clean)
            start = begun(model, arguments, made(), beginning, begin, Seeds(()))
        shown = SchedulerProxy(made(), generators, watch, begin=begin, state=state, blend=blend)
        drive(model.pipeline, arguments, shown, start, model.family.channels(model.pipeline))
    return shown


@pytest.mark.parametrize(
    ("name", "sampler"),
    [(name, sampler) for name in ("Stable Diffusion", "Flux") for sampler in NAMES]
    + [("terminal noise", sampler) for sampler in ("Euler", "DDIM", "DPM++ 2M", "Heun", "DPM2 a")],
)
def test_what_is_known_ends_as_it_is_and_is_seen_so_in_every_step(
    models: dict[str, LoadedModel], name: str, sampler: str
) -> None:
    model, seen = models[name], list[torch.Tensor]()
    blend = known(model)
    shown = draw(model, sampler, blend, 2, lambda step, latents: seen.append(step.denoised()))
    outside = (blend.mask == 0).expand_as(blend.clean)
    assert shown.latents is not None
    assert torch.equal(shown.latents[outside], blend.clean[outside])
    assert not torch.allclose(shown.latents[~outside], blend.clean[~outside], atol=0.1)
    for step in seen:
        assert torch.allclose(step[outside], blend.clean[outside], atol=1e-3)


@pytest.mark.parametrize("sampler", ["Euler", "Euler a", "DDIM", "DPM++ 2M", "UniPC", "Heun", "DPM2", "PLMS"])
def test_it_is_next_to_right_before_it_is_put_in(models: dict[str, LoadedModel], sampler: str) -> None:
    """So what is drawn beside it was drawn to fit."""
    model = models["Stable Diffusion"]
    blend, ended = known(model), list[torch.Tensor]()

    class Watched(Blend):
        def ended(self, latents: torch.Tensor) -> torch.Tensor:
            ended.append(latents)
            return super().ended(latents)

    draw(model, sampler, Watched(blend.clean, blend.mask))
    outside = (blend.mask == 0).expand_as(blend.clean)
    # PLMS ends with a mean of its last four looks, DDIM with the little noise of the model's first timestep.
    atol = {"PLMS": 0.5, "DDIM": 0.1}.get(sampler, 1e-4)
    assert torch.allclose(ended[0][outside], blend.clean[outside], atol=atol)


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M", "Heun"])
def test_a_mask_of_all_changes_no_bit(models: dict[str, LoadedModel], sampler: str) -> None:
    model = models["Stable Diffusion"]
    masked, plain = draw(model, sampler, known(model, torch.ones_like(MASK)), 2), draw(model, sampler, None, 2)
    assert masked.latents is not None and plain.latents is not None
    assert torch.equal(masked.latents, plain.latents)


def test_a_grey_mask_ends_between_both(models: dict[str, LoadedModel]) -> None:
    model, seen = models["Stable Diffusion"], list[Step]()
    blend = known(model, torch.full_like(MASK, 0.25))
    shown = draw(model, "Euler", blend, 3, lambda step, latents: seen.append(step))
    assert shown.latents is not None
    assert torch.allclose(shown.latents, seen[-1].denoised(), atol=1e-4)
    # What the denoiser itself believed in the last step: one quarter of it counts.
    assert (shown.latents - CLEAN).abs().mean() > 0.01


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M SDE", "LMS", "DPM2"])
def test_a_masked_pass_goes_on_from_any_place_to_the_same_bits(models: dict[str, LoadedModel], sampler: str) -> None:
    model = models["Stable Diffusion"]
    blend, whole = known(model), draw(model, sampler, known(model), 2)
    for stop_after in (1, 2, 3):
        state = stopped(model, sampler, blend, stop_after)
        tensors, rest = pack(state)
        resumed = draw(model, sampler, known(model), 2, state=unpack(tensors, rest, "cpu"))
        assert resumed.latents is not None and whole.latents is not None
        assert torch.equal(resumed.latents, whole.latents)


def stopped(model: LoadedModel, sampler: str, blend: Blend, after: int) -> SamplingState:
    generators, told = seeded(), list[int]()

    def made() -> Any:
        return model.family.sampler(model.pipeline, sampler, "Automatic", STEPS)

    def watch(_step: Step, _latents: torch.Tensor) -> None:
        told.append(1)
        if len(told) == after:
            raise Interrupted("pause")

    with torch.inference_mode():
        arguments = arguments_of(model, STEPS) | {"generator": generators}
        start = begun(model, arguments, made(), Beginning(blend.clean), 2, Seeds(()))
        shown = SchedulerProxy(made(), generators, watch, begin=2, blend=blend)
        with pytest.raises(Interrupted):
            drive(model.pipeline, arguments, shown, start, model.family.channels(model.pipeline))
    assert shown.state is not None
    return shown.state


# --- Soft -----------------------------------------------------------------------------------------------------------


def soft(mask: torch.Tensor, bias: float = 1.0, strength: float = 0.5, contrast: float = 4.0) -> SoftMix:
    return SoftMix(CLEAN, mask, bias, strength, contrast, spatial=lambda one: one, running=lambda one: one)


def test_the_more_noise_the_more_of_the_known_picture_counts() -> None:
    seen = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(6))
    mask = torch.full((1, 1, 8, 8), 0.5)
    near = [float((soft(mask)(seen, level) - CLEAN).norm()) for level in (14.0, 2.0, 0.5, 0.0)]
    assert near == sorted(near)
    assert torch.equal(soft(mask)(seen, 0.0), seen)
    assert torch.allclose(soft(mask)(seen, float("inf")), CLEAN)
    assert torch.equal(soft(mask, strength=0.0)(seen, float("inf")), seen)
    # A part of sqrt(0.5) at level 1, and in the length that both have on the average.
    mixed = soft(mask)(seen, 1.0)
    part = 0.5**0.5
    straight = part * seen + (1 - part) * CLEAN
    assert torch.allclose(torch.nn.functional.cosine_similarity(mixed, straight), torch.ones(2, 8, 8), atol=1e-4)
    lengths = part * seen.norm(dim=1) ** 4 + (1 - part) * CLEAN.norm(dim=1) ** 4
    assert torch.allclose(mixed.norm(dim=1), lengths**0.25, rtol=1e-3)


def test_where_nothing_or_all_is_masked_it_is_one_or_the_other() -> None:
    seen = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(6))
    mixed = soft(MASK)(seen, 3.0)
    inside = MASK.bool().expand_as(seen)
    assert torch.equal(mixed[inside], seen[inside]) and torch.equal(mixed[~inside], CLEAN[~inside])
