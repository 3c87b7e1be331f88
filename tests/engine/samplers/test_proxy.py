"""What a pipeline sees in the place of a scheduler, and what is seen of its steps."""

import inspect
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import retrieve_timesteps

from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.table import SOLVERS, build_sampler
from modules.jobs.samplers import SAMPLERS
from tests.engine.samplers.shown import shown
from tests.engine.tiny import PLAIN, TERMINAL_NOISE

STEPS = 10
NAMES = [sampler.name for sampler in SAMPLERS]


@pytest.mark.parametrize("sampler", NAMES)
def test_it_has_the_signatures_of_diffusers_own(sampler: str) -> None:
    """Pipelines ask by them what they may pass: eta, generator, sigmas, timesteps."""
    proxy = shown(sampler, "Automatic", PLAIN, STEPS)
    stock = next(one for one in SOLVERS[sampler].scheduler.__mro__ if one.__module__.startswith("diffusers."))
    assert isinstance(proxy, stock)
    assert hasattr(proxy, "set_begin_index") == hasattr(stock, "set_begin_index")
    asked = {name: set(inspect.signature(getattr(stock, name)).parameters) for name in ("step", "set_timesteps")}
    ours = {name: set(inspect.signature(getattr(proxy, name)).parameters) for name in asked}
    assert ours["set_timesteps"] | {"self"} == asked["set_timesteps"]
    assert ours["step"] | {"self"} >= asked["step"]


def test_a_pipeline_may_pass_noise_levels_of_its_own() -> None:
    sigmas, proxy = [9.0, 5.0, 2.0, 0.5, 0.0], shown("Euler", "Automatic", PLAIN, 4)
    timesteps, count = retrieve_timesteps(proxy, 4, sigmas=sigmas)
    assert (len(timesteps), count) == (4, 4)
    assert proxy.sigmas.tolist() == sigmas


@pytest.mark.parametrize("config", [PLAIN, TERMINAL_NOISE], ids=["plain", "terminal noise"])
@pytest.mark.parametrize("sampler", NAMES)
def test_the_list_begins_at_any_step(sampler: str, config: dict[str, Any]) -> None:
    whole = shown("LCM" if sampler == "LCM" else "Euler", "SGM Uniform", config, STEPS)
    whole.set_timesteps(STEPS)
    for begin in range(STEPS):
        proxy = SchedulerProxy(build_sampler(sampler, "SGM Uniform", config, STEPS), begin=begin)
        proxy.set_timesteps(STEPS)
        assert float(proxy.timesteps[0]) == pytest.approx(float(whole.timesteps[begin]), abs=1)
        assert proxy.standing == (0, len(proxy.timesteps))


@pytest.mark.parametrize("sampler", NAMES)
def test_a_part_of_the_list_and_the_rest_are_the_whole_list(sampler: str) -> None:
    def part(begin: int, end: int | None) -> tuple[list[float], int]:
        proxy = SchedulerProxy(build_sampler(sampler, "Automatic", PLAIN, STEPS), begin=begin, end=end)
        proxy.set_timesteps(STEPS)
        return proxy.timesteps.tolist(), proxy.standing[1]

    whole, parts = part(0, None), (part(0, 6), part(6, None))
    assert [len(times) for times, _places in parts] == [places for _times, places in parts]
    # PLMS asks twice about where a pass goes on, so that place is there in both parts.
    assert [*dict.fromkeys(parts[0][0] + parts[1][0])] == [*dict.fromkeys(whole[0])]


@pytest.mark.filterwarnings("ignore:The `scale_model_input` function should be called")
@pytest.mark.parametrize("sampler", NAMES)
def test_the_first_step_of_a_tail_knows_its_noise_level(sampler: str) -> None:
    """Flow pipelines call nothing that lets a scheduler count before its first step."""
    told: list[Step] = []
    proxy = SchedulerProxy(
        build_sampler(sampler, "Automatic", PLAIN, STEPS), [torch.Generator()], lambda step, _: told.append(step), 5
    )
    proxy.set_timesteps(STEPS)
    sample = torch.ones(1, 4, 2, 2)
    proxy.step(sample, proxy.timesteps[0], sample)
    alphas_cumprod = DDIMScheduler.from_config(PLAIN).alphas_cumprod
    signal = alphas_cumprod[int(proxy.timesteps[0])]
    assert told[0].sigma == pytest.approx(float(((1 - signal) / signal) ** 0.5), rel=0.02)


def test_a_sampler_that_draws_noise_gets_the_generators_of_the_pictures() -> None:
    """Flow pipelines forget them."""

    drawn = []
    for seed in (1, 1, 2):
        generators = [torch.Generator().manual_seed(seed)]
        proxy = SchedulerProxy(build_sampler("Euler a", "Automatic", PLAIN, STEPS), generators)
        proxy.set_timesteps(STEPS)
        sample = torch.ones(1, 4, 2, 2)
        drawn.append(proxy.step(sample, proxy.timesteps[0], sample).prev_sample)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
