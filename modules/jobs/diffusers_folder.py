"""Read a model in diffusers layout from its small files, without torch: what it needs, and its native size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modules.jobs.safetensors_file import find_damage

# The engine runs without these, so a folder may lack them.
_OPTIONAL_COMPONENTS = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_FALLBACK_SIZE = 512
_FALLBACK_SIZE_TRANSFORMER = 1024
_FALLBACK_SCALE = 8


def find_problem(folder: Path) -> str | None:
    """Name the first file that the model lacks or that is damaged, with the remedy; None when all is there."""
    index = _read_json(folder / "model_index.json")
    if index is None:
        return _missing(folder, "model_index.json")
    for component, kind in index.items():
        if component.startswith("_") or component in _OPTIONAL_COMPONENTS or not _is_used(kind):
            continue
        problem = _find_component_problem(folder, component, str(kind[1]))
        if problem is not None:
            return problem
    return None


def native_size(folder: Path) -> tuple[int, int]:
    """Return the width and height in pixels that the model was trained for."""
    denoiser = _read_json(folder / "unet" / "config.json")
    fallback = _FALLBACK_SIZE
    if denoiser is None:
        denoiser = _read_json(folder / "transformer" / "config.json") or {}
        fallback = _FALLBACK_SIZE_TRANSFORMER
    sample_size = denoiser.get("sample_size")
    scale = _vae_scale(_read_json(folder / "vae" / "config.json") or {})
    match sample_size:
        case int(side):
            return side * scale, side * scale
        case [int(height), int(width)]:
            return width * scale, height * scale
    return fallback, fallback


def tokenizer_file(folder: Path) -> Path | None:
    """Return the file from which tokens can be counted: `tokenizer.json`, else the older `vocab.json`."""
    for name in ("tokenizer.json", "vocab.json"):
        path = folder / "tokenizer" / name
        if path.is_file():
            return path
    return None


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of the model in a fixed order."""
    return sorted(folder.glob("*/*.safetensors"), key=lambda path: path.relative_to(folder).as_posix())


def _vae_scale(config: dict[str, Any]) -> int:
    """Pixels per latent along one side: the resolution halves between two levels of the encoder."""
    for key in ("block_out_channels", "encoder_block_out_channels", "down_block_out_channels"):
        channels = config.get(key)
        if isinstance(channels, list) and channels:
            return int(2 ** (len(channels) - 1))
    return _FALLBACK_SCALE


def _find_component_problem(folder: Path, component: str, class_name: str) -> str | None:
    place = folder / component
    if "Tokenizer" in class_name:
        return _find_tokenizer_problem(folder, place)
    if "Scheduler" in class_name:
        return _find_json_problem(folder, place / "scheduler_config.json")
    return _find_json_problem(folder, place / "config.json") or _find_weights_problem(folder, place)


def _find_json_problem(folder: Path, path: Path) -> str | None:
    if _read_json(path) is not None:
        return None
    name = path.relative_to(folder).as_posix()
    if path.is_file():
        return f"{name} in {folder} is not valid JSON: fetch it again."
    return _missing(folder, name)


def _find_tokenizer_problem(folder: Path, place: Path) -> str | None:
    whole = ("tokenizer.json", "spiece.model", "tokenizer.model")
    if any((place / name).is_file() for name in whole):
        return None
    for name in ("vocab.json", "merges.txt"):
        if not (place / name).is_file():
            return _missing(folder, f"{place.name}/{name if (place / 'vocab.json').is_file() else 'tokenizer.json'}")
    return None


def _find_weights_problem(folder: Path, place: Path) -> str | None:
    for index_path in sorted(place.glob("*.safetensors.index.json")):
        index = _read_json(index_path) or {}
        for name in sorted(set(index.get("weight_map", {}).values())):
            if not (place / name).is_file():
                return _missing(folder, f"{place.name}/{name}")
    files = sorted(place.glob("*.safetensors"))
    if not files:
        pickles = sorted((*place.glob("*.bin"), *place.glob("*.pt"), *place.glob("*.ckpt")))
        if pickles:
            name = f"{place.name}/{pickles[0].name}"
            return f"{name} in {folder} is a pickle, which can run code: convert it to safetensors."
        stem = "model" if "text_encoder" in place.name else "diffusion_pytorch_model"
        return _missing(folder, f"{place.name}/{stem}.safetensors")
    for path in files:
        damage = find_damage(path)
        if damage is not None:
            return f"{place.name}/{path.name} in {folder} {damage}: fetch it again."
    return None


def _is_used(kind: object) -> bool:
    return isinstance(kind, list) and len(kind) == 2 and all(isinstance(part, str) for part in kind)


def _missing(folder: Path, name: str) -> str:
    return f"{name} is missing in {folder}: fetch the model again, or take the folder away."


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in the file, None when there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
