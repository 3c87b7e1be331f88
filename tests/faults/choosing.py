"""An engine chooses number formats by measurements and keeps them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules.engine.models.cpu_formats import CpuFormats
from modules.engine.models.devices import DenoiserKind
from modules.paths import DataFolder
from tests.faults.disk import Disk, Fault


class Choosing:
    """Formats are chosen, one before and three now: those of before stand, and the file is a whole one at any time."""

    NOW = (1, 2, 4)

    def warm(self, folder: Path) -> None:
        """Nothing is slow here."""

    def prepare(self, root: Path) -> None:
        self._formats(root, 0.5).fastest("unet", 1, _go_on)

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        formats = self._formats(root, 0.5)
        for threads in self.NOW:
            for _ in range(2):
                assert formats.fastest("transformer", threads, _go_on) == "bfloat16"

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        left = [path.name for path in root.iterdir() if path.name.endswith(".tmp")]
        before = self._formats(root, 2.0).fastest("unet", 1, _go_on)
        problems = [] if before == "bfloat16" else [f"{before} is drawn in after bfloat16 was chosen"]
        return problems + [f"{name} is left over" for name in left if fault == "full"]

    def outcome(self, root: Path) -> Any:
        return self._formats(root, 2.0).fastest("transformer", self.NOW[-1], _go_on)

    def _formats(self, root: Path, part: float) -> CpuFormats:
        """Return what chooses where bfloat16 takes so much of the time of float32."""

        def measure(kind: DenoiserKind, threads: int, check: Callable[[], None]) -> dict[str, float]:
            return {"float32": 1.0, "bfloat16": part}

        return CpuFormats(DataFolder(root).cpu_formats, measure, "a processor")


def _go_on() -> None:
    """Nothing is to stop."""
