"""Every sampler with every schedule it goes with, for models of flows, against the exact solution."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    LCMScheduler,
    SCMScheduler,
)

from modules.engine.samplers.choice import choose_sampler, keeps_its_own
from modules.engine.samplers.flow_levels import flow_levels
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.jobs.samplers import SAMPLERS
from tests.engine.samplers.flow_of_gaussian import DEVIATION, MEAN, exact, flow, noise_of, run, shown

PAIRS = [(sampler.name, schedule) for sampler in SAMPLERS for schedule in sampler.schedules]
NAMES = [sampler.name for sampler in SAMPLERS]
# They add noise on the way, so no single sample is where the flow leads: only all of them together.
WITH_NOISE = {name for name in NAMES if name.endswith(" a") or "SDE" in name} | {"LCM"}
# Their last step looks back too: they end beside what they estimate there.
ENDING_BY_HISTORY = ("LMS", "PLMS")


@pytest.mark.parametrize(("sampler", "schedule"), PAIRS)
def test_samples_end_near_the_truth(sampler: str, schedule: str) -> None:
    sample, proxy = run(sampler, schedule, 20)
    assert torch.isfinite(sample).all()
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.03)
    # LCM draws the mean of what is likely at each step, so it is narrower by its nature.
    assert sample.std().item() == pytest.approx(0.35 if sampler == "LCM" else DEVIATION, abs=0.14)
    if sampler not in WITH_NOISE:
        error = (sample - exact(noise_of((0, 1))[0])).abs()
        assert error.mean().item() < 0.09
    # The last step goes to no noise at all: what it estimates is what it gives.
    if sampler not in ENDING_BY_HISTORY:
        assert proxy.latest is not None
        assert torch.allclose(proxy.latest.denoised(), sample, atol=4e-3)


@pytest.mark.parametrize(("sampler", "schedule"), PAIRS)
def test_any_number_of_steps_is_done_and_no_more(sampler: str, schedule: str) -> None:
    for steps, shift in ((1, 3.0), (2, 1.0), (3, 20.0), (16, 3.0)):
        sample, proxy = run(sampler, schedule, steps, seeds=(0,), shift=shift)
        assert torch.isfinite(sample).all(), steps
        calls = len(proxy.timesteps)
        assert proxy.timesteps[0].item() == pytest.approx(1000)
        twice = sampler in ("Heun", "DPM2", "DPM2 a", "DPM++ SDE", "DPM++ 2S a")
        once_at_first = sampler in ("Heun", "DPM2", "DPM2 a") and steps > 1
        more = int(sampler == "PLMS" and steps > 2)
        assert calls == (2 * steps - 1 - once_at_first if twice else steps + more), steps
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.05)


def in_hops(sampler: str, schedule: str, steps: int) -> torch.Tensor:
    """Stop after every place, and go on in new objects from what a file would hold."""
    sample, generators = noise_of((0, 1))
    state: SamplingState | None = None
    while state is None or state.place < state.places:
        if state is not None:
            generators = [torch.Generator() for _ in state.generators]
            for generator, kept in zip(generators, state.generators, strict=True):
                generator.set_state(kept)
        proxy = shown(sampler, schedule, steps, generators=generators, state=state)
        proxy.set_timesteps(steps)
        proxy.set_begin_index(0)
        timestep = proxy.timesteps[0]
        sample = proxy.step(flow(sample, float(timestep)), timestep, sample, return_dict=False)[0]
        assert proxy.state is not None
        tensors, rest = pack(proxy.state)
        state = unpack(tensors, rest, "cpu")
        assert torch.equal(state.latents, sample)
    return sample


@pytest.mark.parametrize(("sampler", "schedule"), [pair for pair in PAIRS if pair[1] in ("Automatic", "Karras")])
def test_it_goes_on_after_every_place_to_the_same_bits(sampler: str, schedule: str) -> None:
    assert torch.equal(in_hops(sampler, schedule, 6), run(sampler, schedule, 6)[0])


@pytest.mark.parametrize("sampler", NAMES)
def test_picture_i_of_a_batch_comes_from_its_own_generator(sampler: str) -> None:
    together, _ = run(sampler, "SGM Uniform", 6, seeds=(4, 5, 6))
    alone, _ = run(sampler, "SGM Uniform", 6, seeds=(5,))
    assert torch.allclose(together[1:2], alone, atol=1e-6)
    assert (sampler in WITH_NOISE) != torch.allclose(alone, exact(noise_of((5,))[0]), atol=0.8)


@pytest.mark.parametrize("sampler", NAMES)
def test_a_pass_begins_at_any_step(sampler: str) -> None:
    whole = shown(sampler, "SGM Uniform", 8)
    whole.set_timesteps(8)
    of_steps = list(dict.fromkeys(flow_levels("SGM Uniform", 8, {"shift": 3.0}, None) * 1000))
    for begin in range(8):
        proxy = shown(sampler, "SGM Uniform", 8, generators=noise_of((0,))[1], begin=begin)
        proxy.set_timesteps(8)
        proxy.set_begin_index(0)
        assert proxy.timesteps[0].item() == pytest.approx(of_steps[begin])
        start = exact(noise_of((0,))[0])
        sample = torch.lerp(start, noise_of((1,))[0], of_steps[begin] / 1000)
        for timestep in proxy.timesteps:
            sample = proxy.step(flow(sample, float(timestep)), timestep, sample, return_dict=False)[0]
        assert sample.mean().item() == pytest.approx(MEAN, abs=0.07)
        assert sample.std().item() == pytest.approx(0.4, abs=0.2)


def test_the_models_own_list_with_euler_is_the_models_own_scheduler() -> None:
    own = FlowMatchEulerDiscreteScheduler(shift=3.0)
    made = choose_sampler(own, "Euler", "Automatic", 7).scheduler
    assert type(made) is FlowMatchEulerDiscreteScheduler and made is not own
    made.set_timesteps(7)
    own.set_timesteps(7)
    assert torch.equal(made.timesteps, own.timesteps)


@pytest.mark.parametrize("sampler", ["DPM++ 2M", "DDIM", "Euler a", "LMS"])
def test_automatic_is_the_models_own_list(sampler: str) -> None:
    own = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.02)
    sigmas = np.linspace(1, 1 / 9, 9)
    proxy = SchedulerProxy(choose_sampler(own, sampler, "Automatic", 9))
    proxy.set_timesteps(sigmas=sigmas, mu=0.8, device="cpu")
    own.set_timesteps(sigmas=sigmas, mu=0.8)
    assert torch.equal(proxy.timesteps, own.timesteps)
    assert torch.allclose(proxy.sigmas, own.sigmas, atol=3e-4)
    assert proxy.sigmas[-1] == 0


def test_evenly_spaced_steps_are_those_that_flow_pipelines_ask_for() -> None:
    config = dict(FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True).config)
    own = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    own.set_timesteps(sigmas=np.linspace(1, 1 / 12, 12), mu=1.1)
    assert np.allclose(flow_levels("SGM Uniform", 12, config, 1.1), own.sigmas[:-1])
    time = np.linspace(1, 1 / 1000, 12)
    shift = np.exp(1.1)
    assert np.allclose(flow_levels("Uniform", 12, config, 1.1), shift * time / (1 + (shift - 1) * time), rtol=1e-5)


@pytest.mark.parametrize("schedule", ["Karras", "Exponential", "Beta"])
def test_other_schedules_spread_t_as_diffusers_flow_scheduler_does(schedule: str) -> None:
    config = {"shift": 2.5, "num_train_timesteps": 1000}
    lowest = 2.5 / 1000 / (1 + 1.5 / 1000)
    levels = flow_levels(schedule, 12, config, None)
    assert levels[0] == pytest.approx(1) and levels[-1] == pytest.approx(lowest, rel=1e-3)
    assert (np.diff(levels) < 0).all()
    place = np.linspace(0, 1, 12)
    if schedule == "Exponential":
        assert levels == pytest.approx(lowest**place, rel=1e-4)
    if schedule == "Karras":
        assert levels == pytest.approx((1 + place * (lowest ** (1 / 7) - 1)) ** 7, rel=1e-4)


def test_the_steps_end_where_the_model_wants_its_last_one() -> None:
    config = dict(FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.02).config)
    for schedule in ("Uniform", "SGM Uniform", "Karras", "Exponential", "Beta"):
        assert flow_levels(schedule, 10, config, 0.9)[-1] == pytest.approx(0.02, rel=1e-3), schedule
        assert flow_levels(schedule, 1, config, 0.9).tolist() == [1.0], schedule


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("schedule", ["Automatic", "SGM Uniform"])
@pytest.mark.parametrize("sampler", ["Euler", "UniPC"])
def test_a_shift_that_was_asked_for_is_the_one_that_is_drawn_with(sampler: str, schedule: str, dynamic: bool) -> None:
    own = FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=dynamic)
    proxy = SchedulerProxy(choose_sampler(own, sampler, schedule, 8, shift=7.0))
    proxy.set_timesteps(sigmas=np.linspace(1, 1 / 8, 8), mu=0.5)
    time = np.linspace(1, 1 / 8, 8)
    assert proxy.timesteps.numpy() == pytest.approx(1000 * 7 * time / (1 + 6 * time), rel=1e-4)
    assert own.config.shift == 3.0


def test_one_step_is_from_noise_to_the_end_where_the_model_has_a_last_level_too() -> None:
    """Stretching one step to end there divides nothing by nothing."""
    own = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.02)
    for sampler, schedule in itertools.product(("Euler", "UniPC"), ("Automatic", "Karras")):
        proxy = SchedulerProxy(choose_sampler(own, sampler, schedule, 1))
        proxy.set_timesteps(sigmas=[1.0], mu=0.5)
        assert proxy.timesteps.tolist() == [1000.0]


def test_a_model_that_came_with_another_solver_of_flows_gets_every_sampler_too() -> None:
    """Sana's is DPM++ with flow sigmas, and its list is that of no other."""
    options: dict[str, Any] = {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": 3.0}
    own = DPMSolverMultistepScheduler(**options)
    assert type(choose_sampler(own, "DPM++ 2M", "Automatic", 12).scheduler) is DPMSolverMultistepScheduler
    for sampler, schedule in PAIRS:
        sample, generators = noise_of((0,))
        proxy = SchedulerProxy(choose_sampler(own, sampler, schedule, 12), generators)
        proxy.set_timesteps(12, device="cpu")
        for timestep in proxy.timesteps:
            sample = proxy.step(flow(sample, float(timestep)), timestep, sample, return_dict=False)[0]
        assert torch.isfinite(sample).all()
        assert sample.mean().item() == pytest.approx(MEAN, abs=0.06), (sampler, schedule)


def test_a_model_of_few_steps_keeps_its_own_whatever_is_asked_for() -> None:
    own = SCMScheduler()
    assert keeps_its_own(own)
    assert type(choose_sampler(own, "Euler", "Karras", 2).scheduler) is SCMScheduler
    assert not keeps_its_own(FlowMatchEulerDiscreteScheduler()) and not keeps_its_own(LCMScheduler())


def test_noise_is_added_as_flows_have_it() -> None:
    proxy = shown("DPM++ 2M", "Karras", 5)
    clean, noise = torch.ones(2, 3, 4), torch.zeros(2, 3, 4)
    assert torch.allclose(proxy.scale_noise(clean, torch.tensor([250.0]), noise), torch.full((2, 3, 4), 0.75))
    each = proxy.scale_noise(clean, torch.tensor([0.0, 1000.0]), noise)
    assert torch.equal(each[0], clean[0]) and torch.equal(each[1], noise[1])
