"""A job with nothing left open, of whatever kind: words, sources and passes. The engine knows no more of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Words(_Frozen):
    """What people wrote."""

    prompt: str
    negative_prompt: str


class Source(_Frozen):
    """A model that is drawn with: its name in the lists, and the SHA-256 of what is loaded of it."""

    name: str
    hash: str

    @property
    def short_hash(self) -> str:
        """The hash as infotext shows it."""
        return self.hash[:SHORT_HASH_LENGTH]


class Sources(_Frozen):
    """All models that a job is drawn with."""

    checkpoint: Source


class Pass(_Frozen):
    """One run of the denoiser. It begins at the step `begin`, where 0 is noise; sizes are in pixels."""

    width: int
    height: int
    steps: int
    sampler_name: str
    scheduler: str
    cfg_scale: float
    begin: int = 0


class Saving(_Frozen):
    """What becomes of the pictures: which are kept as files, and what their infotext tells."""

    save_images: bool
    save_partial: bool
    mark_partial: bool
    add_model_name_to_info: bool
    add_model_hash_to_info: bool
    add_version_to_infotext: bool


class ResolvedJob(_Frozen):
    """All that decides the pictures of a job. The same values give the same bits on the same machine.

    Each picture goes through all passes, in order. `environment` is what the bits depend on beside the other values;
    None is unknown.
    """

    kind: str
    words: Words
    sources: Sources
    passes: tuple[Pass, ...]
    seed: int
    batch_size: int
    n_iter: int
    dtype: str
    threads: int
    version: str
    saving: Saving
    environment: dict[str, str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_row(cls, data: Any) -> Any:
        return _from_flat(data) if isinstance(data, Mapping) and "passes" not in data else data

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self.batch_size * self.n_iter

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finished pictures: those of the last pass."""
        return self.passes[-1].width, self.passes[-1].height

    def seed_of(self, index: int) -> int:
        """Return the seed of the picture with this index; picture i of a batch is the one that seed + i gives alone."""
        return self.seed + index


def _from_flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the versions that knew one kind and one pass: all values stood side by side."""

    def values(form: type[BaseModel]) -> dict[str, Any]:
        return {name: row[name] for name in form.model_fields if name in row}

    return values(ResolvedJob) | {
        "kind": "txt2img",
        "words": values(Words),
        "sources": {"checkpoint": {"name": row.get("checkpoint"), "hash": row.get("checkpoint_hash")}},
        "passes": [values(Pass)],
        "saving": {"mark_partial": True} | values(Saving),
    }
