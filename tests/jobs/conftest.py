"""A job store in a folder of its own, with a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.jobs.store.job_store import JobStore


class Clock:
    """Seconds since the epoch, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    made = JobStore(tmp_path / "jobs.sqlite", clock=clock)
    yield made
    made.close()
