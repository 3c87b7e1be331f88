"""Another part of the noise that samplers add, and churn: at both ends they are samplers that are known."""

import inspect
from typing import Any

import pytest
import torch

from modules.engine.samplers.churn import Churned
from modules.engine.samplers.estimate import level_of
from modules.engine.samplers.places import begin_at
from modules.engine.samplers.table import build_sampler
from modules.jobs.kinds.base import Noise
from modules.jobs.samplers import SAMPLERS

STEPS = 10
CONFIG = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "steps_offset": 1, "prediction_type": "epsilon", "timestep_spacing": "leading",
}  # fmt: skip
ADDING = [one.name for one in SAMPLERS if one.eta == 1]
CHURNING = [one.name for one in SAMPLERS if one.churns]
SPREAD = 0.3  # of the pictures that the denoiser knows


def made(name: str, noise: Noise | None) -> Any:
    schedule = "Automatic" if name == "DDIM" else "Karras"
    sampler = build_sampler(name, schedule, CONFIG, STEPS, noise)
    sampler.set_timesteps(STEPS)
    begin_at(sampler.scheduler, 0)
    return sampler.scheduler


def drawn(
    name: str, noise: Noise | None, seen: list[tuple[float, float]] | None = None, spread: float = SPREAD
) -> torch.Tensor:
    """Return what a sampler makes of noise with a denoiser that knows the answer: pictures are noise of one spread."""
    scheduler = made(name, noise)
    generator = torch.Generator().manual_seed(3)
    sample = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    sample = sample * float(scheduler.init_noise_sigma)
    for place, timestep in enumerate(scheduler.timesteps):
        level = level_of(scheduler, place, timestep)
        given = scheduler.scale_model_input(sample, timestep) * (1 + level**2) ** 0.5
        if seen is not None:
            seen.append((level, float(given.std())))
        said = given * level / (level**2 + spread**2)
        known = inspect.signature(scheduler.step).parameters
        more = {"generator": generator} if "generator" in known else {}
        sample = scheduler.step(said, timestep, sample, **more).prev_sample
    return sample


@pytest.mark.parametrize("name", ADDING)
def test_in_full_it_is_the_sampler_itself(name: str) -> None:
    usual = drawn(name, None)
    assert torch.allclose(drawn(name, Noise(eta=1.0)), usual, atol=1e-5)
    assert not torch.allclose(drawn(name, Noise(eta=0.7)), usual, atol=1e-2)
    assert not torch.allclose(drawn(name, Noise(eta=1.0, strength=0.9)), usual, atol=1e-2)


@pytest.mark.parametrize(
    ("name", "without"), [("Euler a", "Euler"), ("DPM2 a", "DPM2"), ("DPM++ 2M SDE", "DPM++ 2M"), ("DDIM", "DDIM")]
)
def test_without_noise_it_is_its_plain_sibling(name: str, without: str) -> None:
    assert torch.allclose(drawn(name, Noise(eta=0.0)), drawn(without, None), atol=1e-5)


@pytest.mark.parametrize("name", CHURNING)
def test_with_next_to_no_churn_it_is_the_plain_sampler(name: str) -> None:
    assert torch.allclose(drawn(name, Noise(churn=1e-9)), drawn(name, None), atol=1e-3)
    above_all = Noise(churn=5.0, lowest=100.0)
    assert torch.allclose(drawn(name, above_all), drawn(name, None), atol=1e-3), "no level is as high"


@pytest.mark.parametrize(
    ("name", "noise"),
    [(name, Noise(churn=3.0)) for name in CHURNING]
    + [(name, Noise(eta=0.5)) for name in ADDING]
    + [("DDIM", Noise(eta=1.0))],
)
def test_the_denoiser_is_shown_as_much_noise_as_it_is_told_of(name: str, noise: Noise) -> None:
    """Where there is one picture, and that is nothing, each sample is noise of just its level."""
    seen: list[tuple[float, float]] = []
    drawn(name, noise, seen, spread=0.0)
    assert len(seen) >= STEPS
    for level, spread in seen:
        assert spread == pytest.approx(level, rel=0.1)


def test_churn_raises_the_levels_between_its_bounds_and_no_others() -> None:
    plain = made("Euler", None).sigmas[:-1]
    churned = made("Euler", Noise(churn=2.0, lowest=0.5, highest=5.0)).sigmas[:-1]
    between = (plain >= 0.5) & (plain <= 5.0)
    assert between.any() and not between.all()
    assert torch.allclose(churned[between] / plain[between], torch.tensor(1 + 2.0 / STEPS))
    assert torch.equal(churned[~between], plain[~between])
    most = made("Euler", Noise(churn=100.0)).sigmas[:-1]
    assert torch.allclose(most / plain, torch.tensor(2**0.5)), "each step goes back by 41 in 100 at most"


def test_a_picture_that_a_churned_pass_begins_with_has_the_noise_of_its_step() -> None:
    scheduler = made("Heun", Noise(churn=2.0))
    assert isinstance(scheduler, Churned)
    clean, noise, place = torch.full((1, 4, 8, 8), 2.0), torch.ones(1, 4, 8, 8), 4
    assert torch.allclose(scheduler.noised_at(clean, noise, place), 2 + noise * scheduler.sigmas[place])
