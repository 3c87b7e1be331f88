"""What lies in a models folder: which of it are models, and how each stands. Nothing there can raise."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from modules.jobs.models import diffusers_folder
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults, read_defaults
from modules.jobs.models.safetensors_file import find_damage
from modules.prompts.symbols import read_symbols

logger = logging.getLogger(__name__)

_FALLBACK_SIDE = 512
_LONGEST_REASON = 200
_SINGLE_FILES = (".safetensors", ".ckpt")
_FILES_IN_A_FOLDER_AT_MOST = 1000
# What a load reads; a picture or a text beside it may change at any time.
_LOADED_SUFFIXES = (".safetensors", ".json", ".txt", ".model")

_NOT_YET = (
    "this version draws with models in diffusers layout only, and single files come with a later one. Until then "
    'convert it: StableDiffusionPipeline.from_single_file("…").save_pretrained("…").'
)


def find_models(place: Path) -> list[tuple[str, Path]]:
    """Return name and path of each model in `place`: folders, and single files, also those in folders that sort them.

    `place` itself is told where it is there and cannot be listed.
    """
    found: list[tuple[str, Path]] = []
    try:
        paths = sorted(place.iterdir())
    except FileNotFoundError:
        return []
    except OSError:
        return [(readable(place.name), place)]
    for path in paths:
        if path.name.startswith("."):
            continue
        if not _is_folder(path):
            found += [(readable(path.name), path)] if _is_single_file(path) else []
        else:
            sorted_in = _single_files_in(path)
            found += [(readable(f"{path.name}/{file.name}"), file) for file in sorted_in] or [
                (readable(path.name), path)
            ]
    return found


def look_at(name: str, path: Path) -> Checkpoint:
    """Return the model as it is now, not hashed. Whatever an odd one brings about is its own problem, nobody else's."""
    stamp = stamp_of(path)
    try:
        return replace(_look_at(name, path), stamp=stamp)
    except Exception as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        logger.warning("The model %s cannot be read: %s", name, readable(reason))
        problem = f"{path} cannot be read ({reason}): give your user read access to it, or take it away."
        return _unusable(name, path, problem)


def stamp_of(path: Path) -> str:
    """Return what tells one state of a model's files from another, by size and time; "" when they cannot be seen."""
    try:
        facts = sorted(_facts_of(path))
    except OSError:
        return ""
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def readable(text: str) -> str:
    """Return text that can be sent: names on disk may hold bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()


def _look_at(name: str, path: Path) -> Checkpoint:
    if readable(str(path)) != str(path):
        return _unusable(name, path, f"The name of {path} is not UTF-8: rename it.")
    if path.suffix.lower() in _SINGLE_FILES and not _is_folder(path):
        return _single_file(name, path)
    defaults, defaults_problem = read_defaults(path)
    problem = diffusers_folder.find_problem(path) or defaults_problem or _find_problem_of_symbols(path)
    if problem is not None:
        return replace(_unusable(name, path, problem), defaults=defaults)
    width, height = diffusers_folder.native_size(path)
    return Checkpoint(
        name=name,
        path=path,
        kind="folder",
        native_width=width,
        native_height=height,
        sha256=None,
        defaults=defaults,
        tokenizer_file=diffusers_folder.tokenizer_file(path),
        problem=None,
    )


def _find_problem_of_symbols(path: Path) -> str | None:
    try:
        read_symbols(path)
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except ValueError as error:
        reason = str(error)
    else:
        return None
    return f"symbols.json in {path} {reason}: repair it, or take it away."


def _single_file(name: str, path: Path) -> Checkpoint:
    problem = f"{path} is a single file: {_NOT_YET}"
    if path.suffix.lower() == ".ckpt":
        problem = f"{path} is a pickle, which can run code, so it is not read: use a safetensors of the same model."
    elif damage := find_damage(path):
        problem = f"{path} {damage}: fetch it again."
    return replace(_unusable(name, path, problem), kind="file")


def _unusable(name: str, path: Path, problem: str) -> Checkpoint:
    return Checkpoint(
        name=name,
        path=path,
        kind="folder",
        native_width=_FALLBACK_SIDE,
        native_height=_FALLBACK_SIDE,
        sha256=None,
        defaults=ModelDefaults(),
        tokenizer_file=None,
        problem=readable(problem),
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return True  # It may be one: looking at it tells what is wrong.


def _is_single_file(path: Path) -> bool:
    """Tell whether this is a checkpoint; A1111's folders have VAEs beside them, "name.vae.safetensors"."""
    return path.suffix.lower() in _SINGLE_FILES and not path.stem.lower().endswith(".vae")


def _single_files_in(folder: Path) -> list[Path]:
    """Return the single files that people sorted into a folder; none where it is a model itself."""
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return []
    if "model_index.json" in names:
        return []
    return [folder / name for name in sorted(names) if _is_single_file(folder / name)][:_FILES_IN_A_FOLDER_AT_MOST]


def _facts_of(path: Path) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield name, size, time, inode and rights of each file that a load reads, links followed."""
    if not path.is_dir():
        yield _fact_of(path.name, path.stat())
        return
    for place in (path, *(Path(entry.path) for entry in os.scandir(path) if entry.is_dir())):
        yield _fact_of(str(place), place.stat())
        for entry in os.scandir(place):
            if entry.name.endswith(_LOADED_SUFFIXES):
                yield _fact_of(entry.path, entry.stat())


def _fact_of(name: str, status: os.stat_result) -> tuple[str, int, int, int, int]:
    if stat.S_ISDIR(status.st_mode):
        return name, 0, 0, status.st_ino, status.st_mode
    return name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode
