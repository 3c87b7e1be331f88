"""A single file among the checkpoints: what it is, and whether it is drawn with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults, read_defaults_beside
from modules.jobs.models.detection.detect import detect
from modules.jobs.models.detection.found import Found
from modules.jobs.models.detection.problems import say_misplaced
from modules.jobs.models.families import defaults_for, facts_of
from modules.jobs.models.foreign_bytes import say
from modules.jobs.models.shelf import readable
from modules.jobs.models.tensor_file import read_tensor_header
from modules.prompts.shipped_tokenizers import tokenizer_file_of

SUFFIXES = (".safetensors", ".sft", ".gguf")
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
_FALLBACK_SIDE = 512


def is_single_file(path: Path) -> bool:
    """Tell whether a file has a name that a checkpoint may have."""
    return path.suffix.lower() in (*SUFFIXES, *PICKLES)


def look_at_file(name: str, path: Path) -> Checkpoint:
    """Return the checkpoint in a single file as it is now, not hashed and without its companions (`needs`).

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if path.suffix.lower() in PICKLES:
        return replace(_file(name, path, _find_problem_of_pickle(path)), size_bytes=size)
    try:
        found = detect(path)
    except ValueError as error:
        return replace(_file(name, path, f"{path} {say(error)}."), size_bytes=size)
    defaults, defaults_problem = read_defaults_beside(path, defaults_for(found.family, found.variant))
    reason = say_misplaced(found) or found.problem
    side = found.native_side or _FALLBACK_SIDE
    return replace(
        _file(name, path, f"{path} {reason}." if reason else defaults_problem),
        native_width=side,
        native_height=side,
        defaults=defaults,
        tokenizer_file=_tokenizer_file(found),
        size_bytes=size,
        family=found.family,
        variant=found.variant,
        number_format=found.number_format,
        prediction=found.prediction,
        needs=found.needs,
    )


def _find_problem_of_pickle(path: Path) -> str:
    """Say why a file is not read that has the name of a pickle, whether it is one or not."""
    try:
        container = read_tensor_header(path).container
    except ValueError:
        return f"{path} is a pickle, which can run code, so it is not read: use a safetensors of the same model."
    return f"{path} is a {container} file under the name of a pickle: rename it to {path.stem}.{container}."


def _tokenizer_file(found: Found) -> Path | None:
    """Return the file from which the tokens of a prompt are counted: CLIP's, which alone takes texts in chunks."""
    facts = facts_of(found.family, found.variant)
    return tokenizer_file_of("clip_l") if facts is not None and facts.denoiser == "unet" else None


def _file(name: str, path: Path, problem: str | None) -> Checkpoint:
    return Checkpoint(
        name=name,
        path=path,
        kind="file",
        native_width=_FALLBACK_SIDE,
        native_height=_FALLBACK_SIDE,
        sha256=None,
        defaults=ModelDefaults(),
        tokenizer_file=None,
        problem=readable(problem) if problem is not None else None,
    )
