"""The pictures that img2img begins with, kept beside those that it makes: A1111's `save_init_img`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from modules.engine.stopping.interruptible_wait import wait_for
from modules.images.save import save_image
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.starts import Input


def with_saved_starts(resolved: ResolvedJob, inputs: Inputs, folder: Path, check: Callable[[], None]) -> ResolvedJob:
    """Save the pictures that a job begins with in `folder`, and return the job with their hashes.

    One of hires fix is none of them. `check` is called while they are read.

    Raises:
        Interrupted: by `check`.
        SteadyError: a picture is gone, or the disk refuses.
    """
    first = resolved.passes[0]
    if first.start is None or first.enlarging is not None:
        return resolved
    hashes = tuple(wait_for(partial(_saved, one, inputs, folder), check) for one in first.start.pictures)
    start = first.start.model_copy(update={"hashes": hashes})
    return resolved.model_copy(update={"passes": (first.model_copy(update={"start": start}), *resolved.passes[1:])})


def _saved(picture: Input, inputs: Inputs, folder: Path) -> str:
    """Return the MD5 of its pixels, which names the file as with A1111."""
    name = hashlib.md5(inputs.open(picture).tobytes(), usedforsecurity=False).hexdigest()
    path = folder / f"{name}.png"
    if not path.exists():
        save_image(inputs.read(picture.name), path)
    return name
