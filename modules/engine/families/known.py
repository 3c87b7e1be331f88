"""The families that this version draws with, and which one a model belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers

from modules.engine.families.base import Family
from modules.engine.families.flux import Chroma, Flux, Flux2, Flux2Klein
from modules.engine.families.generic import Generic
from modules.engine.families.plain_families import Lumina2, PixArtSigma, QwenImage, Sana, ZImage
from modules.engine.families.qwen_edit import QwenImageEdit, QwenImageEditPlus
from modules.engine.families.sdxl import Refiner, StableDiffusionXL
from modules.engine.families.stable_diffusion import StableDiffusion
from modules.engine.families.stable_diffusion_3 import StableDiffusion3
from modules.errors import ModelError
from modules.jobs.models.other_pipelines import why_not_drawn
from modules.jobs.models.untrusted_file import read_object

_ALL: tuple[Family, ...] = (
    StableDiffusion("sd1"), StableDiffusion("sd2"), StableDiffusionXL("sdxl"), Refiner("sdxl-refiner"),
    StableDiffusion3(), Flux(), Flux2(), Flux2Klein(), Chroma(), ZImage(), QwenImage(), Lumina2(), Sana(),
    PixArtSigma(), QwenImageEdit(), QwenImageEditPlus(),
)  # fmt: skip
# By the name of `jobs/models/families.py`; those of one variant are for folders alone.
FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL if not family.variant}
# By the class that `model_index.json` names; of two with the same class it is the first, and the folder tells more.
BY_CLASS: Mapping[str, Family] = {name: family for family in reversed(_ALL) for name in family.classes}
_WIDTH_OF_WORDS_IN_2 = 1024
_LONGEST_SHOWN = 80


def read_index(folder: Path) -> dict[str, Any]:
    """Return what `model_index.json` says.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        return read_object(folder / "model_index.json")
    except FileNotFoundError as error:
        message = f"model_index.json is missing in {folder}: fetch the model again, or take the folder away."
        raise ModelError(message) from error
    except OSError as error:
        raise ModelError(f"model_index.json in {folder} cannot be read ({error}): fetch it again.") from error
    except ValueError as error:
        raise ModelError(f"model_index.json in {folder} {error}: fetch it again.") from error


def family_of(folder: Path) -> Family:
    """Return the family of the model in a folder.

    Raises:
        ModelError: its index is missing or damaged, or it is of a kind that this version cannot draw with.
    """
    index = read_index(folder)
    name = str(index.get("_class_name"))
    family = BY_CLASS.get(name) or _generic(folder, name)
    if family.name == "sdxl" and not isinstance(index.get("text_encoder"), list | tuple):
        return FAMILIES["sdxl-refiner"]
    if family.name == "sdxl" and index["text_encoder"][0] is None:
        return FAMILIES["sdxl-refiner"]
    if family.name == "sd1" and _width_of_words(folder) == _WIDTH_OF_WORDS_IN_2:
        return FAMILIES["sd2"]
    return family


def _generic(folder: Path, class_name: str) -> Family:
    """Return the family of a pipeline that has none of its own."""
    reason = why_not_drawn(class_name)
    pipeline = None if reason is not None else getattr(diffusers, class_name, None)
    if not (isinstance(pipeline, type) and issubclass(pipeline, diffusers.DiffusionPipeline)):
        reason = reason or "the installed diffusers cannot load: a package that it needs is missing"
        raise ModelError(f"{folder.name} is a {class_name[:_LONGEST_SHOWN]}, which {reason}.")
    return Generic(pipeline)


def _width_of_words(folder: Path) -> Any:
    try:
        return read_object(folder / "unet" / "config.json").get("cross_attention_dim")
    except (OSError, ValueError):
        return None  # What is wrong with it is told by who loads it.
