"""A flow model of three narrow heaps of values, whose answer and whose solution are known, and how far samplers stray.

One value is one sample: in one dimension the flow keeps the order of its values, so that sorted ones can be compared,
also of samplers that add noise on the way.
"""

import functools

import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from modules.engine.samplers.choice import choose_sampler
from modules.engine.samplers.proxy import SchedulerProxy

_SHARES, _MEANS, _DEVIATIONS = (
    torch.tensor(values) for values in ((0.3, 0.5, 0.2), (-1.2, 0.1, 1.3), (0.15, 0.3, 0.1))
)
_SAMPLES = 16384


def flow(sample: torch.Tensor, timestep: float) -> torch.Tensor:
    """Return noise - clean as the best of all models says it."""
    t = timestep / 1000
    signal = 1 - t
    variances = (signal * _DEVIATIONS) ** 2 + t**2
    distance = sample[..., None] - signal * _MEANS
    likely = (_SHARES.log() - distance**2 / variances / 2 - variances.log() / 2).softmax(-1)
    clean = _MEANS + signal * _DEVIATIONS**2 / variances * distance
    return (likely * (t / variances * distance - clean)).sum(-1)


def start() -> torch.Tensor:
    return torch.randn(1, _SAMPLES, generator=torch.Generator().manual_seed(0))


@functools.cache
def solution() -> torch.Tensor:
    """Return where the flow leads from the start, sorted: the values with as many below them."""
    noise = start()
    below = torch.special.ndtr(noise.double().flatten().sort().values)
    low, high = torch.full_like(below, -4), torch.full_like(below, 4)
    for _ in range(50):
        middle = (low + high) / 2
        so_many = (_SHARES * torch.special.ndtr((middle[:, None] - _MEANS) / _DEVIATIONS)).sum(-1)
        low, high = torch.where(so_many < below, middle, low), torch.where(so_many < below, high, middle)
    return (low + high) / 2


def strays_by(sampler: str, schedule: str, steps: int, shift: float) -> float:
    """Return how far from the solution a sampler ends, in percent of the standard deviation of what is drawn."""
    own = FlowMatchEulerDiscreteScheduler(shift=shift)
    sample, generators = start(), [torch.Generator().manual_seed(1)]
    goal = solution()
    proxy = SchedulerProxy(choose_sampler(own, sampler, schedule, steps), generators)
    proxy.set_timesteps(steps)
    for timestep in proxy.timesteps:
        sample = proxy.step(flow(sample, float(timestep)), timestep, sample, return_dict=False)[0]
    return 100 * float((sample.double().flatten().sort().values - goal).abs().mean() / goal.std())
