"""The number format that a processor draws fastest in, measured once and kept in the data folder."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, Field, ValidationError

from modules.engine.models.devices import DenoiserKind
from modules.engine.models.format_measuring import measure_formats
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.errors import StorageError
from modules.paths import write_atomically

logger = logging.getLogger(__name__)

CpuFormat = Literal["float32", "bfloat16"]
# The seconds that each format takes, of a kind of denoiser on so many threads; it raises as `measure_formats` does.
Measure = Callable[[DenoiserKind, int, Callable[[], None]], dict[str, float]]

# bfloat16 rounds to three digits: for less than this of the time it is not worth it.
_WORTH_IT = 1 / 1.1
_CHOICES_KEPT = 64

_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Choice(BaseModel):
    """A format, and the seconds by which it was chosen."""

    format: CpuFormat
    float32_seconds: _Seconds
    bfloat16_seconds: _Seconds


class _File(BaseModel):
    version: Literal[1] = 1
    choices: dict[str, _Choice]  # the newest is last


class CpuFormats:
    """What was chosen on this machine. For the thread that draws.

    A choice stands: by processor, torch, threads and kind of denoiser, so that a machine goes on drawing the same bits.
    A file that cannot be read or written costs a measurement, never a job.
    """

    def __init__(self, path: Path, measure: Measure = measure_formats, processor: str | None = None) -> None:
        self._path = path
        self._measure = measure
        self._processor = processor_name() if processor is None else processor
        self._known: dict[str, _Choice] = {}

    def fastest(self, kind: DenoiserKind, threads: int, check: Callable[[], None]) -> CpuFormat:
        """Return the format for a kind of denoiser on so many threads; what is not known is measured now.

        bfloat16 only where it is faster by a tenth. `check` is called between the runs of the measurement.

        Raises:
            Interrupted: by `check`; then nothing is chosen.
        """
        name = f"{self._processor}, torch {torch.__version__}, {threads} threads, {kind}"
        if name not in self._known:
            self._known = self._read() | self._known
        if name not in self._known:
            choice = self._measured(kind, threads, check)
            if choice is None:
                return "float32"
            logger.info("%s: %s", name, choice)
            self._known[name] = choice
            self._write()
        return self._known[name].format

    def _measured(self, kind: DenoiserKind, threads: int, check: Callable[[], None]) -> _Choice | None:
        """Return what is the best now; None: it cannot be measured."""
        try:
            seconds = self._measure(kind, threads, check)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            logger.warning("Number formats cannot be measured (%s): float32 is used.", error)
            return None
        float32, bfloat16 = (max(seconds[name], 1e-9) for name in ("float32", "bfloat16"))
        best: CpuFormat = "bfloat16" if bfloat16 <= _WORTH_IT * float32 else "float32"
        return _Choice(format=best, float32_seconds=float32, bfloat16_seconds=bfloat16)

    def _read(self) -> dict[str, _Choice]:
        """Return what the file holds; one that is damaged or of another version is written over."""
        try:
            return _File.model_validate_json(self._path.read_bytes()).choices
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            logger.warning("%s cannot be read (%s): number formats are measured anew.", self._path, error)
            return {}

    def _write(self) -> None:
        newest = dict(list(self._known.items())[-_CHOICES_KEPT:])
        try:
            write_atomically(self._path, _File(choices=newest).model_dump_json(indent=1).encode())
        except StorageError as error:
            logger.warning("%s The number format is measured again by the next engine.", error)


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return what tells a processor from others: its model, where the system says, and what torch uses of it."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    pairs = [line.partition(":")[::2] for line in text.splitlines()]
    said = {name.strip().lower(): value.strip() for name, value in reversed(pairs)}
    # Arm's have numbers in place of a name.
    model = said.get("model name") or " ".join(said[name] for name in ("cpu implementer", "cpu part") if name in said)
    return f"{model or platform.processor()} {platform.machine()} {torch.backends.cpu.get_cpu_capability()}".strip()
