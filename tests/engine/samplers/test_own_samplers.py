"""The samplers that diffusers lacks, or has with a mistake, against their formulas as k-diffusion writes them."""

import itertools
import math
from collections.abc import Callable, Iterator

import pytest
import torch

from tests.engine.samplers.shown import shown
from tests.engine.samplers.test_table import SHAPE, gaussian_denoiser, run
from tests.engine.tiny import PLAIN

STEPS = 12
Denoise = Callable[[torch.Tensor, float], torch.Tensor]
Noise = Iterator[torch.Tensor]


def draws(seeds: int) -> Noise:
    """Yield what the pictures' generators draw, one after the other."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    while True:
        yield torch.cat([torch.randn(SHAPE, generator=generator) for generator in generators])


def ancestral_step(start: float, end: float) -> tuple[float, float]:
    up = min(end, (end**2 * (start**2 - end**2) / start**2) ** 0.5)
    return (end**2 - up**2) ** 0.5, up


def dpmpp_sde(sigmas: list[float], x: torch.Tensor, denoise: Denoise, noise: Noise) -> torch.Tensor:
    for start, end in itertools.pairwise(sigmas):
        denoised = denoise(x, start)
        if end == 0:
            return denoised
        middle = math.exp((math.log(start) + math.log(end)) / 2)
        first = next(noise)
        down, up = ancestral_step(start, middle)
        amid = (down / start) * x - math.expm1(math.log(down) - math.log(start)) * denoised + first * up
        denoised = denoise(amid, middle)
        motion = first * (start - middle) ** 0.5 + next(noise) * (middle - end) ** 0.5
        down, up = ancestral_step(start, end)
        x = (down / start) * x - math.expm1(math.log(down) - math.log(start)) * denoised
        x = x + motion / (start - end) ** 0.5 * up
    return x


def dpmpp_2s_ancestral(sigmas: list[float], x: torch.Tensor, denoise: Denoise, noise: Noise) -> torch.Tensor:
    for start, end in itertools.pairwise(sigmas):
        denoised = denoise(x, start)
        down, up = ancestral_step(start, end)
        if down == 0:
            return denoised
        step = math.log(start) - math.log(down)
        amid = math.exp(-step / 2) * x - math.expm1(-step / 2) * denoised
        x = math.exp(-step) * x - math.expm1(-step) * denoise(amid, start * math.exp(-step / 2))
        x = x + next(noise) * up
    return x


def dpmpp_3m_sde(sigmas: list[float], x: torch.Tensor, denoise: Denoise, noise: Noise) -> torch.Tensor:
    """As k-diffusion has it with eta 1; the two last steps of few are of lower order, as with diffusers."""
    past: list[tuple[float, torch.Tensor]] = []
    for place, (start, end) in enumerate(itertools.pairwise(sigmas)):
        denoised = denoise(x, start)
        drawn = next(noise)
        if end == 0:
            return denoised
        h = math.log(start) - math.log(end)
        x = math.exp(-2 * h) * x - math.expm1(-2 * h) * denoised
        phi_2 = math.expm1(-2 * h) / (2 * h) + 1
        if past:
            r0 = past[-1][0] / h
            near = (denoised - past[-1][1]) / r0
            if len(past) > 1 and place < len(sigmas) - 3:
                r1 = past[-2][0] / h
                far = (past[-1][1] - past[-2][1]) / r1
                phi_3 = phi_2 / (2 * h) - 0.5
                x = x + phi_2 * (near + (near - far) * r0 / (r0 + r1)) - phi_3 * (near - far) / (r0 + r1)
            else:  # diffusers' "midpoint" second order
                x = x - math.expm1(-2 * h) / 2 * near
        x = x + drawn * end * (-math.expm1(-2 * h)) ** 0.5
        past.append((h, denoised))
    return x


@pytest.mark.parametrize(
    ("sampler", "reference"),
    [("DPM++ SDE", dpmpp_sde), ("DPM++ 2S a", dpmpp_2s_ancestral), ("DPM++ 3M SDE", dpmpp_3m_sde)],
)
@pytest.mark.parametrize("schedule", ["Karras", "Exponential"])
def test_own_samplers_follow_their_formulas(
    sampler: str, schedule: str, reference: Callable[[list[float], torch.Tensor, Denoise, Noise], torch.Tensor]
) -> None:
    scheduler = shown(sampler, schedule, PLAIN, STEPS)
    epsilon = gaussian_denoiser(scheduler)
    ours = run(scheduler, STEPS, epsilon)
    sigmas = [float(sigma) for sigma in dict.fromkeys(scheduler.sigmas.tolist())]
    levels = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod).double().sqrt()

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        above = int((levels < sigma).sum().clamp(1, 999))
        low, high = levels[above - 1].log(), levels[above].log()
        timestep = above - 1 + float((math.log(sigma) - low) / (high - low))
        return x - sigma * epsilon(x / (sigma**2 + 1) ** 0.5, min(max(timestep, 0.0), 999.0))

    noise = draws(2)
    x = next(noise).double() * sigmas[0]
    assert torch.allclose(ours.double(), reference(sigmas, x, denoise, noise), atol=5e-3)
