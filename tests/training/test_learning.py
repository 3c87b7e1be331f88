"""The gradient of a batch is the same, however many copies of the networks compute it."""

from __future__ import annotations

import copy

import pytest
import torch
from objective import Objective
from replicas import Replicas
from torch import nn


def squared(network: nn.Module, values: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    loss: torch.Tensor = (network(values).float() - wanted).square().mean()
    return loss


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_copies_add_up_to_the_gradient_of_the_whole(workers: int) -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4))
    whole = copy.deepcopy(network)
    values, wanted = torch.randn(22, 8), torch.randn(22, 4)
    with torch.autocast("cpu", torch.bfloat16):
        expected = squared(whole, values, wanted)
    expected.backward()
    wanted_loss = expected.item()
    threads = torch.get_num_threads()
    try:
        replicas = Replicas([network], workers)
        for _ in range(2):  # the second adds to the first, as gradients do
            loss = replicas.backward(squared, values, wanted, micro=4)
    finally:
        torch.set_num_threads(threads)
    assert loss == pytest.approx(wanted_loss, rel=0.02)
    for mine, theirs in zip(network.parameters(), whole.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(mine.grad, 2 * theirs.grad, atol=0.01)


class Words(nn.Module):
    """Stands for the text encoder: tells the tokens on."""

    def forward(self, tokens: torch.Tensor) -> object:
        class Read:
            last_hidden_state = tokens

        return Read


def test_a_network_that_knows_the_velocity_loses_nothing_and_the_last_step_counts() -> None:
    objective = Objective(torch.device("cpu"))
    latents, noise = torch.randn(4, 2, 3, 3), torch.randn(4, 2, 3, 3)
    timesteps = torch.tensor([0, 300, 700, 999])
    assert float(objective.signal[999]) == pytest.approx(0, abs=1e-6)  # zero terminal SNR
    assert float(objective.weights[999]) > 0

    class Knows(nn.Module):
        def forward(self, seen: torch.Tensor, times: torch.Tensor, words: torch.Tensor) -> object:
            signal, level = objective.signal[times, None, None, None], objective.noise[times, None, None, None]
            assert torch.allclose(seen, signal * latents + level * noise)

            class Said:
                sample = signal * noise - level * latents

            return Said

    loss = objective(Knows(), Words(), latents, torch.zeros(4, 2), timesteps, noise)
    assert loss.item() == pytest.approx(0, abs=1e-9)
