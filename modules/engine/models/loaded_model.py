"""A model in memory, and what tells it from others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.engine.families.base import Family
from modules.engine.models.changed_weights import ChangedWeights
from modules.engine.models.offload import Offload
from modules.prompts.symbols import NO_SYMBOLS, Symbols


@dataclass(frozen=True)
class ModelKey:
    """What a loaded model is known by: the folder or the single file, its weights, and how they are held.

    `stamp` changes with any file that a load reads, such as the scheduler's configuration.
    With `offload` networks are on an accelerator only while they work: slower, with less of the device's memory.
    The rest is of a single file, which does not say it: what it is by the names of `jobs/models/families.py`, what its
    denoiser predicts, and the files beside it by the part of the pipeline that each holds.
    """

    path: Path
    sha256: str
    dtype: str
    offload: Offload = ""
    stamp: str = ""
    family: str = ""
    variant: str = ""
    prediction: str = ""
    parts: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. `symbols` are the words that it reads for characters, `changed` what LoRAs did to it."""

    key: ModelKey
    family: Family
    pipeline: Any
    preview: dict[str, Any] | None
    symbols: Symbols = NO_SYMBOLS
    changed: ChangedWeights = field(default_factory=ChangedWeights, compare=False, repr=False)

    @property
    def denoiser(self) -> Any:
        """The network that takes the noise away."""
        return getattr(self.pipeline, self.family.denoiser)
