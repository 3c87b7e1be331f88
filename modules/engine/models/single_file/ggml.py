"""Unpack the numbers of GGUF files, which are stored in blocks of a few bits each."""

from __future__ import annotations

import torch
from gguf import GGMLQuantizationType
from gguf.quants import dequantize

from modules.errors import ModelError
from modules.jobs.models.tensor_header import TensorEntry


def unpacked(held: torch.Tensor, entry: TensorEntry) -> torch.Tensor:
    """Return the numbers in float32 whose packed bytes are `held`.

    Raises:
        ModelError: they are of a kind that cannot be unpacked.
    """
    try:
        numbers = dequantize(held.numpy(), GGMLQuantizationType[entry.dtype])
    except (KeyError, NotImplementedError, ValueError) as error:
        raise ModelError(
            f"Numbers of the kind {entry.dtype} cannot be unpacked: use a GGUF in Q8_0 or Q4_K."
        ) from error
    return torch.from_numpy(numbers).reshape(entry.shape)
