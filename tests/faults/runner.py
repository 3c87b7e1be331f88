"""Let a scenario meet a fault at every write that it makes, and say what was wrong after it.

`python -m tests.faults.runner SCENARIO FOLDER [FAULT]` prints one JSON object; with FOLDER alone it does so for each
scenario that a line of its input names. Every run is a fork of this process, which has imported all there is and
started no thread.
"""

import gc
import hashlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.faults.disk import Disk, Fault

POINTS_AT_MOST = 400
AT_ONCE = 2
LONGEST_SECONDS = 1200  # of a scenario that is one of several


class Scenario(Protocol):
    """Something that writes. Each method but `warm` is called in a process of its own."""

    def warm(self, folder: Path) -> None:
        """Do in the process that forks what need not be done in each child; leave no thread behind."""

    def prepare(self, root: Path) -> None:
        """Make the data folder as it is before."""

    def act(self, root: Path, disk: Disk) -> None:
        """Install the disk that may fail, and do what writes."""

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        """Start again on a sound disk and name what is wrong. `wanted` is what `outcome` gave of a run in peace."""

    def outcome(self, root: Path) -> Any:
        """Return what a run left, to compare with."""


@dataclass
class Report:
    """What a scenario showed. Of the `faults` some leave the same files as others do; `recoveries` are of each once."""

    points: list[str]
    faults: int = 0
    recoveries: int = 0
    not_reached: int = 0
    problems: list[str] = field(default_factory=list)


def rehearse(scenario: Scenario, folder: Path, only: str | None = None) -> Report:
    """Run the scenario in peace, then recover from each fault, or `only` one, at each of its points, two at a time."""
    template = folder / "template"
    template.mkdir(parents=True)
    scenario.warm(folder)
    gc.freeze()  # a collection in a child would touch, and so copy, all that it shares with this process
    in_child(lambda: scenario.prepare(template))
    peace = shutil.copytree(template, folder / "peace")
    points = in_child(lambda: _act_on(scenario, peace, Disk(peace, copies=folder)))[1]
    wanted = in_child(lambda: scenario.outcome(peace))[1]
    report = Report(points)
    under_way: list[tuple[str, Child]] = []
    chosen = [one for one in faults_for(points) if only in (None, one[0])]
    for fault, at in [*_left_by(chosen, template, folder, report), *[(None, 0)] * AT_ONCE]:
        if len(under_way) == AT_ONCE or fault is None:
            title, child = under_way.pop(0)
            problems = child.answer()[1]
            report.not_reached += problems is None
            report.problems += [f"{title}: {problem}" for problem in problems or ()]
        if fault is not None:
            root = folder / f"{fault}-{at}"
            child = Child(lambda: _disturbed(scenario, root, fault, at, wanted))  # noqa: B023  (it is called at once)
            under_way.append((f"{fault} at {at} ({points[at - 1]})", child))
            report.recoveries += 1
    return report


def _left_by(
    chosen: list[tuple[Fault, int]], template: Path, folder: Path, report: Report
) -> Iterator[tuple[Fault, int]]:
    """Yield the faults whose folders are to be looked at; those that left the same files as one before only count."""
    known = set()
    for fault, at in chosen:
        report.faults += 1
        root = folder / f"{fault}-{at}"
        if fault == "full":
            shutil.copytree(template, root)
        else:
            left = (fault, *sorted(files_of(root).items()))
            if left in known:
                shutil.rmtree(root)
                continue
            known.add(left)
        yield fault, at


def faults_for(points: list[str]) -> list[tuple[Fault, int]]:
    """Return each fault with the numbers of the points where it differs from the others.

    A killed process leaves what it wrote, so between two points it leaves the same as a power cut does, but where
    something waits for its fsync.
    """
    if len(points) > POINTS_AT_MOST:
        raise AssertionError(f"{len(points)} points are too many for a test")
    chosen: list[tuple[Fault, int]] = []
    for number, point in enumerate(points, start=1):
        chosen.append(("power", number))
        if point.startswith("fsync"):
            chosen.append(("kill", number))
        chosen.append(("full", number))
    return chosen


