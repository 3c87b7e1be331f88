"""What lies in a models folder: which of it are models, and how each stands. Nothing there can raise."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from modules.jobs.models import diffusers_folder
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.checkpoint_file import is_single_file, look_at_file
from modules.jobs.models.defaults import ModelDefaults, read_defaults
from modules.jobs.models.detection.folder_facts import FolderFacts, look_into_folder
from modules.jobs.models.families import defaults_for, facts_of, label_of
from modules.jobs.models.scan import stamp_of_model
from modules.jobs.models.shelf import readable
from modules.prompts import everyday_words, symbols

logger = logging.getLogger(__name__)

_FALLBACK_SIDE = 512
_LONGEST_REASON = 200
# What a load reads; a picture or a text beside it may change at any time.
_LOADED_SUFFIXES = (".safetensors", ".json", ".txt", ".model")


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


def not_looked_at(name: str, path: Path, kind: Literal["folder", "file"]) -> Checkpoint:
    """Return a model that is to be looked at later: all that is known of it is that it is there."""
    return replace(_unusable(name, path, ""), kind=kind, problem=None)


def stamp_of(path: Path) -> str:
    """Return what tells one state of a model's files from another, by size and time; "" when they cannot be seen."""
    try:
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            return stamp_of_model(str(path), status)
        facts = sorted(_facts_of(path))
    except OSError:
        return ""
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _look_at(name: str, path: Path) -> Checkpoint:
    if readable(str(path)) != str(path):
        return _unusable(name, path, f"The name of {path} is not UTF-8: rename it.")
    if is_single_file(path) and not _is_folder(path):
        return look_at_file(name, path)
    facts = look_into_folder(path)
    defaults, defaults_problem = read_defaults(path, defaults_for(facts.family, facts.variant))
    problem = (
        diffusers_folder.find_problem(path)
        or defaults_problem
        or _find_problem_of_symbols(path)
        or _find_problem_of_variant(path, facts)
    )
    if problem is not None:
        return replace(_unusable(name, path, problem), defaults=defaults, **asdict(facts))
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
        **asdict(facts),
    )


def _find_problem_of_variant(path: Path, facts: FolderFacts) -> str | None:
    """Tell what a variant needs that this version cannot give it."""
    known = facts_of(facts.family, facts.variant)
    if known is None or known.later is None:
        return None
    label = label_of(facts.family, facts.variant)
    return f"{path} is a {label} model, which needs {known.later}: draw with another model until then."


def _find_problem_of_symbols(path: Path) -> str | None:
    for name, read in ((symbols.FILE, symbols.read_symbols), (everyday_words.FILE, everyday_words.read_words)):
        try:
            read(path)
        except OSError as error:
            return f"{name} in {path} cannot be read ({error.strerror}): repair it, or take it away."
        except ValueError as error:
            return f"{name} in {path} {error}: repair it, or take it away."
    return None


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


def _listed(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return list(entries)


def _facts_of(path: Path) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield name, size, time, inode and rights of each file of a folder that a load reads, links followed."""
    for place in (path, *(Path(entry.path) for entry in _listed(path) if entry.is_dir())):
        yield _fact_of(str(place), place.stat())
        for entry in _listed(place):
            if entry.name.endswith(_LOADED_SUFFIXES):
                yield _fact_of(entry.path, entry.stat())


def _fact_of(name: str, status: os.stat_result) -> tuple[str, int, int, int, int]:
    if stat.S_ISDIR(status.st_mode):
        return name, 0, 0, status.st_ino, status.st_mode
    return name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode
