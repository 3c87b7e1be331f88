"""A VAE from a file of its own, under whatever names its tensors stand there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modules.engine.models.single_file.contents import part_alone
from modules.engine.models.single_file.family_config import NetworkConfig
from modules.engine.models.single_file.filling import UnfitTensors, fill
from modules.engine.models.single_file.networks import prepare_network
from modules.engine.models.single_file.recorded import Recorded, Tensors
from modules.engine.models.single_file.stored import stored_tensors
from modules.engine.models.single_file.tensor_file import TensorFile
from modules.errors import ModelError

# How the tensors of a class are renamed.
_KINDS = {
    "AutoencoderKL": "vae",
    "AutoencoderKLFlux2": "flux2-vae",
    "AutoencoderKLQwenImage": "qwen-image-vae",
}
_PREFIXES = ("first_stage_model.", "vae.")


def load_vae(path: Path, own: Any, dtype: torch.dtype, progress: Callable[[int], None]) -> nn.Module:
    """Return the VAE of a file, on the CPU, with the scale of the latents that `own` has, that of the model.

    `progress` is called with the bytes read since its last call; what it raises ends the load.

    Raises:
        ModelError: it is no VAE for such latents, or cannot be read.
    """
    class_name = type(own).__name__
    kind = _KINDS.get(class_name)
    if kind is None:
        raise ModelError(
            f"VAE {path.name} cannot be used with this model, whose own is of another kind ({class_name}): "
            "choose None for the VAE."
        )
    part = NetworkConfig("diffusers", class_name, kind, dict(own.config), _PREFIXES)
    with TensorFile(path) as file:
        tensors: Tensors = {name: Recorded.of(one) for name, one in part_alone(stored_tensors(file), part).items()}
        try:
            network, fitting = prepare_network(part, tensors)
            _check_latents(network, own)
            return fill(network, fitting, dtype, progress)
        except UnfitTensors as error:
            raise ModelError(f"VAE {path.name} does not fit ({error}): choose another one, or None.") from error


def _check_latents(network: Any, own: Any) -> None:
    ours, its = (getattr(one.config, "latent_channels", None) for one in (own, network))
    if ours != its:
        raise UnfitTensors(f"it is for latents of {its} channels, and this model's have {ours}")
