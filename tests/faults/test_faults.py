"""A power cut, a killed process and a full disk at every write of the program: nothing lost, nothing twice."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

# A child is a fork, and a fork has one thread: so the process that forks may have no other.
# Threads write in another order now and then, and a run may have fewer writes than the one in peace.
MOST_NOT_REACHED = 0.08
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


class Runner:
    """Runs scenarios in forks of one process: what most of them import it has once."""

    def __init__(self, folder: Path) -> None:
        self._said = folder / "said.txt"
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.runner", str(folder)], cwd=ROOT, env={**os.environ, **ONE_THREAD},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip

    def rehearse(self, scenario: str) -> dict[str, Any]:
        """Run a scenario with every fault at every write, and return what it showed."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None and answers is not None
        with contextlib.suppress(BrokenPipeError):
            asked.write(f"{scenario}\n")
            asked.flush()
        answer = answers.readline()
        assert answer, self._said.read_text()[-3000:]
        report: dict[str, Any] = json.loads(answer)
        return report

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("faults"))
    yield runner
    runner.end()


@pytest.mark.parametrize(
    ("scenario", "points_at_least", "points"),
    [
        ("settings", 20, ["rename to settings.json", "fsync ."]),
        ("timings", 10, ["rename to timings.json", "fsync ."]),
        ("inputs", 12, ["rename to inputs/", "fsync inputs", "open inputs.lock"]),
        ("queue", 30, ["commit jobs.sqlite", "fsync jobs.sqlite-wal"]),
        # Here the process begins to know torch.
        ("formats", 9, ["rename to cpu-formats.json", "fsync ."]),
        ("drawing", 35, ["rename to hashes.json", "rename to outputs/", "fsync outputs/", "commit jobs.sqlite"]),
        ("pausing", 25, ["rename to snapshots/", "fsync snapshots", "rename to outputs/", "commit jobs.sqlite"]),
    ],
)
def test_every_write_may_fail(runner: Runner, scenario: str, points_at_least: int, points: list[str]) -> None:
    report = runner.rehearse(scenario)
    assert not report["problems"], "\n".join(report["problems"][:20])
    assert len(report["points"]) >= points_at_least
    assert not [point for point in points if not any(one.startswith(point) for one in report["points"])]
    assert report["faults"] >= 2 * len(report["points"])
    assert report["not_reached"] <= report["faults"] * MOST_NOT_REACHED, "a fault that never fired shows nothing"
