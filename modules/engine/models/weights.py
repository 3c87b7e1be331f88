"""Read a network's weights tensor by tensor, so that a load can be stopped between any two of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import set_module_tensor_to_device
from safetensors import SafetensorError, safe_open
from torch import nn

from modules.engine.models.empty_network import build_empty
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import ModelError
from modules.jobs.models.safetensors_file import read_header, tensors_of
from modules.jobs.models.weight_files import weights_of_component

Progress = Callable[[int], None]

_MAPPED_BYTES = 256 * 2**20


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of one component; the plain variant where there are several.

    Raises:
        ModelError: there are none; the message says what to do, also where there are pickles.
    """
    files = weights_of_component(folder)
    if files:
        return files
    pickles = sorted((*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.ckpt")))
    if pickles:
        raise ModelError(f"{pickles[0]} is a pickle, which can run code: convert it to safetensors.")
    raise ModelError(f"No weights (*.safetensors) in {folder}: fetch the model again, or take its folder away.")


def count_parameters(folder: Path) -> int:
    """Return how many numbers the weights of a component are, from the headers alone.

    Raises:
        ModelError: there are no weights, or a header is damaged.
    """
    total = 0
    for file in weight_files(folder):
        try:
            tensors = tensors_of(read_header(file))
        except (OSError, ValueError) as error:
            raise _unfit(folder, error) from error
        total += sum(torch.Size(entry["shape"]).numel() for entry in tensors.values())
    return total


def load_network(network: type, folder: Path, dtype: torch.dtype, progress: Progress) -> nn.Module:
    """Return a diffusers network with its weights in `dtype`, on the CPU.

    `progress` is called with the bytes read since its last call, 0 while it waits; what it raises ends the load.

    Raises:
        ModelError: a weight is missing or has another shape than the configuration says.
    """
    files = weight_files(folder)
    config = network.load_config(folder, local_files_only=True)  # type: ignore[attr-defined]
    made = build_empty(lambda: network.from_config(config))  # type: ignore[attr-defined]
    try:
        places = _places(files, made)
        if places is None or getattr(network, "_keep_in_fp32_modules", None):
            # Names of an older version: diffusers knows how to translate them.
            return _load_whole(network, folder, dtype, progress)
        _assign(made, files, places, dtype, progress)
    except (SafetensorError, ValueError) as error:
        raise _unfit(folder, error) from error
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise _unfit(folder, error) from error
    # The plain method: diffusers' own warns about a dtype. Only buffers are left to cast.
    return nn.Module.to(made, dtype=dtype).eval()


def load_text_encoder(network: Any, folder: Path, dtype: torch.dtype, progress: Progress) -> nn.Module:
    """Return a network of transformers, as `load_network` does with one of diffusers.

    Tensor by tensor where that is all there is to it; else (tied weights, parts that stay in float32, names of an
    older version) as the library does it, on a thread that is left alone when the job is stopped.

    Raises:
        ModelError: a weight is missing or has another shape than the configuration says.
    """
    files = weight_files(folder)
    config = network.config_class.from_pretrained(folder, local_files_only=True)
    made: nn.Module = build_empty(lambda: network(config))
    places = _places(files, made)
    plain = not getattr(network, "_keep_in_fp32_modules", None) and not any(
        buffer.is_floating_point() for buffer in made.buffers()
    )
    if places is None or not plain:
        made = wait_for(
            lambda: network.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True).eval(),
            lambda: progress(0),
        )
        progress(sum(file.stat().st_size for file in files))
        return made
    try:
        _assign(made, files, places, dtype, progress)
    except SafetensorError as error:
        raise _unfit(folder, error) from error
    return nn.Module.to(made, dtype=dtype).eval()


def _unfit(folder: Path, error: Exception) -> ModelError:
    return ModelError(f"The weights in {folder} do not fit ({error}): fetch the model again.")


def _places(files: list[Path], made: nn.Module) -> dict[str, str] | None:
    """Return where in `made` each tensor of the files belongs; None when that is not plain to see.

    Older files of a text encoder have the name of its kind before each name, and tell positions that are counted.
    """
    wanted = set(made.state_dict())
    names: set[str] = set()
    for file in files:
        names.update(tensors_of(read_header(file)))
    for prefix in ("", "text_model."):
        places = {name: name.removeprefix(prefix) for name in names if not name.endswith(".position_ids")}
        if set(places.values()) == wanted and len(places) == len(wanted):
            return places
    return None


def _assign(made: nn.Module, files: list[Path], places: dict[str, str], dtype: torch.dtype, progress: Progress) -> None:
    for file in files:
        with safe_open(file, framework="pt") as opened:
            names = [name for name in opened.keys() if name in places]  # noqa: SIM118  (no mapping: it cannot be iterated)
        while names:
            done = _assign_some(made, file, names, places, dtype, progress)
            names = names[done:]


def _assign_some(
    made: nn.Module, file: Path, names: list[str], places: dict[str, str], dtype: torch.dtype, progress: Progress
) -> int:
    """Assign the first of `names` until `_MAPPED_BYTES` were read, and return how many these were.

    The mapping of a file is given back in one go, which a stop would wait for: 0.3 s after 2 GB.
    """
    read = 0
    with safe_open(file, framework="pt") as opened:
        for number, name in enumerate(names, 1):
            mapped = opened.get_tensor(name)
            # A copy of our own: a file that is replaced on disk must not change the model in memory.
            tensor = mapped.to(dtype if mapped.is_floating_point() else mapped.dtype, copy=True)
            set_module_tensor_to_device(made, places[name], "cpu", value=tensor, dtype=tensor.dtype)
            progress(mapped.nbytes)
            read += mapped.nbytes
            if read >= _MAPPED_BYTES:
                return number
    return len(names)


def _load_whole(network: Any, folder: Path, dtype: torch.dtype, progress: Progress) -> nn.Module:
    made: nn.Module = wait_for(
        lambda: network.from_pretrained(folder, use_safetensors=True, local_files_only=True), lambda: progress(0)
    )
    progress(sum(file.stat().st_size for file in weight_files(folder)))
    return nn.Module.to(made, dtype=dtype).eval()
