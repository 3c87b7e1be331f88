"""Real launchers with real children, real sockets and the embedded model."""

from collections.abc import Iterator

import pytest

from tests.processes.listening import HOOK, Listening
from tests.program import HoldableProgram


@pytest.fixture(scope="package")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Listening:
    """Return what the processes of the shared program ask for."""
    return Listening(tmp_path_factory.mktemp("listening") / "heard")


@pytest.fixture(scope="package")
def shared_program(tmp_path_factory: pytest.TempPathFactory, listening: Listening) -> Iterator[HoldableProgram]:
    """Yield one program for the tests that leave it as they found it, which is listened to."""
    data = tmp_path_factory.mktemp("shared") / "data"
    with HoldableProgram(data, first=HOOK, environment=listening.environment) as running:
        yield running
