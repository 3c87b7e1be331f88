"""Options of the whole suite."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

from modules.launcher.bytecode import FORBIDS_KEEPING

# The rooms that take longest, which begin first: one that began last would leave the others idle meanwhile. What
# starts programs and waits for them comes beside what computes, as far as that goes.
LONG_FIRST = ("e2e", "processes", "chaos", "faults", "engine", "launcher", "api")
# Rooms whose files share a program: they stay in one process, which starts it once.
WITH_ONE_PROGRAM = ("e2e", "processes")

# Files of Linux that are in memory, and how much of both has to be free so that the tests have theirs there.
MEMORY = Path("/dev/shm")
MEMORY_FREE = 6 << 30


def use_memory() -> None:
    """Have the tests' files in memory where there is plenty of it, unless TMPDIR says where they are to be.

    A disk takes 2 to 20 ms for an fsync, and the program asks for one wherever nothing may be lost: it was half of what
    a test of the store took. What becomes of a write that never reached the disk is shown by tests/faults.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) >= MEMORY_FREE:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def keep_bytecode() -> None:
    """Have Python keep what it compiles, here and in what tests start: it is half of what a start of the program takes.

    `launch.py test` sees to that by itself; this is for those who call pytest in an environment that forbids it.
    """
    os.environ.pop(FORBIDS_KEEPING, None)
    sys.dont_write_bytecode = False


use_memory()
keep_bytecode()


def room_of(nodeid: str) -> str:
    """Return the folder in tests/ that a test belongs to, or its file's name."""
    return nodeid.split("::")[0].split("/")[1]


class ByRoom(LoadScopeScheduling):  # type: ignore[misc]  # its library has no types
    """Shares the tests out to processes file by file, and some rooms as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        room = room_of(nodeid)
        return room if room in WITH_ONE_PROGRAM else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    return ByRoom(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long rooms first where tests are shared out to several processes; within a room nothing moves."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Leave what was imported out of every search for garbage, as the program does: it is half a second's look."""
    gc.collect()
    gc.freeze()


def _turn(item: pytest.Item) -> int:
    room = room_of(item.nodeid)
    return LONG_FIRST.index(room) if room in LONG_FIRST else len(LONG_FIRST)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Let no test leave its umask to the next one: the launcher makes its process's files private for good."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos", "the random test of tests/chaos")
    chaos.addoption("--chaos-minutes", type=float, default=None, help="disturb for so long, not 25 s")
    chaos.addoption("--chaos-seed", type=int, default=None, help="repeat the plan of this seed")
