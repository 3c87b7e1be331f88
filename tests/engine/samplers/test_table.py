"""Every sampler with every schedule it goes with, against the exact solution and against diffusers' own schedulers."""

import inspect
from collections.abc import Callable
from typing import Any

import diffusers
import pytest
import torch

from modules.engine.samplers.table import SOLVERS
from modules.engine.samplers.terminal_noise import TERMINAL_ALPHA_CUMPROD, FromTerminalNoise, rescaled_betas
from modules.jobs.samplers import SAMPLERS
from tests.engine.samplers.shown import shown
from tests.engine.tiny import PLAIN, TERMINAL_NOISE

PAIRS = [(sampler.name, schedule) for sampler in SAMPLERS for schedule in sampler.schedules]
MEAN, DEVIATION = 0.7, 0.5
SHAPE = (1, 4, 16, 16)


def gaussian_denoiser(scheduler: Any) -> Callable[[torch.Tensor, float], torch.Tensor]:
    """Return the exact denoiser for pictures whose values are drawn from a normal distribution."""
    alphas_cumprod = torch.cumprod(1 - scheduler.betas.double(), 0)
    sigmas = ((1 - alphas_cumprod) / alphas_cumprod).sqrt()

    def denoise(scaled: torch.Tensor, timestep: float) -> torch.Tensor:
        low = int(timestep)
        sigma = torch.lerp(sigmas[low], sigmas[min(low + 1, 999)], timestep - low)
        signal = (1 + sigma**2).rsqrt()
        noise = sigma * signal
        variance = (signal * DEVIATION) ** 2 + noise**2
        x0 = MEAN + signal * DEVIATION**2 / variance * (scaled.double() - signal * MEAN)
        epsilon = (scaled - signal * x0) / noise
        velocity = signal * epsilon - noise * x0
        return (velocity if scheduler.config.prediction_type == "v_prediction" else epsilon).float()

    return denoise


def run(scheduler: Any, steps: int, denoise: Callable[[torch.Tensor, float], torch.Tensor], seeds: int = 2) -> Any:
    """Sample as a pipeline does."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    noise = torch.cat([torch.randn(SHAPE, generator=generator) for generator in generators])
    scheduler.set_timesteps(steps)
    takes_generator = "generator" in inspect.signature(scheduler.step).parameters
    more = {"generator": generators} if takes_generator else {}
    sample = noise * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        output = denoise(scheduler.scale_model_input(sample, timestep), float(timestep))
        sample = scheduler.step(output, timestep, sample, return_dict=False, **more)[0]
    return sample


# Their last step looks back too: they end beside what they estimate there.
ENDING_BY_HISTORY = ("LMS", "PLMS")
# Few steps of that schedule are so long in the middle that looking back overshoots.
MANY_STEPS = {
    ("Euler a", "Beta"): 60,
    ("DPM++ 3M SDE", "Beta"): 60,
    ("DPM++ 2M SDE Heun", "Beta"): 60,
    ("DPM2 a", "Beta"): 40,
}
TWO_CALLS = ("DPM++ SDE", "DPM++ 2S a")


@pytest.mark.parametrize(("sampler", "schedule"), PAIRS)
@pytest.mark.parametrize(
    "config", [PLAIN | {"set_alpha_to_one": True}, TERMINAL_NOISE], ids=["plain", "terminal noise"]
)
def test_samples_end_near_the_truth(sampler: str, schedule: str, config: dict[str, Any]) -> None:
    steps = MANY_STEPS.get((sampler, schedule), 20)
    scheduler = shown(sampler, schedule, config, steps)
    sample = run(scheduler, steps, gaussian_denoiser(scheduler))
    assert torch.isfinite(sample).all()
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.03)
    # LCM draws the mean of what is likely at each step, so it is narrower by its nature.
    assert (0.28 if sampler == "LCM" else 0.38) < sample.std().item() < 0.68
    # The last step goes to no noise at all: what it estimates is what it gives.
    if sampler not in ENDING_BY_HISTORY:
        assert scheduler.latest is not None
        assert torch.allclose(scheduler.latest.denoised(), sample, atol=2e-3)


@pytest.mark.parametrize(("sampler", "schedule"), PAIRS)
def test_one_step_from_pure_noise_gives_the_mean(sampler: str, schedule: str) -> None:
    scheduler = shown(sampler, schedule, TERMINAL_NOISE, 1)
    sample = run(scheduler, 1, gaussian_denoiser(scheduler))
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert sample.std().item() < 0.01


def calls_of(sampler: str, steps: int) -> int:
    """Return how often the denoiser is called from pure noise."""
    if sampler in ("Heun", "DPM2", "DPM2 a"):
        return 2 * steps - 2
    if sampler == "PLMS":
        return steps + 1 if steps > 2 else steps
    return 2 * steps - 1 if sampler in TWO_CALLS else steps


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_what_is_seen_in_pure_noise_is_soon_forgotten(sampler: str) -> None:
    """A network's first idea of a picture, from noise alone, is not its next one, and must not weigh hundredfold."""
    scheduler = shown(sampler, "Automatic", TERMINAL_NOISE, 20)
    exact = gaussian_denoiser(scheduler)

    def denoise(scaled: torch.Tensor, timestep: float) -> torch.Tensor:
        return exact(scaled, timestep) + (0.3 if timestep == 999 else 0.0)

    sample = run(scheduler, 20, denoise)
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.2)
    assert sample.std().item() < 0.8


