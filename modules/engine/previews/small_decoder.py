"""Small decoders for previews, TAESD and its kin: found beside a model, or where other programs keep them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file

from modules.engine.families.base import vae_of
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.previews.latent_colours import kind_of
from modules.errors import ModelError
from modules.jobs.models.diffusers_folder import PREVIEW_DECODER
from modules.jobs.models.untrusted_file import is_regular

logger = logging.getLogger(__name__)

_SHARED_FOLDERS = ("VAE-approx", "VAE-taesd", "vae_approx")
# What its authors call the decoder for each kind of latents.
_STEMS: Mapping[str, str] = {"sd": "taesd", "sdxl": "taesdxl", "sd3": "taesd3", "flux": "taef1"}


def find_small_decoder(model: LoadedModel, folders: Sequence[Path]) -> Path | None:
    """Return the small decoder for a model: its own, else the TAESD of its family in one of the models folders."""
    own = model.key.path / PREVIEW_DECODER
    if own.is_dir():
        return own
    kind = kind_of(vae_of(model.pipeline)) or ""
    # A model with latents of its own says how they look, and is no case for TAESD.
    if kind not in _STEMS or model.preview is not None:
        return None
    stem = _STEMS[kind]
    for folder in dict.fromkeys([model.key.path.parent.parent, *folders]):
        for shared in _SHARED_FOLDERS:
            for name in (f"{stem}_decoder.safetensors", f"{stem}_decoder.pth", stem):
                path = folder / shared / name
                if path.is_dir() or is_regular(path):
                    return path
    return None


def load_small_decoder(path: Path, channels: int) -> AutoencoderTiny:
    """Return the decoder in a folder of diffusers, or in a single file as its authors publish it, in float32.

    Raises:
        ModelError: it cannot be read, or is for other latents.
    """
    try:
        if path.is_dir():
            made = AutoencoderTiny.from_pretrained(path, local_files_only=True, use_safetensors=True)
        else:
            made = _from_single_file(path, channels)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ModelError(f"The small decoder {path} cannot be loaded ({error}): fetch it again.") from error
    if made.config.latent_channels != channels:
        raise ModelError(f"The small decoder {path} is for {made.config.latent_channels} channels, not {channels}.")
    made.requires_grad_(False)
    decoder: AutoencoderTiny = made.eval()
    return decoder


def _from_single_file(path: Path, channels: int) -> AutoencoderTiny:
    weights: Mapping[str, Any]
    if path.suffix == ".safetensors":
        weights = load_file(path)
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    made = AutoencoderTiny(latent_channels=channels)
    # The authors' file counts a first layer that has no weights, which diffusers writes as code.
    renamed = {_renamed(name): value for name, value in weights.items()}
    made.decoder.load_state_dict(renamed)
    return made


def _renamed(name: str) -> str:
    number, dot, rest = name.removeprefix("decoder.").partition(".")
    return f"layers.{int(number) - 1}{dot}{rest}"
