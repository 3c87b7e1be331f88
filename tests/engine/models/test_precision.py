"""Around a denoiser of another number format everything stays float32, and the timestep whole."""

from typing import Any

import torch
from torch import nn

from modules.engine.models.precision import cast_around

HALF = torch.bfloat16


class Denoiser(nn.Module):
    """Keeps what it is given, and gives numbers of its own format in the form of what it was given first."""

    def forward(self, *inputs: Any, **named: Any) -> Any:
        self.inputs, self.named = inputs, named
        return (inputs[0],)


def test_tensors_are_cast_also_in_lists_and_back() -> None:
    """Z-Image takes and gives one tensor a picture."""
    denoiser = Denoiser()
    cast_around(denoiser, HALF)
    pictures = [torch.full((2,), 1.5), torch.ones(3)]
    (given,) = denoiser(pictures, torch.tensor([999.0]), [torch.ones(2)], ids=torch.tensor([7]), flag=True)
    assert [one.dtype for one in denoiser.inputs[0]] == [HALF, HALF]
    assert denoiser.inputs[2][0].dtype == HALF
    assert (denoiser.named["ids"].dtype, denoiser.named["flag"]) == (torch.int64, True)
    assert [one.dtype for one in given] == [torch.float32, torch.float32]
    assert torch.equal(given[0], pictures[0])


def test_the_timestep_stays_whole_wherever_it_stands() -> None:
    """Transformers take it by its name. bfloat16 knows no 999."""
    denoiser = Denoiser()
    cast_around(denoiser, HALF)
    denoiser(torch.ones(1), torch.tensor([999.0]))
    assert denoiser.inputs[1].tolist() == [999.0]
    denoiser(torch.ones(1), timestep=torch.tensor([999.0]), guidance=torch.ones(1))
    assert denoiser.named["timestep"].tolist() == [999.0]
    assert denoiser.named["guidance"].dtype == HALF
    assert denoiser.inputs[0].dtype == HALF


def test_nothing_is_put_around_a_denoiser_of_float32() -> None:
    denoiser = Denoiser()
    cast_around(denoiser, torch.float32)
    assert not denoiser._forward_pre_hooks