@pytest.mark.parametrize("steps", [2, 61])
@pytest.mark.parametrize(("sampler", "schedule"), PAIRS)
def test_any_number_of_steps_is_done_and_no_more(sampler: str, schedule: str, steps: int) -> None:
    """With 61 steps rounding gives diffusers a 62nd, at timestep -1."""
    scheduler = shown(sampler, schedule, TERMINAL_NOISE, steps)
    sample = run(scheduler, steps, gaussian_denoiser(scheduler), seeds=1)
    assert torch.isfinite(sample).all()
    assert scheduler.timesteps[0].item() == pytest.approx(999)
    assert scheduler.timesteps.min() >= 0
    assert len(scheduler.timesteps) == calls_of(sampler, steps)
    if steps > 2:
        assert sample.mean().item() == pytest.approx(MEAN, abs=0.05)


@pytest.mark.parametrize("config", [PLAIN, TERMINAL_NOISE], ids=["plain", "terminal noise"])
def test_a_first_timestep_that_is_there_twice_is_no_trap(config: dict[str, Any]) -> None:
    """Diffusers looks the first timestep up and takes the second place; the last step then has no noise level."""
    scheduler = shown("DPM++ 2M", "Beta", config, 150)
    assert run(scheduler, 150, gaussian_denoiser(scheduler), seeds=1).mean().item() == pytest.approx(MEAN, abs=0.05)


