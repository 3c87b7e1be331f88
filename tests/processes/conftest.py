"""Real launchers with real children, real sockets and the embedded model."""

from collections.abc import Iterator

import pytest

from tests.processes.listening import HOOK, Listening
from tests.program import HoldableProgram


@pytest.fixture(scope="module")
def one_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HoldableProgram]:
    """Yield one program for a file of tests that end its processes."""
    with HoldableProgram(tmp_path_factory.mktemp("one") / "data") as running:
        yield running


@pytest.fixture
def enduring_program(one_program: HoldableProgram) -> HoldableProgram:
    """Return the file's program with nothing to do, started again where the last test ended it."""
    one_program.let_go()
    if one_program.launcher is None or one_program.launcher.poll() is not None:
        one_program.start()
    one_program.empty_queue()
    return one_program


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
