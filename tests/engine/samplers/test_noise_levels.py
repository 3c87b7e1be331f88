"""Euler a and LCM over the noise levels of any schedule type, against the formulas in float64."""

import numpy as np
import pytest
import scipy.stats
import torch

from tests.engine.samplers.shown import shown
from tests.engine.tiny import PLAIN

STEPS = 12
SCHEDULES = ["Karras", "Exponential", "Beta"]


def levels_of_model() -> np.ndarray:
    """Return the noise level of each timestep."""
    betas = np.linspace(PLAIN["beta_start"] ** 0.5, PLAIN["beta_end"] ** 0.5, 1000) ** 2  # type: ignore[operator]
    signal = np.cumprod(1 - betas)
    return np.sqrt((1 - signal) / signal)


def formula(schedule: str, lowest: float, highest: float) -> np.ndarray:
    """Return the levels as published: Karras et al. 2022, equation 5, with rho 7; evenly in the logarithm; beta."""
    place = np.linspace(0, 1, STEPS)
    if schedule == "Karras":
        return np.append((highest ** (1 / 7) + place * (lowest ** (1 / 7) - highest ** (1 / 7))) ** 7, 0)
    if schedule == "Exponential":
        return np.append(np.exp(np.log(highest) + place * (np.log(lowest) - np.log(highest))), 0)
    return np.append(lowest + scipy.stats.beta.ppf(1 - place, 0.6, 0.6) * (highest - lowest), 0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("sampler", "lowest"), [("Euler a", 0), ("LCM", 19)])
def test_the_levels_are_those_of_the_formula(sampler: str, lowest: int, schedule: str) -> None:
    known = levels_of_model()
    scheduler = shown(sampler, schedule, PLAIN, STEPS)
    scheduler.set_timesteps(STEPS)
    expected = formula(schedule, known[lowest], known[999])
    assert scheduler.sigmas.numpy() == pytest.approx(expected, rel=1e-4)
    # The network is told of the same level, LCM's of the nearest that it knows.
    asked = np.interp(scheduler.timesteps.numpy(), np.arange(1000), known)
    if sampler == "LCM":
        ladder = known[19::20]
        asked_for = ladder[np.abs(np.log(expected[:-1, None] / ladder)).argmin(axis=1)]
        assert asked == pytest.approx(asked_for, rel=1e-4)
    else:
        assert asked == pytest.approx(expected[:-1], rel=1e-2)


@pytest.mark.parametrize(("schedule", "last"), [("Uniform", 19), ("SGM Uniform", 999 - 11 * 980 / 12)])
def test_evenly_spaced_levels_of_lcm_end_where_a1111s_do(schedule: str, last: float) -> None:
    scheduler = shown("LCM", schedule, PLAIN, STEPS)
    scheduler.set_timesteps(STEPS)
    known = np.log(levels_of_model()[19::20])
    expected = np.exp(np.interp(np.linspace(999, last, STEPS), np.arange(19, 1000, 20), known))
    assert scheduler.sigmas.numpy()[:-1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("place", [0, 5, STEPS - 1])
def test_a_step_of_euler_a_is_that_of_the_formula(schedule: str, place: int) -> None:
    scheduler = shown("Euler a", schedule, PLAIN, STEPS)
    scheduler.set_timesteps(STEPS)
    now, later = formula(schedule, levels_of_model()[0], levels_of_model()[999])[place : place + 2]
    sample, output, noise = step_at(scheduler, place)
    up = (later**2 * (now**2 - later**2) / now**2) ** 0.5
    down = (later**2 - up**2) ** 0.5
    expected = sample.double() + output.double() * (down - now) + noise.double() * up
    assert torch.allclose(stepped_at(scheduler, place, sample, output).double(), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("place", [0, 5, STEPS - 1])
def test_a_step_of_lcm_is_that_of_the_formula(schedule: str, place: int) -> None:
    scheduler = shown("LCM", schedule, PLAIN, STEPS)
    scheduler.set_timesteps(STEPS)
    now, later = formula(schedule, levels_of_model()[19], levels_of_model()[999])[place : place + 2]
    sample, output, noise = step_at(scheduler, place)
    scaled = float(scheduler.timesteps[place]) * 10
    denoised = sample.double() - now * output.double()
    consistent = scaled / (scaled**2 + 0.25) ** 0.5 * denoised + 0.25 / (scaled**2 + 0.25) * sample.double()
    expected = consistent + later * noise.double()
    assert torch.allclose(stepped_at(scheduler, place, sample, output).double(), expected, rtol=1e-4, atol=1e-3)


def step_at(scheduler: object, place: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a sample, what the network says, and the noise that a generator with seed 3 draws."""
    draw = torch.Generator().manual_seed(place)
    sample, output = (torch.randn((1, 4, 8, 8), generator=draw) for _ in range(2))
    return sample * 5, output, torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))


def stepped_at(scheduler: object, place: int, sample: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    scheduler.set_begin_index(place)  # type: ignore[attr-defined]
    stepped: torch.Tensor = scheduler.step(  # type: ignore[attr-defined]
        output, scheduler.timesteps[place], sample,  # type: ignore[attr-defined]
        generator=torch.Generator().manual_seed(3), return_dict=False,
    )[0]  # fmt: skip
    return stepped