STOCK: dict[str, dict[str, Any]] = {
    "Automatic": {"timestep_spacing": "leading"},
    "Uniform": {"timestep_spacing": "linspace"},
    "SGM Uniform": {"timestep_spacing": "trailing"},
    "Karras": {"use_karras_sigmas": True, "timestep_spacing": "linspace"},
    "Exponential": {"use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "Beta": {"use_beta_sigmas": True, "timestep_spacing": "linspace"},
}
STOCK_CLASS: dict[str, tuple[Any, dict[str, Any]]] = {
    "Euler": (diffusers.EulerDiscreteScheduler, {}),
    "Euler a": (diffusers.EulerAncestralDiscreteScheduler, {}),
    "DDIM": (diffusers.DDIMScheduler, {"clip_sample": False}),
    "DPM++ 2M": (diffusers.DPMSolverMultistepScheduler, {}),
    "DPM++ 2M SDE": (diffusers.DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
    "UniPC": (diffusers.UniPCMultistepScheduler, {}),
    "LCM": (diffusers.LCMScheduler, {}),
    "Heun": (diffusers.HeunDiscreteScheduler, {}),
    "DPM++ 2M SDE Heun": (
        diffusers.DPMSolverMultistepScheduler,
        {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"},
    ),
    "LMS": (diffusers.LMSDiscreteScheduler, {}),
    "DPM2": (diffusers.KDPM2DiscreteScheduler, {}),
    "DPM2 a": (diffusers.KDPM2AncestralDiscreteScheduler, {}),
    "PLMS": (diffusers.PNDMScheduler, {"skip_prk_steps": True}),
    "DEIS": (diffusers.DEISMultistepScheduler, {}),
}
WITHOUT_STOCK = ("DPM++ SDE", "DPM++ 2S a", "DPM++ 3M SDE")  # test_own_samplers.py
AUTOMATIC = {sampler.name: sampler.default_schedule for sampler in SAMPLERS if sampler.default_schedule}
# Over noise levels that diffusers does not offer with these (test_noise_levels.py).
OWN_LEVELS = {("Euler a", schedule) for schedule in ("Karras", "Exponential", "Beta")} | {
    ("LCM", schedule) for schedule in ("Uniform", "SGM Uniform", "Karras", "Exponential", "Beta")
}
# Here the stock one misses the next timestep, where they are not evenly spaced.
UNEVEN = {("PLMS", "SGM Uniform")}


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [pair for pair in PAIRS if pair[0] not in WITHOUT_STOCK and pair not in UNEVEN | OWN_LEVELS],
)
def test_plain_models_sample_exactly_as_with_diffusers_own_scheduler(sampler: str, schedule: str) -> None:
    scheduler_class, options = STOCK_CLASS[sampler]
    stands_for = AUTOMATIC.get(sampler, schedule) if schedule == "Automatic" else schedule
    if (sampler, schedule) in (("DDIM", "Uniform"), ("PLMS", "Uniform")):
        stands_for = "Automatic"  # A1111's DDIM is spaced as diffusers calls "leading".
    stock = scheduler_class.from_config(PLAIN, **options, **STOCK[stands_for])
    ours = shown(sampler, schedule, PLAIN, 20)
    denoise = gaussian_denoiser(ours)
    if sampler == "DEIS":  # The stock one leaves some noise.
        lowest = float(stock.sigmas[-1])
        assert (run(ours, 20, denoise) - run(stock, 20, denoise)).abs().max() < 4 * lowest
    else:
        assert torch.equal(run(ours, 20, denoise), run(stock, 20, denoise))


def test_every_sampler_has_a_scheduler() -> None:
    assert set(SOLVERS) == {sampler.name for sampler in SAMPLERS}


def test_a_checkpoints_own_choices_give_way_to_the_samplers() -> None:
    config = PLAIN | {"use_karras_sigmas": True, "thresholding": True, "algorithm_type": "sde-dpmsolver++"}
    scheduler = shown("DPM++ 2M", "SGM Uniform", config, 10)
    assert not scheduler.config.use_karras_sigmas
    assert not scheduler.config.thresholding
    assert scheduler.config.algorithm_type == "dpmsolver++"


def test_levels_are_spread_for_the_steps_of_a_pass_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some schedulers of diffusers spread all training timesteps while they are made, which takes a step's time."""
    monkeypatch.setattr(FromTerminalNoise, "_spread", lambda *given: pytest.fail("Levels are spread already"))
    for sampler, schedule in PAIRS:
        if sampler in ("Heun", "LMS", "DPM2", "DPM2 a"):
            shown(sampler, schedule, PLAIN, 20)


def test_image_i_draws_the_same_noise_in_any_batch() -> None:
    """Also the samplers that add noise on the way: each picture has a generator of its own."""
    for sampler in ("Euler a", "DPM++ 2M SDE", "LCM", "DPM++ SDE", "DPM++ 3M SDE", "DPM++ 2S a", "DPM2 a"):
        samples = []
        for seeds in (1, 3):
            scheduler = shown(sampler, "Automatic", TERMINAL_NOISE, 5)
            samples.append(run(scheduler, 5, gaussian_denoiser(scheduler), seeds=seeds)[0])
        assert torch.allclose(samples[0], samples[1], atol=1e-5), sampler


def test_rescaled_betas_end_in_pure_noise_as_diffusers_rescales_them() -> None:
    plain = diffusers.EulerDiscreteScheduler.from_config(PLAIN)
    stock = diffusers.EulerDiscreteScheduler.from_config(PLAIN, rescale_betas_zero_snr=True)
    ours = torch.cumprod(1 - torch.tensor(rescaled_betas(plain.betas), dtype=torch.float64), 0)
    assert ours[-1].item() == pytest.approx(TERMINAL_ALPHA_CUMPROD)
    assert torch.allclose(ours.float(), stock.alphas_cumprod, rtol=1e-3)
    assert (ours[1:] < ours[:-1]).all()
