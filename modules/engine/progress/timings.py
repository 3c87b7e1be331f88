"""How long the phases of a job took before: learned by model, size and device, kept in `data/timings.json`.

What is kept are the last few values of each phase; a guess is their median. A size that was never drawn is guessed from
the nearest one that was.
"""

from __future__ import annotations

import json
import logging
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modules.errors import StorageError
from modules.paths import set_aside, write_atomically

logger = logging.getLogger(__name__)

Kind = Literal[
    "load", "encode", "first", "first_after_load", "step", "decode", "save",
    "preview_full", "preview_small", "preview_linear",
]  # fmt: skip
# Of these the time goes with the picture's size; loading and encoding are the same for all.
_SIZED: frozenset[str] = frozenset(
    {"first", "first_after_load", "step", "decode", "save", "preview_full", "preview_small", "preview_linear"}
)

_VERSION = 1
_VALUES_KEPT = 5
_MODELS_KEPT = 64
_SIZES_KEPT = 24
_LONGEST_BELIEVED_SECONDS = 24 * 3600.0
_FARTHEST_GUESS = 64.0  # how many times larger or smaller a size may be to be guessed from

Sizes = dict[str, list[float]]  # "512x768x2" (the last is rows of the denoiser's batch) or "" -> the newest values last
Phases = dict[str, Sizes]


@dataclass(frozen=True)
class Circumstances:
    """What decides how long the phases of a job take. `rows` of a denoiser's call are told with each question."""

    model: str
    dtype: str
    device: str
    threads: int
    width: int
    height: int

    @property
    def key(self) -> str:
        """What the times of a model are kept under."""
        return f"{self.model} {self.dtype} {self.device} {self.threads}"

    def size(self, kind: Kind, rows: int) -> str:
        """Return the name of a size, empty for what does not depend on it."""
        return f"{self.width}x{self.height}x{rows}" if kind in _SIZED else ""


class Experience:
    """What is known under the circumstances of one job."""

    def __init__(self, timings: Timings, circumstances: Circumstances) -> None:
        self._timings = timings
        self._circumstances = circumstances

    def seconds(self, kind: Kind, rows: int = 1) -> float | None:
        """Return how long it takes, for a call of the denoiser with `rows` rows; None: not known."""
        return self._timings.seconds(self._circumstances, kind, rows)

    def learn(self, kind: Kind, seconds: float, rows: int = 1) -> None:
        """Remember how long it took."""
        self._timings.learn(self._circumstances, kind, seconds, rows)


class Timings:
    """All that is known. Any thread. A file that cannot be read or written costs the knowledge, never a job."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._changed = False
        self._told: set[str] = set()
        self._models: dict[str, dict[str, Any]] = self._read()

    def under(self, circumstances: Circumstances) -> Experience:
        """Return what is known under these circumstances."""
        return Experience(self, circumstances)

    def seconds(self, circumstances: Circumstances, kind: Kind, rows: int = 1) -> float | None:
        """Return how long a phase takes; None when nothing like it was done yet."""
        with self._lock:
            model = self._models.get(circumstances.key)
            sizes: Sizes = model["phases"].get(kind, {}) if model is not None else {}
            if not sizes:
                return None
            known = sizes.get(circumstances.size(kind, rows))
            if known is not None:
                return statistics.median(known)
            return _from_nearest(sizes, circumstances.size(kind, rows))

    def learn(self, circumstances: Circumstances, kind: Kind, seconds: float, rows: int = 1) -> None:
        """Remember how long a phase took. What cannot be (a clock that was set) is not believed."""
        if not 0.0 <= seconds <= _LONGEST_BELIEVED_SECONDS:
            return
        with self._lock:
            model = self._models.pop(circumstances.key, None) or {"phases": {}}
            model["used"] = round(self._clock())
            self._models[circumstances.key] = model  # last: the newest
            sizes: Sizes = model["phases"].setdefault(kind, {})
            size = circumstances.size(kind, rows)
            values = [*sizes.pop(size, []), round(seconds, 6)][-_VALUES_KEPT:]
            sizes[size] = values
            _keep_newest(sizes, _SIZES_KEPT)
            _keep_newest(self._models, _MODELS_KEPT)
            self._changed = True

    def save(self) -> None:
        """Write what was learned since the last time, if anything. A disk that refuses is told once."""
        with self._lock:
            if not self._changed:
                return
            text = json.dumps({"version": _VERSION, "models": self._models}, separators=(",", ":"))
            self._changed = False
        try:
            write_atomically(self._path, text.encode(), sole_writer=True)
        except StorageError as error:
            with self._lock:
                self._changed = True
            self._tell(f"{error} How long jobs take is not remembered until then.")

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._tell(f"{self._path} cannot be read ({error}): how long jobs take is learned anew.")
            return {}
        try:
            return _checked(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._set_aside(error)
            return {}

    def _set_aside(self, reason: Exception) -> None:
        try:
            aside = set_aside(self._path).name
        except StorageError as error:
            aside = f"left where it is ({error})"
        logger.warning("%s was corrupt (%s) and is now %s: times are learned anew.", self._path.name, reason, aside)

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            logger.warning("%s", message)


def _checked(stored: Any) -> dict[str, dict[str, Any]]:
    """Return the models of a file that is whole. One of another version teaches nothing.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not whole.
    """
    if stored["version"] != _VERSION:
        return {}
    for model in stored["models"].values():
        for sizes in model["phases"].values():
            for size, values in sizes.items():
                if _cells(size) is None and size != "":
                    raise ValueError(f"{size!r} is no size")
                if not values or not all(_is_time(value) for value in values):
                    raise ValueError(f"{values!r} are no times")
    models: dict[str, dict[str, Any]] = stored["models"]
    _keep_newest(models, _MODELS_KEPT)
    return models


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0.0 <= value <= _LONGEST_BELIEVED_SECONDS


def _keep_newest(entries: dict[str, Any], count: int) -> None:
    for name in list(entries)[: max(0, len(entries) - count)]:
        del entries[name]


def _cells(size: str) -> float | None:
    """Return how many pixels all rows of a size have; None: it is not the name of one."""
    try:
        width, height, rows = (int(part) for part in size.split("x"))
        cells = float(width * height * rows)
    except (ValueError, OverflowError):
        return None
    return cells if min(width, height, rows) > 0 else None


def _known_sizes(sizes: Sizes) -> Iterator[tuple[float, float]]:
    for size, values in sizes.items():
        cells = _cells(size)
        if cells is not None:
            yield cells, statistics.median(values)


def _from_nearest(sizes: Sizes, wanted: str) -> float | None:
    """Guess a size from the one or two nearest to it: the time is taken to grow as a power of the pixels."""
    cells = _cells(wanted)
    if cells is None:
        return None
    by_distance = sorted(_known_sizes(sizes), key=lambda known: abs(math.log(cells / known[0])))
    if not by_distance or abs(math.log(cells / by_distance[0][0])) > math.log(_FARTHEST_GUESS):
        return None
    (near, seconds), *others = by_distance
    growth: float = (cells / near) ** _exponent(near, seconds, others)
    return seconds * growth


def _exponent(near: float, seconds: float, others: Sequence[tuple[float, float]]) -> float:
    """Return how the time grows with the pixels: 1 with one size known, else as between the nearest two that differ."""
    for far, other in others:
        if abs(math.log(far / near)) > math.log(1.3) and min(seconds, other) > 0:
            return min(max(math.log(other / seconds) / math.log(far / near), 0.3), 2.0)
    return 1.0
