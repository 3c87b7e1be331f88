"""What a checkpoint is: the pipeline that draws with it, and where its parts are.

A new kind of model is a new `Family`; a checkpoint in a single file will name its family by its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import StableDiffusionPipeline

from modules.errors import ModelError
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.models.weight_files import NOT_LOADED

Factors = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Family:
    """Models that are drawn with in the same way.

    `left_out` are components that drawing does not need: they are not loaded. `latent_rgb`: red, green and blue
    (-1..1) that one unit of each latent channel adds, for previews of models that bring no `preview.json`.
    """

    name: str
    pipeline: Any
    denoiser: str
    left_out: frozenset[str]
    latent_rgb: Factors


# Least-squares fit of pictures on their latents, as published by the authors of the models' previews.
_STABLE_DIFFUSION_RGB: Factors = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
)

STABLE_DIFFUSION = Family(
    name="Stable Diffusion 1.x and 2.x",
    pipeline=StableDiffusionPipeline,
    denoiser="unet",
    left_out=NOT_LOADED,
    latent_rgb=_STABLE_DIFFUSION_RGB,
)

_FAMILY_OF_PIPELINE: Mapping[str, Family] = {"StableDiffusionPipeline": STABLE_DIFFUSION}


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
    name = str(read_index(folder).get("_class_name"))
    family = _FAMILY_OF_PIPELINE.get(name)
    if family is None:
        known = ", ".join(sorted(family.name for family in _FAMILY_OF_PIPELINE.values()))
        raise ModelError(f"{folder.name} is a {name}, which this version cannot draw with: use a model of {known}.")
    return family
