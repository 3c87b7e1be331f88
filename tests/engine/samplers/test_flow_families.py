"""Every sampler with real pipelines of flow models, each of which asks for its list in its own way."""

from typing import Any

import pytest
import torch

from modules.engine.families.base import Asked
from modules.engine.families.driver import drive
from modules.engine.families.known import FAMILIES
from modules.engine.families.reading import Text
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.errors import Interrupted
from modules.jobs.samplers import SAMPLERS
from tests.engine.tiny_models import named

MADE = {
    "sd3": named.stable_diffusion_3, "flux": named.flux, "z-image": named.z_image, "qwen-image": named.qwen_image,
    "sana": named.sana,
}  # fmt: skip
STEPS = 4


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Any]:
    made = {name: named.seeded(make) for name, make in MADE.items()}
    for pipeline in made.values():
        pipeline.set_progress_bar_config(disable=True)
    return made


def run(
    name: str, pipeline: Any, sampler: str, schedule: str = "Automatic", **more: Any
) -> tuple[SchedulerProxy, list[Step]]:
    told: list[Step] = []
    family, state = FAMILIES[name], more.pop("state", None)
    generators = [torch.Generator().manual_seed(3)]
    if state is not None:
        generators[0].set_state(state.generators[0])
    asked = Asked((64, 64), STEPS, 1.0)
    made = family.sampler(pipeline, sampler, schedule, STEPS, more.pop("shift", None))
    shown = SchedulerProxy(made, generators, lambda step, _latents: told.append(step), state=state, **more)
    with torch.inference_mode():
        words = family.encode(pipeline, (Text("a heart"),), (Text(""),), asked, lambda key, encode: encode())
        arguments = family.arguments(pipeline, words, asked) | {"generator": generators}
        drive(pipeline, arguments, shown, None if state is None else state.latents, family.channels(pipeline))
    return shown, told


def pairs(family: int) -> list[tuple[str, str]]:
    """Return every sampler with "Automatic" and with one more schedule type, another for each family."""
    return [
        (sampler.name, schedule)
        for place, sampler in enumerate(SAMPLERS)
        for schedule in ("Automatic", sampler.schedules[1 + (place + family) % (len(sampler.schedules) - 1)])
    ]


@pytest.mark.parametrize("name", MADE)
def test_every_sampler_draws_with_every_family(pipelines: dict[str, Any], name: str) -> None:
    for sampler, schedule in pairs(list(MADE).index(name)):
        shown, told = run(name, pipelines[name], sampler, schedule)
        assert shown.latents is not None and torch.isfinite(shown.latents).all(), sampler
        # Each step tells the level at which the denoiser was asked: previews follow it.
        for step, timestep in zip(told, shown.timesteps.tolist(), strict=True):
            assert step.prediction_type == "flow_prediction"
            assert step.sigma == pytest.approx(timestep / 1000, abs=2e-3), sampler
        if sampler not in ("LMS", "PLMS"):
            assert torch.allclose(told[-1].denoised(), shown.latents, atol=5e-3), sampler


@pytest.mark.parametrize("name", MADE)
def test_eulers_own_list_has_the_bits_of_the_pipelines_own_call(pipelines: dict[str, Any], name: str) -> None:
    pipeline, own = pipelines[name], "DPM++ 2M" if name == "sana" else "Euler"
    with torch.inference_mode():
        asked = Asked((64, 64), STEPS, 1.0)
        words = FAMILIES[name].encode(pipeline, (Text("a heart"),), (Text(""),), asked, lambda key, encode: encode())
        arguments = FAMILIES[name].arguments(pipeline, words, asked)
        theirs = pipeline(**arguments, generator=[torch.Generator().manual_seed(3)])[0]
    ours = run(name, pipeline, own)[0].latents
    assert ours is not None
    assert torch.equal(ours, theirs)
    drawn = run(name, pipeline, "DDIM" if name != "sana" else "Euler")[0].latents
    assert drawn is not None
    if name != "sana":  # DDIM is Euler there
        assert (drawn - ours).abs().max() < 0.02 * ours.abs().max()
    moved = run(name, pipeline, own, shift=9.0)[0].latents
    assert moved is not None
    assert not torch.allclose(moved, ours, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "sampler", "schedule"),
    [
        ("sd3", "DPM++ 3M SDE", "Karras"), ("flux", "UniPC", "Automatic"), ("z-image", "DPM2 a", "Beta"),
        ("qwen-image", "PLMS", "Automatic"), ("sana", "DPM++ SDE", "Exponential"),
    ],
)  # fmt: skip
def test_a_pass_goes_on_after_every_place_to_the_same_bits(
    pipelines: dict[str, Any], name: str, sampler: str, schedule: str
) -> None:
    pipeline = pipelines[name]
    states: list[SamplingState] = []
    whole, told = run(name, pipeline, sampler, schedule)
    for place in range(1, len(told)):
        shown = stopped(name, pipeline, sampler, schedule, place)
        assert shown.state is not None
        tensors, rest = pack(shown.state)
        states.append(unpack(tensors, rest, "cpu"))
    for state in states:
        again, _ = run(name, pipeline, sampler, schedule, state=state)
        assert whole.latents is not None and again.latents is not None
        assert torch.equal(again.latents, whole.latents), state.place


def stopped(name: str, pipeline: Any, sampler: str, schedule: str, place: int) -> SchedulerProxy:
    """Return what was shown to a pass that was stopped after so many places."""
    family, asked = FAMILIES[name], Asked((64, 64), STEPS, 1.0)
    generators = [torch.Generator().manual_seed(3)]
    made = family.sampler(pipeline, sampler, schedule, STEPS)

    def watch(_step: Step, _latents: torch.Tensor) -> None:
        if shown.place == place:
            raise Interrupted("pause")

    shown = SchedulerProxy(made, generators, watch)
    with torch.inference_mode(), pytest.raises(Interrupted):
        words = family.encode(pipeline, (Text("a heart"),), (Text(""),), asked, lambda key, encode: encode())
        drive(pipeline, family.arguments(pipeline, words, asked) | {"generator": generators}, shown, None)
    return shown
