"""Real launchers with real children, real sockets and the embedded model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Yield a program of this test's own, started and answering."""
    with Program(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="package")
def shared_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield one program for the tests that leave it as they found it."""
    with Program(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running
