"""Compute gradients of one batch on several cores: one copy of the networks a core, one thread a copy.

On two cores this is 1.4 times as fast as two threads inside each operator, and it suffers less where other programs
want the cores too: the copies wait for each other once a step, not once an operator. All copies share the storage of
the weights. Set OMP_NUM_THREADS=1 in the environment.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn


class Replicas:
    """Hold `workers` copies of some networks; the first copy is the networks themselves."""

    def __init__(self, networks: Sequence[nn.Module], workers: int) -> None:
        torch.set_num_threads(1)
        self._copies = [tuple(networks)]
        for _ in range(workers - 1):
            twins = tuple(copy.deepcopy(network) for network in networks)
            for twin, network in zip(twins, networks, strict=True):
                for mine, original in zip(twin.parameters(), network.parameters(), strict=True):
                    mine.data = original.data
            self._copies.append(twins)
        self._pool = ThreadPoolExecutor(workers)

    def backward(self, loss: Callable[..., torch.Tensor], *batch: torch.Tensor) -> float:
        """Split `batch` among the copies, add the gradients of the mean loss to the first, return that loss.

        `loss` gets the networks and its share of each tensor, and returns the mean over its share.
        """
        shares = zip(*(tensor.chunk(len(self._copies)) for tensor in batch), strict=True)
        jobs = [
            self._pool.submit(self._one, loss, networks, share)
            for networks, share in zip(self._copies, shares, strict=True)
        ]
        values = [job.result() for job in jobs]
        for twins in self._copies[1:]:
            for twin, network in zip(twins, self._copies[0], strict=True):
                for mine, original in zip(twin.parameters(), network.parameters(), strict=True):
                    if mine.grad is not None and original.grad is not None:
                        original.grad.add_(mine.grad)
                    mine.grad = None
        return sum(values)

    def _one(
        self, loss: Callable[..., torch.Tensor], networks: tuple[nn.Module, ...], share: tuple[torch.Tensor, ...]
    ) -> float:
        torch.set_num_threads(1)
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(*networks, *share) / len(self._copies)
        value.backward()
        return value.item()
