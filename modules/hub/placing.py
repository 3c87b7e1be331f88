"""Where what was fetched belongs: the folder of its kind in a models folder, under a name that is free."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath

from modules.hub.kind import kind_of_file
from modules.hub.plan import Plan
from modules.jobs.models.places import Kind, kind_of_folder

# What a folder is called where there is none of that kind yet.
_NEW_FOLDERS: dict[Kind, str] = {
    "checkpoint": "Stable-diffusion",
    "denoiser": "diffusion_models",
    "vae": "VAE",
    "text_encoder": "text_encoders",
    "lora": "Lora",
    "embedding": "embeddings",
    "upscaler": "ESRGAN",
    "face_restorer": "GFPGAN",
    "controlnet": "ControlNet",
    "tiny_decoder": "VAE-approx",
}
_MODELS = "models"


def put_in_place(plan: Plan, fetched: Path, models: Path) -> tuple[Path, Kind]:
    """Move what was fetched to where the catalogue finds it; return that and its kind. It is there at once or not yet.

    Raises:
        OSError: the system does not let it.
    """
    if plan.whole:
        kind: Kind = "checkpoint"
        source = fetched
    else:
        source = fetched / plan.files[0].path
        kind = kind_of_file(source, plan.files[0].path)
    place = folder_for(kind, models)
    place.mkdir(parents=True, exist_ok=True)
    target = free_name(place, plan)
    _move(source, target)
    return target, kind


def folder_for(kind: Kind, models: Path) -> Path:
    """Return the folder of a kind: the one that people have, else a new one under the name that A1111 has for it."""
    inner = models / _MODELS
    root = inner if inner.is_dir() else models
    usual = root / _NEW_FOLDERS[kind]
    if usual.is_dir():
        return usual
    if kind_of_folder(root.name) == kind:
        return root
    with contextlib.suppress(OSError):
        for folder in sorted(root.iterdir()):
            if kind_of_folder(folder.name) == kind and folder.is_dir():
                return folder
    return usual


def free_name(place: Path, plan: Plan) -> Path:
    """Return a path that nothing has: the usual name, else one with the owner's name before it, else a number."""
    name = PurePosixPath(plan.name)
    owner = plan.repo.partition("/")[0]
    stem, suffix = (plan.name, "") if plan.whole else (name.stem, name.suffix)
    for candidate in (stem, f"{owner}_{stem}"):
        if not os.path.lexists(place / f"{candidate}{suffix}"):
            return place / f"{candidate}{suffix}"
    number = 2
    while os.path.lexists(place / f"{owner}_{stem}_{number}{suffix}"):
        number += 1
    return place / f"{owner}_{stem}_{number}{suffix}"


def _move(source: Path, target: Path) -> None:
    """Rename; where that leads to another disk, copy under a hidden name and rename that."""
    try:
        source.rename(target)
        return
    except OSError:
        hidden = target.with_name(f".{target.name}.arriving")
        if hidden.is_dir():
            shutil.rmtree(hidden)
    shutil.copytree(source, hidden) if source.is_dir() else shutil.copyfile(source, hidden)
    hidden.rename(target)
