"""Read a model in diffusers layout from its small files, without torch: what it needs, and its native size.

Nothing in such a folder is trusted: it may have been downloaded from anywhere, or be half of a copy.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from modules.jobs.models.drawn_pipelines import PARTS_OF_NAMED
from modules.jobs.models.network_config import find_absurd_number
from modules.jobs.models.other_pipelines import why_not_drawn
from modules.jobs.models.safetensors_file import find_damage
from modules.jobs.models.untrusted_file import is_regular, read_object
from modules.jobs.models.weight_files import loaded_components, weights_of_component

PREVIEW_DECODER = "preview_decoder"  # a small decoder that a model may bring; no part of its pipeline
_FALLBACK_SIZE = 512
_FALLBACK_SIZE_TRANSFORMER = 1024
_FALLBACK_SCALE = 8
_LARGEST_SIDE = 8192  # twice what the largest models were trained for
_MOST_LEVELS = 16
_TEXTS = (".json", ".txt", ".model")
_LARGEST_TEXT_BYTES = 100_000_000  # the longest list of tokens that a model has takes 33 MB
_COMPONENT_NAME = re.compile(r"\w{1,64}", re.ASCII)
_LONGEST_SHOWN = 80


def find_problem(folder: Path) -> str | None:
    """Name the first file that the model lacks or that is damaged, with the remedy; None when all is there."""
    try:
        index = read_object(folder / "model_index.json")
    except (OSError, ValueError) as error:
        return _unreadable(folder, "model_index.json", error)
    problem = _find_pipeline_problem(folder, index)
    if problem is not None:
        return problem
    for component in loaded_components(index):
        if not _COMPONENT_NAME.fullmatch(component):
            return f"model_index.json in {folder} names a part {_shown(component)}: fetch it again."
        problem = _find_component_problem(folder, component, index[component][1])
        if problem is not None:
            return problem
    return _find_problem_of_preview_decoder(folder) or _find_size_problem(folder)


def native_size(folder: Path) -> tuple[int, int]:
    """Return the width and height in pixels that the model was trained for.

    Raises:
        ValueError: they make no sense; the message names the file.
    """
    name, fallback = "unet", _FALLBACK_SIZE
    if not is_regular(folder / "unet" / "config.json"):
        name, fallback = "transformer", _FALLBACK_SIZE_TRANSFORMER
    denoiser = _read_or_nothing(folder / name / "config.json")
    sample_size = denoiser.get("sample_size")
    scale = _vae_scale(_read_or_nothing(folder / "vae" / "config.json"))
    match sample_size:
        case int(side) if not isinstance(side, bool):
            width, height = side * scale, side * scale
        case [int(rows), int(columns)]:
            width, height = columns * scale, rows * scale
        case _:
            return fallback, fallback
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise ValueError(f"sample_size {_shown(sample_size)} in {name}/config.json makes no picture")
    return width, height


def tokenizer_file(folder: Path) -> Path | None:
    """Return the file from which tokens can be counted: `tokenizer.json`, else the older `vocab.json`."""
    for name in ("tokenizer.json", "vocab.json"):
        path = folder / "tokenizer" / name
        if is_regular(path):
            return path
    return None


def _vae_scale(config: dict[str, Any]) -> int:
    """Pixels per latent along one side: the resolution halves between two levels of the encoder."""
    for key in ("block_out_channels", "encoder_block_out_channels", "down_block_out_channels"):
        channels = config.get(key)
        if isinstance(channels, list) and channels:
            if len(channels) > _MOST_LEVELS:
                raise ValueError(
                    f"{key} in vae/config.json has {len(channels)} levels, which is more than any model has"
                )
            return int(2 ** (len(channels) - 1))
    return _FALLBACK_SCALE


def _find_pipeline_problem(folder: Path, index: dict[str, Any]) -> str | None:
    name = index.get("_class_name")
    if not isinstance(name, str):
        return f"model_index.json in {folder} does not say what kind of model it is (_class_name): fetch it again."
    if reason := why_not_drawn(name):
        return f"{folder} is a {_shown(name)}, which {reason}."
    missing = [part for part in PARTS_OF_NAMED.get(name, ()) if part not in loaded_components(index)]
    if missing:
        return f"model_index.json in {folder} names no {' and no '.join(missing)}: fetch the model again."
    return None


def _find_size_problem(folder: Path) -> str | None:
    try:
        native_size(folder)
    except ValueError as error:
        return f"{error}: fetch the model in {folder} again."
    return None


def _find_problem_of_preview_decoder(folder: Path) -> str | None:
    """Name what would hold up the previews. One that is only damaged is done without."""
    place = folder / PREVIEW_DECODER
    if not place.is_dir():
        return None
    absurd = find_absurd_number(_read_or_nothing(place / "config.json"))
    if absurd is not None:
        return f"{place.name}/config.json in {folder} says {absurd}, more than any model has: fetch it again."
    return _find_odd_file(folder, place)


def _find_component_problem(folder: Path, component: str, class_name: str) -> str | None:
    place = folder / component
    problem = _find_odd_file(folder, place)
    if problem is not None:
        return problem
    if "Tokenizer" in class_name:
        return _find_tokenizer_problem(folder, place)
    if "Scheduler" in class_name:
        return _find_json_problem(folder, place / "scheduler_config.json")
    return _find_json_problem(folder, place / "config.json") or _find_weights_problem(folder, place)


def _find_odd_file(folder: Path, place: Path) -> str | None:
    """Name a pipe, a device or the like, which a library would wait for, or a text that it would read for ever."""
    try:
        entries = sorted(place.iterdir())
    except FileNotFoundError:
        return None  # What is missing is named by who looks for it.
    except OSError as error:
        return _unreadable(folder, place.name, error)
    for path in entries:
        if path.exists() and not path.is_dir() and not is_regular(path):
            return f"{_shown(f'{place.name}/{path.name}')} in {folder} is no regular file: take it away."
        if path.suffix in _TEXTS and path.is_file() and path.stat().st_size > _LARGEST_TEXT_BYTES:
            return f"{place.name}/{path.name} in {folder} is larger than {_LARGEST_TEXT_BYTES:,} bytes: fetch it again."
    return None


def _find_json_problem(folder: Path, path: Path) -> str | None:
    name = path.relative_to(folder).as_posix()
    try:
        absurd = find_absurd_number(read_object(path))
    except (OSError, ValueError) as error:
        return _unreadable(folder, name, error)
    return None if absurd is None else f"{name} in {folder} says {absurd}, more than any model has: fetch it again."


def _find_tokenizer_problem(folder: Path, place: Path) -> str | None:
    whole = ("tokenizer.json", "spiece.model", "tokenizer.model")
    if any(is_regular(place / name) for name in whole):
        return None
    for name in ("vocab.json", "merges.txt"):
        if not is_regular(place / name):
            return _missing(folder, f"{place.name}/{name if is_regular(place / 'vocab.json') else 'tokenizer.json'}")
    return None


def _find_weights_problem(folder: Path, place: Path) -> str | None:
    for index_path in sorted(place.glob("*.safetensors.index.json")):
        problem = _find_problem_of_split_weights(folder, index_path)
        if problem is not None:
            return problem
    files = weights_of_component(place)
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


def _find_problem_of_split_weights(folder: Path, index_path: Path) -> str | None:
    place = index_path.parent
    name = f"{place.name}/{index_path.name}"
    try:
        parts = read_object(index_path).get("weight_map")
    except (OSError, ValueError) as error:
        return _unreadable(folder, name, error)
    if not isinstance(parts, dict):
        return f"{name} in {folder} has no weight_map: fetch it again."
    for part in parts.values():
        if not isinstance(part, str) or Path(part).name != part:
            return f"{name} in {folder} names {_shown(part)} as a file of weights: fetch it again."
    for part in sorted(set(parts.values())):
        if not is_regular(place / part):
            return _missing(folder, f"{place.name}/{_shown(part)}")
    return None


def _missing(folder: Path, name: str) -> str:
    return f"{name} is missing in {folder}: fetch the model again, or take the folder away."


def _unreadable(folder: Path, name: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return _missing(folder, name)
    if isinstance(error, PermissionError):
        return f"{name} in {folder} may not be read: give your user read access to it, or take the folder away."
    if isinstance(error, OSError):
        return f"{name} in {folder} cannot be read ({error.strerror}): fetch it again, or take the folder away."
    return f"{name} in {folder} {error}: fetch it again."


def _shown(value: object) -> str:
    """Return a value of a file as a message may hold it: `repr` of something deep or long never ends."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _read_or_nothing(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file, an empty one when there is none."""
    try:
        return read_object(path)
    except (OSError, ValueError):
        return {}
