"""Run a scenario once for every write that it makes, each time with a fault there, and say what was wrong after it.

`python -m tests.faults.runner SCENARIO FOLDER [FAULT]` prints one JSON object. Every run is a fork of this process,
which has imported all there is and started no thread.
"""

import gc
import hashlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.faults.disk import EXIT_CODE, Disk, Fault

POINTS_AT_MOST = 400
AT_ONCE = 2


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
    """What a scenario showed."""

    points: list[str]
    runs: int = 0
    not_reached: int = 0
    problems: list[str] = field(default_factory=list)


def rehearse(scenario: Scenario, folder: Path, only: str | None = None) -> Report:
    """Run the scenario in peace, then with each fault, or `only` one, at each of its points, two at a time."""
    template = folder / "template"
    template.mkdir(parents=True)
    scenario.warm(folder)
    gc.freeze()  # a collection in a child would touch, and so copy, all that it shares with this process
    in_child(lambda: scenario.prepare(template))
    peace = shutil.copytree(template, folder / "peace")
    points = in_child(lambda: _act_on(scenario, peace, Disk(peace)))[1]
    wanted = in_child(lambda: scenario.outcome(peace))[1]
    report = Report(points)
    under_way: list[tuple[str, Child]] = []
    chosen = [one for one in faults_for(points) if only in (None, one[0])]
    for fault, at in [*chosen, *[(None, 0)] * AT_ONCE]:
        if len(under_way) == AT_ONCE or fault is None:
            title, child = under_way.pop(0)
            problems = child.answer()[1]
            report.not_reached += problems is None
            report.problems += [f"{title}: {problem}" for problem in problems or ()]
        if fault is not None:
            root = shutil.copytree(template, folder / f"{fault}-{at}")
            child = Child(lambda: _disturbed(scenario, root, fault, at, wanted))  # noqa: B023  (it is called at once)
            under_way.append((f"{fault} at {at} ({points[at - 1]})", child))
            report.runs += 1
    return report


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


def _disturbed(scenario: Scenario, root: Path, fault: Fault, at: int, wanted: Any) -> list[str] | None:
    """Return what was wrong; None when the fault never fired, since threads brought the point about another time."""
    code, points = Child(lambda: _act_on(scenario, root, Disk(root, fault, at))).answer()
    if code not in (0, EXIT_CODE):
        return [f"the process ended with {code}"]
    if code == 0 and (fault != "full" or len(points or ()) < at):
        return None
    try:
        problems: list[str] = in_child(lambda: scenario.recover(root, fault, wanted))[1]
    except AssertionError as error:
        return [f"the recovery fails: {error}"]
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
    """Run the scenario that the command line names."""
    name, folder, only = (*sys.argv[1:], None)[:3]
    report = rehearse(scenario_named(str(name)), Path(str(folder)), only)
    print(json.dumps(report.__dict__))


if __name__ == "__main__":
    main()
