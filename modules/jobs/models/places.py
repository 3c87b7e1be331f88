"""The folders in which models lie, by what is in them: those of A1111, Forge, ComfyUI and SD.Next."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from modules.cmd_args import EXTRA_PATHS
from modules.jobs.models.extra_paths import EXTRA_PATHS_FILE, ExtraPaths
from modules.jobs.models.scan import MODEL_INDEX
from modules.paths import model_folders, model_places

Kind = Literal[
    "checkpoint", "denoiser", "vae", "text_encoder", "lora", "embedding", "upscaler", "face_restorer", "controlnet",
    "tiny_decoder",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
# The kinds whose files are drawn with; all others are used together with one of those.
DRAWN: tuple[Kind, ...] = ("checkpoint", "denoiser")
# How a VAE is called that lies among the checkpoints, as A1111 has them: beside those that they belong to.
VAE_BESIDE = (".vae.safetensors", ".vae.sft", ".vae.ckpt", ".vae.pt")
# The kinds without which some of those cannot be drawn with.
COMPANIONS: tuple[Kind, ...] = ("text_encoder", "vae")

# What a folder of this name holds, in lower case: some disks tell "VAE" from "vae", and people's habits do not.
_NAMES: Mapping[Kind, str] = {
    "checkpoint": "stable-diffusion checkpoints diffusers huggingface",
    "denoiser": "diffusion_models unet",
    "vae": "vae",
    "text_encoder": "text_encoders text_encoder text-encoder clip",
    "lora": "lora loras lycoris",
    "embedding": "embeddings",
    "upscaler": "upscale_models esrgan realesrgan swinir scunet dat hat bsrgan",
    "face_restorer": "gfpgan codeformer facerestore_models facedetection restoreformer",
    "controlnet": "controlnet control t2i_adapter model_patches",
    "tiny_decoder": "vae-approx vae_approx vae-taesd taesd",
}
_FOLDERS: Mapping[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# Beside `models/`, in the root of a program: A1111 has its embeddings there, and its ControlNet in an extension.
_BESIDE_MODELS: Mapping[str, Kind] = {
    "embeddings": "embedding",
    "extensions/sd-webui-controlnet/models": "controlnet",
}
_MODELS = "models"


@dataclass(frozen=True)
class Place:
    """A folder with models of one kind. `root` is the models folder that it belongs to."""

    kind: Kind
    folder: Path
    root: Path


class Places:
    """All folders with models: under each of `roots`, and those that are named one by one.

    A root is a folder `models/`, the folder of a program that has such a one, or a folder of one kind. `named` are
    folders by kind, `configs` files in the form of ComfyUI's `extra_model_paths.yaml`, which is also found beside its
    `models/`.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        named: Mapping[Kind, Sequence[Path]] | None = None,
        configs: Sequence[Path] = (),
    ) -> None:
        self.roots = tuple(roots)
        self._named = {kind: tuple(folders) for kind, folders in (named or {}).items()}
        beside = [folder / EXTRA_PATHS_FILE for root in roots for folder in (root, *_program_of(root))]
        self._configs = tuple(ExtraPaths(config) for config in dict.fromkeys((*configs, *beside)))

    def now(self) -> tuple[Place, ...]:
        """Return the places that are there now, each once, the roots' first and in their order."""
        found: dict[Path, Place] = {}
        for place in self._all():
            found.setdefault(place.folder, place)
        return tuple(found.values())

    def _all(self) -> Iterator[Place]:
        for root in self.roots:
            yield from _under(root)
        for kind, folders in self._named.items():
            yield from (Place(kind, folder, folder) for folder in folders)
        for config in self._configs:
            for name, folder in config.folders():
                named = kind_of_folder(name)
                if named is not None:
                    yield Place(named, folder, folder)


def places_from_environment() -> Places:
    """Return the places that the command line of the launcher names, and the program's own."""
    named = model_places()
    folders = {kind: named[kind] for kind in KINDS if kind in named}
    return Places(model_folders(), folders, named.get(EXTRA_PATHS, ()))


def kind_of_folder(name: str) -> Kind | None:
    """Return what a folder of this name holds, None when that is not known."""
    return _FOLDERS.get(name.casefold())


def is_vae_beside(name: str) -> bool:
    """Tell whether this file among the checkpoints is a VAE."""
    return name.lower().endswith(VAE_BESIDE)


def _under(root: Path) -> Iterator[Place]:
    """Yield the places of a models folder, or of a program that has one."""
    try:
        folders = _folders_in(root)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield Place("checkpoint", root, root)  # Looking into it tells what is wrong.
        return
    own = kind_of_folder(root.name)
    if own is not None and not folders:
        yield Place(own, root, root)
    yield from _of_models(root, folders)
    inner = next((folder for folder in folders if folder.name.casefold() == _MODELS), None)
    if inner is not None:
        yield from _under(inner)
    for program in _program_of(root):
        yield from (Place(of, program / name, program) for name, of in _BESIDE_MODELS.items())


def _of_models(root: Path, folders: Sequence[Path]) -> Iterator[Place]:
    for folder in folders:
        kind = kind_of_folder(folder.name)
        if kind is not None:
            yield Place(kind, folder, root)


def _program_of(root: Path) -> tuple[Path, ...]:
    """Return the folder of the program to which a folder called `models` belongs."""
    return (root.parent,) if root.name.casefold() == _MODELS else ()


def _folders_in(root: Path) -> list[Path]:
    """Return the folders whose names say something, in order.

    Raises:
        OSError: the folder cannot be listed.
    """
    with os.scandir(root) as listing:
        names = sorted(entry.name for entry in listing)
    if MODEL_INDEX in names:
        return []  # It is a model, and what is in it is its parts.
    return [root / name for name in names if name.casefold() in _FOLDERS or name.casefold() == _MODELS]
