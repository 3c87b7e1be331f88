"""Does the steps of a plan to the running program, blows to its processes included."""

import contextlib
import math
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.deeds import Deeds
from tests.chaos.plan import Step, Wish
from tests.chaos.readers import SocketReader, StreamReader
from tests.program import Program, alive, wait_until

SECONDS_TO_GET_UP = 120
# An engine that lives shorter than this counts as a quick death; five in a row and the launcher gives up.
LONG_LIFE_SECONDS = 35
# An order is obeyed, and a new engine is there, before this has passed.
SECONDS_TO_OBEY = 30
QUICK_DEATHS_ALLOWED = 2
# Shorter than any silence that the program acts on.
LONGEST_FREEZE_SECONDS = 2.5


class Chaos(Deeds):
    """One run: the deeds of people, and what happens to processes."""

    def __init__(self, program: Program, wishes: list[Wish], tell: Callable[[str], None]) -> None:
        super().__init__(program, wishes)
        # When the engine was ordered to end, and since when an order waits for its moment (None: none does).
        self._engine_orders: list[float] = []
        self._order_waits_since: float | None = None
        self._waits: list[tuple[float, float]] = []
        self._tell = tell
        self._began = time.monotonic()
        self._quick = {"app.py": 0, "modules.engine": 0}
        self._victim: tuple[str, str] | None = None
        self._freezes: list[threading.Thread] = []

    def start_readers(self) -> None:
        """Follow the events by both ways."""
        self.readers = [SocketReader(self.program.port, "page"), StreamReader(self.program.port, "client")]
        for reader in self.readers:
            reader.start()

    def perform(self, step: Step) -> None:
        """Do one step. What cannot be done now is left out."""
        time.sleep(step.wait)
        done = getattr(self, "do_" + step.deed.replace(" ", "_"))(step)
        self._tell(f"{time.monotonic() - self._began:6.1f} s  {step}: {done}")

    def do_kill_engine(self, step: Step) -> str:
        """Kill it amid a job, but no job's engine twice."""
        if not self._is_up("modules.engine"):
            return "the engine is not up"
        if not self._find_target(step):
            return f"no job runs that may be hit ({self.running_row()})"
        time.sleep(step.more * 0.7)
        instance = self._kill("modules.engine")
        row = self.running_row()
        if row is None or row[0] not in self.ledger.entries or row[1] != instance:
            return f"it died between two jobs ({row})"
        self.ledger.entries[row[0]].kills_at.append(time.monotonic())
        self._victim = (row[0], row[1])
        return f"amid {row[0]}, at {row[2]}"

    def do_kill_starting_engine(self, step: Step) -> str:
        """Kill it amid a job, and the next one before it can settle that: the job has one death."""
        first = self.do_kill_engine(step)
        if not first.startswith("amid"):
            return first
        wait_until(lambda: any("modules.engine" in line for line in self.program.children().values()), 60, "the next")
        time.sleep(step.chance * 2)
        self._kill("modules.engine")
        return f"{first}, and the next one"

    def do_hang_engine(self, step: Step) -> str:
        """Stop it for good amid a job: a third interrupt ends it, and the job with it."""
        self.thaw()
        if not self._find_target(step):
            return f"no job runs that may be hit ({self.running_row()})"
        pid = self.program.pid_of("modules.engine")
        os.kill(pid, signal.SIGSTOP)
        row = self.running_row()
        if row is None or row[0] not in self.ledger.entries or row[1] != instance_of(pid) or self._writes_wait():
            os.kill(pid, signal.SIGCONT)
            return f"not at a moment when a job runs and nothing is written ({row})"
        self._engine_orders.append(time.monotonic())
        for _ in range(3):
            answer = self.ask("POST", f"/sdapi/v1/jobs/{row[0]}/interrupt")
            if answer is not None and not answer["accepted"]:
                self.problems.append(f"{row[0]} runs in an engine that hangs, and its interrupt was refused: {answer}")
        self.ledger.entries[row[0]].note("interrupt", "running")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not alive(pid), 15, "the engine is ended")
        if alive(pid):
            self.problems.append(f"the engine that hung amid {row[0]} outlives three interrupts")
            os.kill(pid, signal.SIGCONT)
        return f"amid {row[0]}, at {row[2]}"

    def do_freeze_engine(self, step: Step) -> str:
        return self._freeze("modules.engine", step)

    def do_freeze_server(self, step: Step) -> str:
        return self._freeze("app.py", step)

    def do_freeze_launcher(self, step: Step) -> str:
        return self._freeze("launch.py", step)

    def _freeze(self, part: str, step: Step) -> str:
        """Stop a process for a while, as a machine without memory does; meanwhile the plan goes on."""
        pids = [pid for pid, line in self.program.children().items() if part in line]
        pid = self.program.launcher.pid if self.program.launcher and part == "launch.py" else max(pids, default=None)
        if pid is None:
            return f"{part} is not up"
        seconds = LONGEST_FREEZE_SECONDS * step.more
        os.kill(pid, signal.SIGSTOP)
        thread = threading.Thread(target=thaw_later, args=(pid, seconds))
        thread.start()
        self._freezes.append(thread)
        return f"for {seconds:.1f} s"

    def thaw(self) -> None:
        """Wait until every process that was stopped goes on."""
        while self._freezes:
            self._freezes.pop().join()

    def _writes_wait(self) -> bool:
        """Tell whether someone holds the database's lock for longer than a transaction takes."""
        path = f"file:{self.program.data}/jobs.sqlite?mode=rw"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=0.5, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return True
        return False

    def _kill(self, part: str) -> str:
        """Kill the newest child of a kind and return the name that an engine has in the rows of its jobs."""
        pid = self.program.pid_of(part)
        self._note_life(part, pid)
        instance = instance_of(pid)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), 10, f"the killed {part} is gone")
        return instance

    def _find_target(self, step: Step) -> bool:
        """Wait for a job that no engine died of, and tell whether one runs."""
        if not self._has_target():
            self.ask("POST", "/sdapi/v1/queue/resume")
            if not self.count("queued"):
                self.do_submit(step)
        with contextlib.suppress(AssertionError):
            wait_until(self._has_target, 15, "a job runs that no engine died of")
        return self._has_target()

    def _has_target(self) -> bool:
        row = self.running_row()
        return row is not None and row[0] in self.ledger.entries and not self.ledger.entries[row[0]].kills

    def do_kill_server(self, step: Step) -> str:
        if not self._is_up("app.py"):
            return "the server is not up"
        began = time.monotonic()
        self._server_blows.append(began)
        amid = threading.Thread(target=self.do_pause, args=(step,))  # its answer may be lost
        amid.start()
        self._kill("app.py")
        amid.join()
        wait_until(self.program.answers, SECONDS_TO_GET_UP, "another server answers")
        return f"another answers after {time.monotonic() - began:.1f} s"

    def do_kill_launcher(self, step: Step) -> str:
        """Kill it; its children end by themselves; start another."""
        wait_until(
            lambda: not self._victim_waits(), SECONDS_TO_GET_UP, "the next engine recovers what the last one left"
        )
        children = self.program.children()
        assert self.program.launcher is not None
        began = time.monotonic()
        self._server_blows.append(began)
        self.program.launcher.kill()
        self.program.launcher.wait()
        wait_until(lambda: not any(alive(pid) for pid in children), 15, "no child outlives the launcher")
        self._quick = dict.fromkeys(self._quick, 0)
        self.program.start()
        return f"up again after {time.monotonic() - began:.1f} s"

    def do_restart_server(self, step: Step) -> str:
        return str(self.ask("POST", "/sdapi/v1/server-restart"))

    def do_restart_engine(self, step: Step) -> str:
        self._engine_orders.append(time.monotonic())
        return str(self.ask("POST", "/sdapi/v1/engine-restart"))

    def do_restart_later(self, step: Step) -> str:
        """Order a restart that waits, or drop the one that does."""
        if step.more < 0.3:
            answer = self.ask("POST", "/sdapi/v1/restart-cancel")
            if answer is not None:
                self._end_of_waiting_order()
            return str(answer)
        target = "server" if step.chance < 0.5 else "engine"
        if target == "engine" and self._order_waits_since is None:
            self._order_waits_since = time.monotonic()
        when = "after-image" if step.more < 0.65 else "idle"
        return f"{target} {self.ask('POST', f'/sdapi/v1/{target}-restart', {'when': when})}"

    def _end_of_waiting_order(self) -> None:
        if self._order_waits_since is not None:
            self._waits.append((self._order_waits_since, time.monotonic()))
            self._order_waits_since = None

    def may_have_been_ordered(self, kill: float) -> bool:
        """Tell whether an engine that was killed at that moment may have been one that was told to end."""
        if any(0 <= kill - order < SECONDS_TO_OBEY for order in self._engine_orders):
            return True
        waits = [*self._waits, (self._order_waits_since or math.inf, math.inf)]
        return any(began <= kill < ended + SECONDS_TO_OBEY for began, ended in waits)

    def _is_up(self, part: str) -> bool:
        """Tell whether this child may be killed: it runs, and has settled what the last one left."""
        if self._victim_waits():
            return False
        if self._quick[part] >= QUICK_DEATHS_ALLOWED and self._life(part) < LONG_LIFE_SECONDS:
            return False
        return any(part in line for line in self.program.children().values())

    def _victim_waits(self) -> bool:
        """Tell whether the job whose engine was killed last has not been recovered yet."""
        if self._victim is None:
            return False
        id, engine = self._victim
        return bool(self.query("SELECT 1 FROM jobs WHERE id = ? AND engine = ? AND status = 'running'", id, engine))

    def _life(self, part: str) -> float:
        pids = [pid for pid, line in self.program.children().items() if part in line]
        return min((seconds_alive(pid) for pid in pids), default=0.0)

    def _note_life(self, part: str, pid: int) -> None:
        self._quick[part] = self._quick[part] + 1 if seconds_alive(pid) < LONG_LIFE_SECONDS else 0


def seconds_alive(pid: int) -> float:
    """Return for how long a process has run."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return float(Path("/proc/uptime").read_text().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def instance_of(pid: int) -> str:
    """Return which process an engine is, as the rows of its jobs name it."""
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return "1/" + next(line[16:].decode() for line in environment if line.startswith(b"STEADY_INSTANCE="))


def thaw_later(pid: int, seconds: float) -> None:
    """Let a stopped process go on after a while, if it is still there."""
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
