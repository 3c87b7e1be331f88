"""Read weights from a safetensors or a pickle, of which nothing but weights is read: upscalers, textual inversions."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_safetensors

from modules.engine.models.out_of_memory import is_out_of_memory
from modules.errors import ModelError
from modules.jobs.models.foreign_bytes import BEGINNING_BYTES, is_pickle, name_foreign_bytes
from modules.jobs.models.untrusted_file import open_regular

_READ_AT_ONCE_BYTES = 32 * 2**20
_LONGEST_REASON = 200
_REFUSED = re.compile(r"(?:Unsupported global: GLOBAL|Unsupported class|Unsupported operand) ([\w.]+)")


def read_weights(path: Path, progress: Callable[[float], None]) -> dict[str, Any]:
    """Return what a file holds, tensors by name, or such a dict in a dict; `progress` gets 0..1 and may raise.

    Its first bytes tell the format, not its name. A pickle is read with `weights_only`: no code in it is run.

    Raises:
        ModelError: it cannot be read, or holds more than weights.
    """
    try:
        data = _read(path, progress)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"{path} cannot be read ({reason}): give your user read access to it.") from error
    beginning = data[:BEGINNING_BYTES]
    if is_pickle(beginning):
        return _unpickled(path, data)
    try:
        return dict(load_safetensors(data))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        foreign = name_foreign_bytes(beginning, len(data))
        reason = str(foreign or f"is neither a safetensors nor a pickle of PyTorch ({_shown(error)})")
        remedy = "fetch it again" if foreign is None else foreign.remedy
        raise ModelError(f"{path} {reason}: {remedy}.") from error


def _read(path: Path, progress: Callable[[float], None]) -> bytes:
    """Return the bytes of a file. Not mapped: one that somebody cuts short while it is mapped ends the process."""
    with open_regular(path) as file:
        size = max(path.stat().st_size, 1)
        pieces: list[bytes] = []
        while piece := file.read(_READ_AT_ONCE_BYTES):
            pieces.append(piece)
            progress(min(len(pieces) * _READ_AT_ONCE_BYTES / size, 1.0))
    return b"".join(pieces)


def _unpickled(path: Path, data: bytes) -> dict[str, Any]:
    try:
        held: Any = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} holds more than weights ({_refused(error)}), which could run code: use a safetensors of it."
        ) from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        what = "is a program of TorchScript" if "TorchScript" in str(error) else f"is damaged ({_shown(error)})"
        raise ModelError(f"{path} {what}: use a safetensors of it, or fetch it again.") from error
    if not isinstance(held, dict):
        raise ModelError(f"{path} holds no weights by name, but a {type(held).__name__}: use a safetensors of it.")
    return held


def _shown(error: Exception) -> str:
    """Return the first sentence of what a library says."""
    said = (str(error) or type(error).__name__).strip().splitlines()[0]
    return said.partition(". ")[0].rstrip(".")[:_LONGEST_REASON]


def _refused(error: Exception) -> str:
    """Return what was found in a pickle that is no weight, out of many lines of advice."""
    found = _REFUSED.search(str(error))
    return found[1][:_LONGEST_REASON] if found else type(error).__name__
