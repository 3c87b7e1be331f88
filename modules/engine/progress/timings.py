"""How long the phases of a job took before: learned by model, size and device, kept in a file an engine.

What is kept are the last few values of each phase; a guess is their median. A size that was never drawn is guessed from
the nearest one that was.
"""

from __future__ import annotations

import json
import logging
import math
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field

from modules.errors import StorageError
from modules.paths import set_aside, write_atomically

logger = logging.getLogger(__name__)

Kind = Literal[
    "load", "encode", "prepare", "upscale", "upscale_plain", "first", "first_after_load", "step", "decode", "save",
    "preview_full", "preview_small", "preview_linear",
]  # fmt: skip

_VERSION = 1
_VALUES_KEPT = 5
_MODELS_KEPT = 64
_SIZES_KEPT = 24
_LONGEST_BELIEVED_SECONDS = 24 * 3600.0
_FARTHEST_GUESS = 64.0  # how many times larger or smaller a size may be to be guessed from


class Size(NamedTuple):
    """What a call of a network works on: `rows` of so many pixels. The denoiser has two for a picture with guidance."""

    width: int
    height: int
    rows: int = 1

    @property
    def cells(self) -> int:
        """How many pixels all rows have."""
        return self.width * self.height * self.rows


_Name = Annotated[str, Field(pattern=r"^([1-9]\d{0,6}x[1-9]\d{0,6}x[1-9]\d{0,6})?$")]  # "512x768x2", or "": any size
_Seconds = Annotated[float, Field(ge=0, le=_LONGEST_BELIEVED_SECONDS, allow_inf_nan=False)]
_Sizes = dict[_Name, Annotated[list[_Seconds], Field(min_length=1)]]  # the newest values last


class _Model(BaseModel):
    phases: dict[str, _Sizes] = {}


class _File(BaseModel):
    version: int = _VERSION
    models: dict[str, _Model]  # the one that was used last is last


@dataclass(frozen=True)
class Experience:
    """What is known of one model under the circumstances of one job."""

    timings: Timings
    model: str

    def seconds(self, kind: Kind, size: Size | None = None) -> float | None:
        """Return how long it takes, at a size where that counts; None: not known."""
        return self.timings.seconds(self.model, kind, size)

    def learn(self, kind: Kind, seconds: float, size: Size | None = None) -> None:
        """Remember how long it took."""
        self.timings.learn(self.model, kind, seconds, size)


class Timings:
    """All that is known. Any thread. A file that cannot be read or written costs the knowledge, never a job.

    An engine that has no file yet begins with what is in `inherited`, which stays as it is.
    """

    def __init__(self, path: Path, inherited: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._changed = False
        self._told: set[str] = set()
        self._models = self._read(path if inherited is None or path.exists() else inherited)

    def under(self, model: str, dtype: str, device: str, threads: int) -> Experience:
        """Return what is known of a model under these circumstances."""
        return Experience(self, f"{model} {dtype} {device} {threads}")

    def seconds(self, model: str, kind: Kind, size: Size | None) -> float | None:
        """Return how long a phase takes; None when nothing like it was done yet."""
        with self._lock:
            sizes = self._models.get(model, _Model()).phases.get(kind, {})
            known = sizes.get(_name(size))
            if known is not None:
                return statistics.median(known)
            return None if size is None else _from_nearest(sizes, size.cells)

    def learn(self, model: str, kind: Kind, seconds: float, size: Size | None) -> None:
        """Remember how long a phase took. What cannot be (a clock that was set) is not believed."""
        if not 0.0 <= seconds <= _LONGEST_BELIEVED_SECONDS:
            return
        with self._lock:
            known = self._models[model] = self._models.pop(model, _Model())
            sizes = known.phases.setdefault(kind, {})
            sizes[_name(size)] = [*sizes.pop(_name(size), []), round(seconds, 6)][-_VALUES_KEPT:]
            _keep_newest(sizes, _SIZES_KEPT)
            _keep_newest(self._models, _MODELS_KEPT)
            self._changed = True

    def save(self) -> None:
        """Write what was learned since the last time, if anything. A disk that refuses is told once."""
        with self._lock:
            if not self._changed:
                return
            text = _File(models=self._models).model_dump_json()
            self._changed = False
        try:
            write_atomically(self._path, text.encode(), sole_writer=True)
        except StorageError as error:
            with self._lock:
                self._changed = True
            self._tell(f"{error} How long jobs take is not remembered until then.")

    def _read(self, path: Path) -> dict[str, _Model]:
        """Return the models that a file holds. One of another version teaches nothing."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._tell(f"{path} cannot be read ({error}): how long jobs take is learned anew.")
            return {}
        try:
            stored = json.loads(data)
            models = _File.model_validate(stored).models if stored["version"] == _VERSION else {}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            _set_aside(path, error)
            return {}
        _keep_newest(models, _MODELS_KEPT)
        return models

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            logger.warning("%s", message)


def _set_aside(path: Path, reason: Exception) -> None:
    try:
        aside = set_aside(path).name
    except StorageError as error:
        aside = f"left where it is ({error})"
    logger.warning("%s was corrupt (%s) and is now %s: times are learned anew.", path.name, reason, aside)


def _name(size: Size | None) -> str:
    return "" if size is None else f"{size.width}x{size.height}x{size.rows}"


def _keep_newest(entries: dict[str, Any], count: int) -> None:
    for name in list(entries)[: max(0, len(entries) - count)]:
        del entries[name]


def _from_nearest(sizes: _Sizes, wanted: int) -> float | None:
    """Guess a size from the one or two nearest to it: the time is taken to grow as a power of the pixels."""

    def distance(known: tuple[int, float]) -> float:
        return abs(math.log(wanted / known[0]))

    known = [(Size(*map(int, name.split("x"))).cells, statistics.median(its)) for name, its in sizes.items() if name]
    known.sort(key=distance)
    if not known or distance(known[0]) > math.log(_FARTHEST_GUESS):
        return None
    (near, seconds), *others = known
    guess: float = seconds * (wanted / near) ** _exponent(near, seconds, others)
    return guess


def _exponent(near: int, seconds: float, others: Sequence[tuple[int, float]]) -> float:
    """Return how the time grows with the pixels: 1 with one size known, else as between the nearest two that differ."""
    for far, other in others:
        if abs(math.log(far / near)) > math.log(1.3) and min(seconds, other) > 0:
            return min(max(math.log(other / seconds) / math.log(far / near), 0.3), 2.0)
    return 1.0
