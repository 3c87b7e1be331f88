"""What a single file is, by its header; where that says nothing, by the folder that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from modules.jobs.models.detection.detect import detect
from modules.jobs.models.detection.found import Role
from modules.jobs.models.places import Kind, kind_of_folder

_KINDS: Mapping[Role, Kind] = {
    "checkpoint": "checkpoint",
    "denoiser": "denoiser",
    "vae": "vae",
    "tiny_vae": "tiny_decoder",
    "text_encoder": "text_encoder",
    "lora": "lora",
    "embedding": "embedding",
    "controlnet": "controlnet",
    "adapter": "controlnet",
    "upscaler": "upscaler",
    "face_restorer": "face_restorer",
}


def kind_of_file(path: Path, remote: str) -> Kind:
    """Return which folder a file belongs into; `remote` is its path in the repository."""
    try:
        kind = _KINDS.get(detect(path).role)
    except (OSError, ValueError):
        kind = None
    if kind is not None:
        return kind
    folders = (kind_of_folder(part) for part in PurePosixPath(remote).parts[:-1])
    return next((kind for kind in folders if kind is not None), "checkpoint")
