"""A model to draw with, and whether it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from modules.errors import ModelError
from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.models.names import without_suffix

SHORT_HASH_LENGTH = 10


@dataclass(frozen=True)
class Checkpoint:
    """A model. `problem` names what it lacks, None when it can be used; sizes are in pixels.

    `path` is its folder or its single file, as `kind` says. `stamp` tells one state of its files from another.
    `family` is a name of `families.py`, or the class of its pipeline where that has none; `variant` such as "turbo" or
    "inpaint". `number_format` is that of most of its weights, such as "fp16"; `prediction` is "epsilon", "v", "flow" or
    "edm".
    `parts` are files beside a single file that it is drawn with, by the part's name in the pipeline ("text_encoder").
    `needs` are the parts that are not inside it, each with the kind that does it ("t5xxl", a VAE "flux").
    `old_hash` are the eight digits that A1111's first versions knew a single file by, "" where there are none.
    `modified_at` is in seconds.
    """

    name: str
    path: Path
    kind: Literal["folder", "file"]
    native_width: int
    native_height: int
    sha256: str | None
    defaults: ModelDefaults
    tokenizer_file: Path | None
    problem: str | None
    stamp: str = ""
    family: str = ""
    variant: str = ""
    number_format: str = ""
    prediction: str = ""
    size_bytes: int = 0
    parts: Mapping[str, Path] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    old_hash: str = ""
    modified_at: float = 0.0

    @property
    def name_without_suffix(self) -> str:
        """The name as A1111 knows a single file: "dream" for "dream.safetensors"."""
        return without_suffix(self.name) if self.kind == "file" else self.name

    @property
    def folder(self) -> Path:
        """The folder with its parts.

        Raises:
            ModelError: it is a single file.
        """
        if self.kind == "file":
            raise ModelError(f"{self.path} is a single file, which has no parts.")
        return self.path

    @property
    def short_hash(self) -> str | None:
        """The ten hexadecimal digits that infotext and titles show."""
        return self.sha256[:SHORT_HASH_LENGTH] if self.sha256 else None

    @property
    def title(self) -> str:
        """The name as REST clients know it, with the hash once that is known."""
        return f"{self.name} [{self.short_hash}]" if self.short_hash else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """What else than its name it may be asked for by."""
        return tuple(name for name in (self.title, self.short_hash, self.sha256, self.old_hash) if name)

    def check_usable(self) -> None:
        """Check that nothing is missing.

        Raises:
            ModelError: something is; the message names the file and the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"Checkpoint {self.name} cannot be used: {self.problem}")
