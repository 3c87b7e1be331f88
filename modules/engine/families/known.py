"""The families that this version draws with, and which one a model belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.engine.families.base import Family
from modules.engine.families.stable_diffusion import StableDiffusion
from modules.errors import ModelError
from modules.jobs.models.untrusted_file import read_object

# By the pipeline that `model_index.json` names.
FAMILIES: Mapping[str, Family] = {"StableDiffusionPipeline": StableDiffusion()}


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
    family = FAMILIES.get(name)
    if family is None:
        known = ", ".join(sorted(family.name for family in FAMILIES.values()))
        raise ModelError(f"{folder.name} is a {name}, which this version cannot draw with: use a model of {known}.")
    return family
