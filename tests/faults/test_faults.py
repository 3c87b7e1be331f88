"""A power cut, a killed process and a full disk at every write of the program: nothing lost, nothing twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

# A child is a fork, and a fork has one thread: so the process that forks may have no other.
# Threads write in another order now and then, and a run may have fewer writes than the one in peace.
MOST_NOT_REACHED = 0.08
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def rehearsed(scenario: str, folder: Path) -> dict[str, Any]:
    """Run a scenario with every fault at every write, in a process of its own, and return what it showed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.runner", scenario, str(folder / scenario)],
        cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize(
    ("scenario", "points_at_least", "points"),
    [
        ("settings", 20, ["rename to settings.json", "fsync ."]),
        ("timings", 10, ["rename to timings.json", "fsync ."]),
        ("formats", 9, ["rename to cpu-formats.json", "fsync ."]),
        ("inputs", 12, ["rename to inputs/", "fsync inputs", "open inputs.lock"]),
        ("queue", 15, ["commit jobs.sqlite"]),
        ("drawing", 35, ["rename to hashes.json", "rename to outputs/", "fsync outputs/", "commit jobs.sqlite"]),
        ("pausing", 25, ["rename to snapshots/", "fsync snapshots", "rename to outputs/", "commit jobs.sqlite"]),
    ],
)
def test_every_write_may_fail(tmp_path: Path, scenario: str, points_at_least: int, points: list[str]) -> None:
    report = rehearsed(scenario, tmp_path)
    assert not report["problems"], "\n".join(report["problems"][:20])
    assert len(report["points"]) >= points_at_least
    assert not [point for point in points if not any(one.startswith(point) for one in report["points"])]
    assert report["runs"] >= 2 * len(report["points"])
    assert report["not_reached"] <= report["runs"] * MOST_NOT_REACHED, "a fault that never fired shows nothing"
