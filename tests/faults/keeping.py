"""Pictures that jobs start from are taken in."""

import io
import time
from pathlib import Path
from typing import Any

from PIL import Image

from modules.errors import InputGone, StorageError
from modules.jobs.inputs.inputs import Inputs
from tests.faults.disk import Disk, Fault
from tests.faults.runner import hashes
from tests.faults.storing import Diary

COLOURS = ("red", "green", "blue")


class TakingIn:
    """One is there before, and it and two more are sent: what was told as kept is there, and nothing is half."""

    def warm(self, folder: Path) -> None:
        """Let Pillow load what it reads pictures with."""
        Inputs(folder / "warm").take_in(picture("red"))

    def prepare(self, root: Path) -> None:
        self._inputs(root).take_in(picture(COLOURS[0]))

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        diary = Diary(root)
        for colour in COLOURS:
            try:
                diary.note({"kept": self._inputs(root).take_in(picture(colour)).name})
            except StorageError as error:
                diary.note({"refused": str(error)})

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        inputs, told = self._inputs(root), Diary(root).read()
        problems = [
            f"told as {one['refused']!r}" for one in told if "No space left" not in one.get("refused", "No space left")
        ]
        there = {path.name for path in inputs.folder.glob("*.png")}
        for name in there | {one["kept"] for one in told if "kept" in one}:
            try:
                inputs.read(name)
            except InputGone as error:
                problems.append(str(error))
        for colour in COLOURS:
            inputs.take_in(picture(colour))
        left = [path.name for path in inputs.folder.iterdir() if not path.name.endswith(".png")]
        problems += [f"{name} is left over" for name in left if fault == "full"]
        inputs.sweep(lambda: wanted.keys(), time.time() + 60)
        problems += [f"{name} is not swept away" for name in left if (inputs.folder / name).exists()]
        return problems + ([] if self.outcome(root) == wanted else [f"{self.outcome(root)} is there"])

    def outcome(self, root: Path) -> Any:
        return hashes(root / "inputs", "*")

    def _inputs(self, root: Path) -> Inputs:
        return Inputs(root / "inputs")


def picture(colour: str) -> bytes:
    """Return a picture's file as somebody sends it."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    return buffer.getvalue()
