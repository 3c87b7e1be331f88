"""Muon, an optimizer for hidden weight matrices: momentum, made orthogonal before it is applied.

After Keller Jordan (https://kellerjordan.github.io/posts/muon/), with the scale of arXiv:2502.16982, so that a rate
that suits AdamW suits it too. Convolutions count as matrices of (out, in x height x width).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from settings import WORKERS
from torch import nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Bring all singular values of (count, rows, columns) near 1 by Newton-Schulz iteration.

    Each round multiplies by a polynomial of the gram matrix, and all of these commute: so the rounds run on gram
    matrices in float32, and only the product of the polynomials meets the matrices.
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    values = (matrices.mT if tall else matrices).float()
    values = values / values.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    gram = values @ values.mT
    one = torch.eye(gram.shape[-1], device=gram.device).expand_as(gram)
    product = one
    for _ in range(rounds):
        polynomial = a * one + b * gram + c * gram @ gram
        product = polynomial @ product
        gram = polynomial @ gram @ polynomial
    result = product @ values
    return (result.mT if tall else result).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Optimise weights of two or more dimensions; each group may carry a `factor` that the caller uses for its rate."""

    def __init__(self, groups: Iterable[Any], lr: float, momentum: float = 0.95, weight_decay: float = 0.01) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "factor": 1.0})
        self._pool = ThreadPoolExecutor(WORKERS)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Do one update; matrices of one shape are made orthogonal together, on a CPU each shape in its own thread."""
        jobs = []
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[(parameter.shape[0], parameter[0].numel())].append(parameter)
            jobs += [(parameters, group) for parameters in by_shape.values()]
        if jobs and jobs[0][0][0].is_cuda:
            for parameters, group in jobs:
                self._update(parameters, group)
        else:
            jobs.sort(key=lambda job: -sum(parameter.numel() for parameter in job[0]))
            list(self._pool.map(lambda job: self._update(*job), jobs))

    @torch.no_grad()
    def _update(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        directions = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            directions.append(parameter.grad.lerp(state["momentum"], group["momentum"]).flatten(1))
        updates = orthogonalise(torch.stack(directions))
        scale = group["lr"] * 0.2 * max(updates.shape[1:]) ** 0.5
        for parameter, update in zip(parameters, updates, strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.sub_(update.reshape(parameter.shape), alpha=scale)
