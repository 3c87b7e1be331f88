"""Options of the whole suite."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# The files that take longest, which begin first: one that began last would leave the other process idle meanwhile.
LONG_FIRST = ("chaos", "faults", "processes", "e2e", "engine", "launcher", "api")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first where tests are shared out to several processes; within a file nothing moves."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    room = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONG_FIRST.index(room) if room in LONG_FIRST else len(LONG_FIRST)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Let no test leave its umask to the next one: the launcher makes its process's files private for good."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos", "the random test of tests/chaos")
    chaos.addoption("--chaos-minutes", type=float, default=None, help="disturb for so long instead of a bit over one")
    chaos.addoption("--chaos-seed", type=int, default=None, help="repeat the plan of this seed")
