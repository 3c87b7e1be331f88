"""One process that the launcher started: its output, its link, its end."""

from __future__ import annotations

import secrets
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from modules.launcher.switchboard import Switchboard
from modules.link import Role
from modules.link.transport import Offer
from modules.shared_state import FIRST_ENGINE

LOG_LINES_KEPT = 40
_SIGKILL = 9


@dataclass(frozen=True)
class Recipe:
    """How children of a role are started. `descriptors` are inherited under their own numbers.

    `engine` is the id of the engine that they are one after the other, where they are engines.
    """

    role: Role
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    output: Callable[[bytes], None] = field(default=lambda line: None)
    engine: str = FIRST_ENGINE

    @property
    def name(self) -> str:
        """What a child is called in the log."""
        return self.role if self.engine == FIRST_ENGINE else f"{self.role} {self.engine}"


class Child:
    """A started process. Its lines are passed on and the last 40 kept; `heard` gets its signals on a reader thread.

    Raises:
        OSError: the process could not be started.
    """

    def __init__(
        self,
        recipe: Recipe,
        board: Switchboard,
        heard: Callable[[Child, str], None],
        extra_environment: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = recipe.name
        self.instance = secrets.token_hex(8)
        self.joined = threading.Event()
        self.recovered = threading.Event()  # An engine has settled what the one before it left.
        self._board = board
        self._heard = heard
        self._output = recipe.output
        self._clock = clock
        self._link_lost_at: float | None = None
        self._lines: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        offer = Offer()
        environment = {**recipe.environment, **extra_environment, **offer.environment, "STEADY_INSTANCE": self.instance}
        try:
            self.process = _start(recipe, environment, offer.descriptors)
        except OSError:
            offer.withdraw()
            raise
        self.started_at = clock()
        self._memory_kills = _memory_kills()
        self._tee = threading.Thread(target=self._pass_on_output, name=f"{self.name} output", daemon=True)
        self._tee.start()
        self.line = board.attach(recipe.role, offer.taken(), self._take_signal, recipe.engine)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self.process.pid

    @property
    def lived_seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self.started_at

    def seconds_without_link(self) -> float:
        """Return for how long it has been known that the link is gone; 0 while it is there."""
        if not self.line.lost.is_set():
            return 0.0
        self._link_lost_at = self._link_lost_at or self._clock()
        return self._clock() - self._link_lost_at

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    def end_politely(self) -> None:
        """Ask the process to end (SIGTERM)."""
        self.process.terminate()

    def end_now(self) -> None:
        """End the process (SIGKILL)."""
        self.process.kill()

    def bury(self) -> tuple[str, list[str]]:
        """Take the last words of a process that has ended. Return how it ended and its last lines."""
        self._board.detach(self.line)
        self.finish_output(seconds=1.0)
        code = self.process.wait()
        reason = describe_exit(code)
        if code == -_SIGKILL and _memory_kills() > self._memory_kills:
            reason += ", since the machine ran out of memory"
        return reason, list(self._lines)

    def finish_output(self, seconds: float) -> None:
        """Wait until the last lines of a process that has ended are passed on."""
        self._tee.join(seconds)

    def _take_signal(self, name: str) -> None:
        if name == "hello":
            self.joined.set()
        elif name == "recovered":
            self.recovered.set()
        self._heard(self, name)

    def _pass_on_output(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                # What a terminal would show of a line that progress bars wrote over and over.
                shown = line.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]
                self._lines.append(shown)
                self._output(line)


def describe_exit(code: int) -> str:
    """Return how a process ended, in words.

    >>> describe_exit(-9)
    'killed by SIGKILL'
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _memory_kills(counters: Path = Path("/proc/vmstat")) -> int:
    """Return how many processes the system has ended for lack of memory since it started; 0 where it does not say."""
    try:
        lines = counters.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _start(recipe: Recipe, environment: Mapping[str, str], descriptors: tuple[int, ...]) -> subprocess.Popen[bytes]:
    with _interrupts_kept_from_child():
        return subprocess.Popen(
            recipe.command,
            cwd=recipe.folder,
            env=environment,
            pass_fds=(*descriptors, *recipe.descriptors),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def _interrupts_kept_from_child() -> Iterator[None]:
    """Block SIGINT while a child is started, which inherits that: Ctrl-C is the launcher's to decide on.

    An ignored signal would be inherited as well, but a Ctrl-C in that moment would be lost.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
