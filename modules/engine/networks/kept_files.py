"""Files of LoRAs that were read, kept for the next job: another strength is then a matter of computing alone."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.single_file.tensor_file import Progress
from modules.engine.networks.block_weights import strength_in
from modules.engine.networks.fitting import Fitting, fit
from modules.engine.networks.lora_file import LoraFile
from modules.engine.networks.module_names import ModuleNames
from modules.engine.networks.textual_inversion import Vectors, vectors_of
from modules.errors import ModelError
from modules.jobs.models.vae_file import stamp_of_file

_KEPT_AT_MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Wanted:
    """A LoRA that a prompt asks for: its name there, its file, and how much of it.

    `te` is the strength in text encoders, `unet` in the denoiser; `rank_used` the first ranks that count, None: all.
    `blocks` are the strengths in the blocks of a UNet, where they differ.
    """

    name: str
    path: Path
    sha256: str
    stamp: str
    te: float = 1.0
    unet: float = 1.0
    rank_used: int | None = None
    blocks: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.sha256} {self.te!r} {self.unet!r} {self.rank_used} {self.blocks}"

    def said_of(self, component: str) -> str:
        """Return what tells its use in one component from others there."""
        return f"{self.sha256} {self._in(component)!r} {self.rank_used} {self.blocks}"

    def strength(self, component: str, block: str) -> float:
        """Return how much of it is used in a module of a component, which lies in a block of a UNet; "": in none."""
        return self._in(component) * (strength_in(dict(self.blocks), block) if self.blocks else 1.0)

    def _in(self, component: str) -> float:
        return self.te if component.startswith("text_encoder") else self.unet


@dataclass(frozen=True)
class _Kept:
    file: LoraFile
    fittings: WeakKeyDictionary[Any, Fitting] = field(default_factory=WeakKeyDictionary)  # by pipeline


class KeptFiles:
    """Keeps those that were used last, 512 MiB of the machine's memory at most, beside what models take."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @property
    def keys(self) -> frozenset[str]:
        """The hashes of those that are kept."""
        return frozenset(self._kept)

    def fitting(
        self, wanted: Wanted, model: LoadedModel, names: ModuleNames, opened: ExitStack, progress: Progress
    ) -> Fitting:
        """Return what of a file a model can use. One that is too large to be kept stays open as long as `opened`.

        Raises:
            ModelError: it cannot be read, is damaged, or was changed since its hash was taken.
        """
        kept = self._get(wanted, opened, progress)
        fitting = kept.fittings.get(model.pipeline)
        if fitting is None:
            components = model.pipeline.components
            networks = {name: one for name, one in components.items() if one is not None}
            fitting = kept.fittings[model.pipeline] = fit(wanted.name, kept.file, model.key.path.name, names, networks)
        return fitting

    def bundled(self, wanted: Wanted, opened: ExitStack, progress: Progress) -> dict[str, Vectors]:
        """Return the textual inversions within a file, by word.

        Raises:
            ModelError: as `fitting`; or what it has for a word are no vectors.
        """
        found: dict[str, Vectors] = {}
        for word, tensors in self._get(wanted, opened, progress).file.bundled.items():
            try:
                found[word] = vectors_of({name: one.read(progress) for name, one in tensors.items()})
            except ValueError as error:
                raise ModelError(f"{wanted.path} {error} for {word[:80]!r}: use another file.") from error
        return found

    def forget(self) -> None:
        """Drop all that is kept; for when memory is to be given back."""
        self._kept.clear()

    def _get(self, wanted: Wanted, opened: ExitStack, progress: Progress) -> _Kept:
        kept = self._kept.get(wanted.sha256) or self._open(wanted, opened, progress)
        if wanted.sha256 in self._kept:
            self._kept.move_to_end(wanted.sha256)
        return kept

    def _open(self, wanted: Wanted, opened: ExitStack, progress: Progress) -> _Kept:
        file = LoraFile.open(wanted.path, progress)
        opened.callback(file.close)
        if stamp_of_file(wanted.path) != wanted.stamp:
            raise ModelError(f"The LoRA {wanted.name} was changed while it was read: submit the job again.")
        size = file.bytes
        if size > _KEPT_AT_MOST_BYTES:
            return _Kept(file)
        kept = _Kept(file.held(progress))
        while self._kept and sum(one.file.bytes for one in self._kept.values()) + size > _KEPT_AT_MOST_BYTES:
            self._kept.popitem(last=False)
        self._kept[wanted.sha256] = kept
        return kept
