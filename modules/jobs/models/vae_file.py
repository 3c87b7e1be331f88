"""A VAE in a file of its own: what is known of it before it is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.errors import ModelError
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH
from modules.jobs.models.safetensors_file import read_header, tensors_of

# Where the numbers of latents go in: the second of the sizes is how many there are for each place.
_FIRST_OF_DECODER = (
    "decoder.conv_in.weight",
    "decoder.conv1.weight",  # Wan's, which Qwen-Image has too
    "decoder.layers.1.weight",  # the small ones in diffusers' names
)
_PICKLES = (".ckpt", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class VaeFile:
    """A VAE. `problem` says why it cannot be used; `latent_channels` is None where the file does not tell it.

    `stamp` tells one state of the file from another.
    """

    name: str
    path: Path
    sha256: str | None = None
    latent_channels: int | None = None
    problem: str | None = None
    stamp: str = ""

    @property
    def short_hash(self) -> str | None:
        """The ten hexadecimal digits that infotext shows."""
        return self.sha256[:SHORT_HASH_LENGTH] if self.sha256 else None

    def check_usable(self) -> None:
        """Check that nothing is wrong with it.

        Raises:
            ModelError: something is; the message has the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"VAE {self.name} cannot be used: {self.problem}")


def look_at_vae(name: str, path: Path) -> VaeFile:
    """Return a VAE as its file is now, not hashed. Reads the header only, and never raises."""
    stamp = stamp_of_file(path)
    if path.suffix.lower() in _PICKLES:
        problem = f"{path} is a pickle, which can run code, so it is not read: use a safetensors of the same VAE."
        return VaeFile(name, path, problem=problem, stamp=stamp)
    try:
        channels = _latent_channels(tensors_of(read_header(path)))
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror or error}): give your user read access to it."
        return VaeFile(name, path, problem=problem, stamp=stamp)
    except ValueError as error:
        return VaeFile(name, path, problem=f"{path} {error}: fetch it again.", stamp=stamp)
    if channels is None:
        problem = f"{path} holds no decoder, so it is no VAE: move it to the folder of its kind."
        return VaeFile(name, path, problem=problem, stamp=stamp)
    return VaeFile(name, path, latent_channels=channels, stamp=stamp)


def stamp_of_file(path: Path) -> str:
    """Return what tells one state of a file from another, by size, time and place; "" when it cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return ""
    facts = (status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _latent_channels(tensors: Mapping[str, Any]) -> int | None:
    for name, entry in tensors.items():
        if name.endswith(_FIRST_OF_DECODER):
            shape = entry.get("shape")
            return int(shape[1]) if isinstance(shape, list) and len(shape) > 1 else None
    return None
