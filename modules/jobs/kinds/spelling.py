"""By which names a job's models read words and characters of its prompts, as rows and files tell it: by a digest.

A model's folder says these names in `words.json` and `symbols.json` (`modules/prompts/symbols.py`). What is told is of
models by their names, and only where a prompt is read otherwise than it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPELLING = "spelling"
_PREFIX = f"{SPELLING}:"
_MODELS_MOST = 8  # that a file may tell of; a job has fewer


def in_environment(spelling: Mapping[str, str]) -> dict[str, str]:
    """Return what an environment says of these digests."""
    return {f"{_PREFIX}{model}": digest for model, digest in spelling.items()}


def of_environment(environment: object) -> dict[str, str]:
    """Return the digests by the models' names that an environment says; nothing where it says nothing."""
    known = environment.items() if isinstance(environment, Mapping) else ()
    return {model: str(digest) for name, digest in known if (model := model_of(str(name))) is not None}


def model_of(name: str) -> str | None:
    """Return the model that a value of an environment tells of; None: it is no digest of names."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


def in_file(resolved: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests by the models' names that a file of this program says of itself."""
    spelling = resolved.get(SPELLING)
    if not isinstance(spelling, Mapping):
        return {}
    told = [(model, digest) for model, digest in spelling.items() if isinstance(model, str) and isinstance(digest, str)]
    return dict(told[:_MODELS_MOST])
