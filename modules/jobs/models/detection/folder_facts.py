"""Tell what a model in diffusers layout is, by its small files: family, variant, what it predicts, how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.jobs.models.detection.hints import told_variant, words_of
from modules.jobs.models.detection.number_formats import number_format
from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.families import facts_of, facts_of_pipeline, variant_of_pipeline
from modules.jobs.models.tensor_file import read_tensor_header
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.models.weight_files import weights_of_component, weights_of_model

_PREDICTIONS = {"v_prediction": "v", "flow_prediction": "flow", "epsilon": "epsilon"}
_CHANNELS = {9: "inpaint", 8: "instruct", 5: "depth", 7: "upscaler"}
_LONGEST_CLASS_NAME = 80


@dataclass(frozen=True)
class FolderFacts:
    """What a model in a folder is; of what is not known nothing is said. `family` and `variant` as in `families.py`."""

    family: str = ""
    variant: str = ""
    prediction: str = ""
    number_format: str = ""
    size_bytes: int = 0


def look_into_folder(folder: Path) -> FolderFacts:
    """Return what the model in a folder is. What is damaged there says nothing."""
    index = _read_or_nothing(folder / "model_index.json")
    name = index.get("_class_name")
    if not isinstance(name, str) or not name:
        return FolderFacts()
    facts = facts_of_pipeline(name)
    part = "unet" if (folder / "unet").is_dir() else "transformer"
    config = _read_or_nothing(folder / part / "config.json")
    scheduler = _read_or_nothing(folder / "scheduler" / "scheduler_config.json")
    family = _family(facts.name, index, config) if facts is not None else name[:_LONGEST_CLASS_NAME]
    shown = variant_of_pipeline(name) or _variant(family, index, config)
    if family == "sdxl" and shown == "" and _has_own_noise(scheduler):
        shown = "cosxl" if scheduler.get("prediction_type") == "v_prediction" else "playground"
    return FolderFacts(
        family=family,
        variant=_variant_by_name(family, shown, folder, index),
        prediction=_prediction(family, scheduler),
        number_format=_number_format(folder / part),
        size_bytes=_size(folder),
    )


def _family(family: str, index: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the family, of two that have the same classes the one that the denoiser's configuration tells."""
    if family == "sd1" and config.get("cross_attention_dim") == 1024:
        return "sd2"
    alone = index.get("text_encoder") == [None, None] and index.get("text_encoder_2") not in (None, [None, None])
    if family == "sdxl" and (config.get("projection_class_embeddings_input_dim") == 2560 or alone):
        return "sdxl-refiner"
    return family


def _variant(family: str, index: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the variant that the configurations show."""
    match family:
        case "sd1" | "sd2" | "sdxl":
            channels = config.get("in_channels")
            if isinstance(channels, int) and channels in _CHANNELS:
                return _CHANNELS[channels]
            return "lcm-full" if config.get("time_cond_proj_dim") else ""
        case "sd3":
            if config.get("num_layers") == 38:
                return "3.5-large"
            return "3.5-medium" if config.get("qk_norm") else "medium"
        case "flux":
            return "schnell" if config.get("guidance_embeds") is False else "dev"
        case "flux2-klein":
            size = "9b" if config.get("joint_attention_dim") == 12288 else "4b"
            return f"{size}-base" if index.get("is_distilled") is False else size
        case "z-image":
            return "turbo"
        case "sana":
            return "sprint" if config.get("guidance_embeds") else ""
    return ""


def _variant_by_name(family: str, shown: str, folder: Path, index: Mapping[str, Any]) -> str:
    """Return the variant that the folder's name speaks for, or the name that the model was published under."""
    published = index.get("_name_or_path")
    for text in (folder.name, published if isinstance(published, str) else ""):
        told = told_variant(family, shown, words_of(text))
        if told is not None:
            return told
    return shown


def _has_own_noise(scheduler: Mapping[str, Any]) -> bool:
    """Tell whether a scheduler has noise levels of its own (EDM), which no betas make."""
    name = scheduler.get("_class_name")
    return (isinstance(name, str) and name.startswith("EDM")) or scheduler.get("timestep_type") == "continuous"


def _prediction(family: str, scheduler: Mapping[str, Any]) -> str:
    if _has_own_noise(scheduler):
        return "edm"
    said = scheduler.get("prediction_type")
    if isinstance(said, str) and said in _PREDICTIONS:
        return _PREDICTIONS[said]
    facts = facts_of(family)
    if facts is not None:
        return facts.prediction
    name = scheduler.get("_class_name")
    return "flow" if isinstance(name, str) and "Flow" in name else ""


def _number_format(part: Path) -> str:
    """Return how the numbers of the denoiser are stored: its first file has most kinds of layers."""
    try:
        files = weights_of_component(part)
        header = read_tensor_header(files[0]) if files else None
    except (OSError, ValueError):
        return ""
    return number_format(header, Tensors(header.tensors)).name if header is not None else ""


def _size(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in weights_of_model(folder))
    except (OSError, ValueError):
        return 0


def _read_or_nothing(path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except (OSError, ValueError):
        return {}
