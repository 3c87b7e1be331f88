"""How a program ends in order. Whoever has one that is needed no more lets it end in one of these ways."""

import contextlib
import signal
import sqlite3
from collections.abc import Iterator

from tests.program import Program, alive, wait_until


def a_signal_in_mid_job_ends_everything(program: Program, how: signal.Signals) -> None:
    """Signal the launcher while a job is drawn: no process is left, and the job waits for the next start."""
    identity = program.submit(prompt="cat", steps=150, n_iter=20)
    program.wait_for_step(identity)
    assert program.launcher is not None
    with _ended(program, 8) as children:
        program.launcher.send_signal(how)
    assert not any(alive(pid) for pid in children)
    with contextlib.closing(sqlite3.connect(program.data / "jobs.sqlite")) as database:
        rows = database.execute("SELECT status FROM jobs WHERE id = ?", (identity,)).fetchall()
    assert rows in ([("queued",)], [("running",)])


def a_stop_over_rest_ends_everything(program: Program) -> None:
    """Ask the server to stop, as the page's button does."""
    with _ended(program, 10) as children:
        assert program.post("/sdapi/v1/server-stop") == {}
    wait_until(lambda: not any(alive(pid) for pid in children), 3, "no orphan is left")


@contextlib.contextmanager
def _ended(program: Program, timeout_seconds: float) -> Iterator[list[int]]:
    """Yield the children of a launcher that is told to end inside, and wait until it has, in order."""
    children = list(program.children())
    assert len(children) == 2
    yield children
    assert program.launcher is not None
    assert program.launcher.wait(timeout_seconds) == 0
