"""A file of a LoRA or its kin: its adapters, each with the module that it says to be for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

import torch

from modules.engine.models.single_file.stored import Stored, stored_tensors
from modules.engine.models.single_file.tensor_file import Progress, TensorFile
from modules.engine.networks.file_names import bundled_part, part_of
from modules.engine.networks.kinds import Parts, Settings
from modules.errors import ModelError

_METADATA_OF_PEFT = "lora_adapter_metadata"
_LARGEST_ALPHA = 1e6
_NAMES_OF_COMPONENTS = {"denoiser": ("unet", "transformer"), "te1": ("text_encoder",), "te2": ("text_encoder_2",),
                        "te3": ("text_encoder_3",)}  # fmt: skip


class Source(Protocol):
    """A tensor of a file, that is read when it is asked for, or was read before."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    def read(self, progress: Progress) -> torch.Tensor:
        """Return it, on the CPU."""


@dataclass(frozen=True, eq=False)
class Held:
    """A tensor that was read."""

    tensor: torch.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.tensor.shape)

    def read(self, progress: Progress) -> torch.Tensor:
        """Return it."""
        return self.tensor


@dataclass(frozen=True)
class Adapter:
    """What changes one module: its tensors, by the names of `file_names.py`."""

    network: str
    path: str
    stored: Mapping[str, Source]
    settings: Settings

    def shapes(self) -> dict[str, torch.Tensor]:
        """Return tensors without numbers, in the shapes of its own."""
        return {part: torch.empty(one.shape, device="meta") for part, one in self.stored.items()}

    def read(self, device: torch.device | None, progress: Progress) -> Parts:
        """Return its tensors, float32, on a device; None: on the CPU.

        Raises:
            ModelError: the file became shorter since it was opened.
        """
        return {part: one.read(progress).to(device).to(torch.float32) for part, one in self.stored.items()}

    def held(self, progress: Progress) -> Adapter:
        """Return it with its tensors read."""
        return replace(self, stored={part: Held(one.read(progress)) for part, one in self.stored.items()})


@dataclass(frozen=True)
class LoraFile:
    """An open file. `unknown` are tensors that belong to no adapter; `bundled` the textual inversions within, by word.

    Raises:
        ModelError: it cannot be read, is damaged, or is stored in a way that is not read.
    """

    file: TensorFile
    adapters: tuple[Adapter, ...]
    unknown: tuple[str, ...]
    bundled: Mapping[str, Mapping[str, Source]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, progress: Progress) -> Self:
        """Open a file and look at its names; `progress` is told between two of them, and what it raises ends that."""
        file = TensorFile(path)
        try:
            return cls._of(file, progress)
        except BaseException:
            file.close()
            raise

    @classmethod
    def _of(cls, file: TensorFile, progress: Progress) -> Self:
        found: dict[tuple[str, str], dict[str, Stored]] = {}
        bundled: dict[str, dict[str, Stored]] = {}
        unknown: list[str] = []
        for name, stored in stored_tensors(file).items():
            if word := bundled_part(name):
                bundled.setdefault(word[0], {})[word[1]] = stored
            elif part := part_of(name):
                found.setdefault((part.network, part.path), {})[part.part] = stored
            else:
                unknown.append(name)
        strength_of = _strengths_of_peft(file.header.metadata)
        adapters = []
        for (network, path), parts in found.items():
            settings = _settings(file, parts, progress)
            ranks = parts["down"].shape[:1] if "down" in parts else ()
            if settings.alpha is None and any(ranks):
                settings = replace(settings, strength=strength_of(network, path, ranks[0]))
            adapters.append(Adapter(network, path, parts, settings))
        return cls(file, tuple(adapters), tuple(unknown), bundled)

    @property
    def bytes(self) -> int:
        """How many bytes its tensors take."""
        return sum(one.end - one.start for one in self.file.header.tensors.values())

    def held(self, progress: Progress) -> LoraFile:
        """Return it with all its tensors read, and close the file.

        Raises:
            ModelError: the file became shorter since it was opened.
        """
        adapters = tuple(one.held(progress) for one in self.adapters)
        bundled = {
            word: {name: Held(one.read(progress)) for name, one in its.items()} for word, its in self.bundled.items()
        }
        self.close()
        return replace(self, adapters=adapters, bundled=bundled)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _settings(file: TensorFile, parts: dict[str, Stored], progress: Progress) -> Settings:
    """Return what stands in an adapter's small tensors, and take these out of its parts."""
    values: dict[str, float] = {}
    for name in ("alpha", "on_input"):
        stored = parts.pop(name, None) if name == "alpha" else parts.get(name)
        if stored is None:
            continue
        read = stored.read(progress).to(torch.float32).flatten()
        if read.numel() != 1 or not torch.isfinite(read).all():
            raise ModelError(f"{file.path} has a tensor {stored.name[:80]} that is no one number: fetch it again.")
        values[name] = float(read[0])
    return Settings(values.get("alpha"), on_input=bool(values.get("on_input")))


def _strengths_of_peft(metadata: Mapping[str, str]) -> Callable[[str, str, int], float | None]:
    """Return what tells the strength of an adapter by its network, path and rank, where only peft's metadata say it.

    They have one alpha for all modules, and others by patterns for some of them; None: they say nothing.
    """
    try:
        said: Any = json.loads(metadata.get(_METADATA_OF_PEFT, "{}"))
    except (ValueError, RecursionError):
        said = {}
    known = said if isinstance(said, dict) else {}

    def strength(network: str, path: str, rank: int) -> float | None:
        for component in (*_NAMES_OF_COMPONENTS[network], ""):
            before = f"{component}." if component else ""
            alpha = _by_pattern(known.get(f"{before}alpha_pattern"), path) or known.get(f"{before}lora_alpha")
            if isinstance(alpha, int | float) and abs(alpha) <= _LARGEST_ALPHA:
                root = bool(known.get(f"{before}use_rslora"))
                return alpha / (math.sqrt(rank) if root else rank)
        return None

    return strength


def _by_pattern(patterns: Any, path: str) -> Any:
    """Return the value of the first pattern that a path ends with; dots and _ are one here."""
    if not isinstance(patterns, dict):
        return None
    for pattern, value in patterns.items():
        plain = re.sub(r"[^\w]+", "_", pattern.replace(r"\.", "."))
        if path == plain.strip("_") or path.endswith("_" + plain.strip("_")):
            return value
    return None
