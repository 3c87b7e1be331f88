"""A flow model whose answer and whose exact solution are known: pictures whose values are normally distributed."""

from collections.abc import Callable, Sequence

import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from modules.engine.samplers.choice import choose_sampler
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.state import SamplingState

MEAN, DEVIATION = 0.7, 0.5
SHAPE = (1, 4, 16, 16)

Denoise = Callable[[torch.Tensor, float], torch.Tensor]


def flow(sample: torch.Tensor, timestep: float) -> torch.Tensor:
    """Return noise - clean as the best of all models says it."""
    t = timestep / 1000
    signal, known = 1 - t, sample.double()
    variance = (signal * DEVIATION) ** 2 + t**2
    clean = MEAN + signal * DEVIATION**2 / variance * (known - signal * MEAN)
    noise = t / variance * (known - signal * MEAN)
    return (noise - clean).float()


def noise_of(seeds: Sequence[int]) -> tuple[torch.Tensor, list[torch.Generator]]:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.cat([torch.randn(SHAPE, generator=generator) for generator in generators]), generators


def exact(noise: torch.Tensor) -> torch.Tensor:
    """Return where the flow leads from there."""
    return MEAN + DEVIATION * noise


def shown(
    sampler: str,
    schedule: str,
    steps: int,
    shift: float = 3.0,
    generators: Sequence[torch.Generator] = (),
    begin: int = 0,
    state: SamplingState | None = None,
) -> SchedulerProxy:
    """Return a sampler as a pipeline of flows sees it."""
    own = FlowMatchEulerDiscreteScheduler(shift=shift)
    return SchedulerProxy(choose_sampler(own, sampler, schedule, steps), generators, begin=begin, state=state)


def run(
    sampler: str, schedule: str, steps: int, seeds: Sequence[int] = (0, 1), shift: float = 3.0, denoise: Denoise = flow
) -> tuple[torch.Tensor, SchedulerProxy]:
    """Sample as a pipeline does."""
    sample, generators = noise_of(seeds)
    proxy = shown(sampler, schedule, steps, shift, generators)
    proxy.set_timesteps(steps)
    for timestep in proxy.timesteps:
        sample = proxy.step(denoise(sample, float(timestep)), timestep, sample, return_dict=False)[0]
    return sample, proxy
