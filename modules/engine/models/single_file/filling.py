"""Put recorded tensors into a network, one by one, so that a load can be stopped between any two of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from accelerate.utils import set_module_tensor_to_device
from torch import nn

from modules.engine.models.single_file.recorded import Reader, Recorded
from modules.engine.models.single_file.tensor_file import Progress

_NAMED_AT_MOST = 3
_COUNTER = ".num_batches_tracked"  # of training


class UnfitTensors(Exception):  # noqa: N818  (the file's name is told by who knows it)
    """The tensors are not those that the network needs."""


def check_fit(network: nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Check that there is a tensor of the right shape for each that the network needs.

    Raises:
        UnfitTensors: there is not; the message names the first ones.
    """
    wanted = wanted_by(network)
    missing = sorted(wanted.keys() - tensors.keys())
    if missing:
        more = f" and {len(missing) - _NAMED_AT_MOST} more" if len(missing) > _NAMED_AT_MOST else ""
        raise UnfitTensors(f"it lacks {', '.join(missing[:_NAMED_AT_MOST])}{more}")
    for name, needed in wanted.items():
        if tuple(tensors[name].shape) != tuple(needed.shape):
            raise UnfitTensors(f"{name} is {_shape(tensors[name])}, where {_shape(needed)} is needed")


def wanted_by(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters and the buffers that a file must bring; those that are another's too are not among them."""
    tied = set(getattr(network, "all_tied_weights_keys", None) or {})
    wanted = {name: one for name, one in network.state_dict().items() if name not in tied}
    return {name: one for name, one in wanted.items() if not name.endswith(_COUNTER)}


def fill(network: nn.Module, tensors: Mapping[str, Recorded], dtype: torch.dtype, progress: Progress) -> nn.Module:
    """Put the tensors into the network in `dtype`, in the order in which they lie in their files, and return it.

    Raises:
        UnfitTensors: something is left without numbers.
    """
    reader = Reader(progress)
    exact = _exact_parts(network, dtype)
    wanted = wanted_by(network)
    for name in sorted(wanted, key=lambda name: min((one.place for one in tensors[name].stored()), default=("", 0))):
        held = torch.float32 if exact.intersection(name.split(".")) else dtype
        value = _own(reader.make(tensors[name]), held)
        set_module_tensor_to_device(network, name, "cpu", value=value, dtype=value.dtype)
        progress(0)
    reader.forget()
    tie: Any = getattr(network, "tie_weights", None)
    if tie is not None:
        tie()
    left = [name for name, one in network.named_parameters() if one.is_meta]
    if left:
        raise UnfitTensors(f"nothing was found for {', '.join(left[:_NAMED_AT_MOST])}")
    return network.eval()


def _own(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return numbers in memory of their own, row after row; integers stay integers."""
    wanted = dtype if tensor.is_floating_point() else tensor.dtype
    whole = tensor.untyped_storage().nbytes() == tensor.nbytes and tensor.is_contiguous()
    if whole and tensor.dtype == wanted:
        return tensor
    return torch.empty(tensor.shape, dtype=wanted).copy_(tensor)


def _exact_parts(network: nn.Module, dtype: torch.dtype) -> set[str]:
    """Return which parts of a network of transformers stay in float32, as its authors say: T5's in float16."""
    kept: set[str] = set()
    if dtype == torch.float16:
        kept.update(getattr(network, "_keep_in_fp32_modules", None) or ())
    if dtype in (torch.float16, torch.bfloat16):
        kept.update(getattr(network, "_keep_in_fp32_modules_strict", None) or ())
    return kept


def _shape(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
