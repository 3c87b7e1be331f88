"""The models as the Models tab and REST clients name them: each has an id, so that no client ever sends a path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modules.api.answers import Refused
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import label_of

CHECKPOINT = "checkpoint"
KIND_LABELS = {CHECKPOINT: "Checkpoint"}
_ID_LENGTH = 20


@dataclass(frozen=True)
class Entry:
    """A model with what is known of it. `names` are all by which a job may mean it; `modified_at` is in seconds.

    `family_label` is its family in words, `model_label` with its variant.
    """

    id: str
    kind: str
    name: str
    path: Path
    names: frozenset[str]
    title: str
    sha256: str | None
    family: str
    family_label: str
    model_label: str
    variant: str
    number_format: str
    size_bytes: int
    modified_at: float
    problem: str | None

    @property
    def stem(self) -> str:
        """The name of its file or folder without suffix: that with which the names of its side-cars begin."""
        return self.path.name if self.path.is_dir() else self.path.stem


def entries(catalogue: CheckpointCatalogue) -> Iterator[Entry]:
    """Yield all models that are known, by name."""
    for checkpoint in catalogue.list():
        yield _of_checkpoint(checkpoint)


def find_entry(catalogue: CheckpointCatalogue, model_id: str) -> Entry:
    """Return the model with this id.

    Raises:
        Refused: 404, there is none, or not any more.
    """
    for entry in entries(catalogue):
        if entry.id == model_id:
            return entry
    raise Refused(404, f"There is no model {model_id!r}, or not any more: GET /sdapi/v1/models lists those there are.")


def _of_checkpoint(checkpoint: Checkpoint) -> Entry:
    named = (checkpoint.name, checkpoint.name_without_suffix, checkpoint.title, checkpoint.short_hash,
             checkpoint.sha256)  # fmt: skip
    size_bytes, modified_at = _size_and_time(checkpoint)
    return Entry(
        id=_id_of(CHECKPOINT, checkpoint.path),
        kind=CHECKPOINT,
        name=checkpoint.name,
        path=checkpoint.path,
        names=frozenset(name for name in named if name),
        title=checkpoint.title,
        sha256=checkpoint.sha256,
        family=checkpoint.family,
        family_label=label_of(checkpoint.family),
        model_label=label_of(checkpoint.family, checkpoint.variant),
        variant=checkpoint.variant,
        number_format=checkpoint.number_format,
        size_bytes=size_bytes,
        modified_at=modified_at,
        problem=checkpoint.problem,
    )


def _size_and_time(checkpoint: Checkpoint) -> tuple[int, float]:
    try:
        status = checkpoint.path.stat()
    except OSError:
        return checkpoint.size_bytes, 0.0
    is_file = checkpoint.kind == "file"
    return checkpoint.size_bytes or (status.st_size if is_file else 0), status.st_mtime


def _id_of(kind: str, path: Path) -> str:
    return hashlib.sha256(f"{kind}\0{path}".encode(errors="surrogateescape")).hexdigest()[:_ID_LENGTH]