class Child:
    """A fork of this process that does `work` and answers with what it returned."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reading)
            _answer(work, writing)
        os.close(writing)

    def answer(self) -> tuple[int, Any]:
        """Wait for its end and return the exit code and the answer; what it raised ends this process too."""
        with os.fdopen(self._reading, "rb") as answer:
            text = answer.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        told = json.loads(text) if text else {}
        if "error" in told:
            raise AssertionError(told["error"])
        return code, told.get("value")


def in_child(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do `work` in a fork and wait for it."""
    return Child(work).answer()


def hashes(folder: Path, *patterns: str) -> dict[str, str]:
    """Return the hash of each file of `folder` that a pattern finds, by its path."""
    found = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(found)}


def files_of(root: Path) -> dict[str, str]:
    """Return all that is in a folder, and beside it under its name, with the hash of each file.

    SQLite makes its index of the log (-shm) anew for the first who opens the database.
    """
    folders = {str(path.relative_to(root)): "" for path in root.rglob("*") if path.is_dir()}
    beside = {path.suffix: path.read_text() for path in root.parent.glob(f"{root.name}.*")}
    return folders | beside | {name: told for name, told in hashes(root, "*").items() if not name.endswith("-shm")}


def _disturbed(scenario: Scenario, root: Path, fault: Fault, at: int, wanted: Any) -> list[str] | None:
    """Return what was wrong; None when the fault never fired, since threads brought the point about another time.

    In a fork that does nothing else.
    """
    if fault == "full":
        code, points = Child(lambda: _act_on(scenario, root, Disk(root, full_at=at))).answer()
        if code:
            return [f"the process ended with {code}"]
        if len(points) < at:
            return None
    try:
        problems = scenario.recover(root, fault, wanted)
    except Exception:
        return [f"the recovery fails: {traceback.format_exc()}"]
    shutil.rmtree(root)
    return problems


def _act_on(scenario: Scenario, root: Path, disk: Disk) -> list[str]:
    scenario.act(root, disk)
    return disk.points


def _answer(work: Callable[[], Any], descriptor: int) -> None:
    """The child's part: never returns."""
    code = 0
    write = os.write
    try:
        told = {"value": work()}
    except BaseException:
        told, code = {"error": traceback.format_exc()}, 1
    write(descriptor, json.dumps(told).encode())
    os._exit(code)


def scenario_named(name: str) -> Scenario:
    """Return the scenario of that name. Only those of the engine import torch."""
    if name == "formats":
        from tests.faults.choosing import Choosing

        return Choosing()
    if name in ("drawing", "pausing"):
        from tests.faults.drawing import Drawing, Pausing

        engines: dict[str, type[Scenario]] = {"drawing": Drawing, "pausing": Pausing}
        return engines[name]()
    if name == "inputs":
        from tests.faults.keeping import TakingIn

        return TakingIn()
    from tests.faults.storing import Learning, QueueUse, SettingsChange

    others: dict[str, type[Scenario]] = {"settings": SettingsChange, "timings": Learning, "queue": QueueUse}
    return others[name]()


def main() -> None:
    """Rehearse the scenario that the command line names, or those that are asked for."""
    if len(sys.argv) > 2:
        name, folder, only = (*sys.argv[1:], None)[:3]
        _tell(str(name), Path(str(folder)), only)
        return
    for line in sys.stdin:
        name = line.strip()
        signal.alarm(LONGEST_SECONDS)
        _tell(name, Path(sys.argv[1]) / name, None)


def _tell(name: str, folder: Path, only: str | None) -> None:
    """Rehearse one and print what it showed."""
    print(json.dumps(rehearse(scenario_named(name), folder, only).__dict__), flush=True)


if __name__ == "__main__":
    main()
