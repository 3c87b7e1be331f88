"""Does the steps of a plan to the running program and takes down what it answered."""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Entry, Ledger
from tests.chaos.plan import OWNERS, Step
from tests.chaos.readers import Reader, SocketReader, StreamReader
from tests.program import Program, alive, wait_until

MOST_WAITING = 10
SECONDS_TO_GET_UP = 120
# An engine that lives shorter than this counts as a quick death; five in a row and the launcher gives up.
LONG_LIFE_SECONDS = 35
QUICK_DEATHS_ALLOWED = 2


class Chaos:
    """One run against one program. `problems` are found on the way, `compared` counts pictures that were compared."""

    def __init__(self, program: Program, requests: list[dict[str, Any]], tell: Callable[[str], None]) -> None:
        self.program = program
        self.requests = requests
        self.ledger = Ledger()
        self.problems: list[str] = []
        # Whoever waits may hear that a job was removed before the one who removed it does: looked at in the end.
        self.told_gone: list[str] = []
        self.readers: list[Reader] = []
        self.waiting_clients: list[threading.Thread] = []
        self.interrupted_in_queue: list[tuple[float, float, str | None, int | None]] = []
        self.engine_orders = 0
        self.compared = 0
        self._tell = tell
        self._began = time.monotonic()
        self._server_blows: list[float] = []
        self._quick = {"app.py": 0, "modules.engine": 0}
        self._victim: tuple[str, str] | None = None

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

    # --- Jobs -------------------------------------------------------------------------------------------------------

    def do_submit(self, step: Step, request: dict[str, Any] | None = None, **more: Any) -> str:
        """Queue a job under an id of ours; when the answer is lost, send it again: twice is once."""
        if self.count("queued") >= MOST_WAITING and not more:
            return "the queue is long"
        request = request or self.requests[int(step.chance * len(self.requests))]
        owner, id = OWNERS[int(step.more * len(OWNERS))], f"job-{step.number}"
        self.ledger.add(id, owner, request, chain=bool(more))
        body = {"kind": "txt2img", "request": request, "owner": owner, "id": id, **more}
        for _ in range(5):
            answer = self.ask("POST", "/sdapi/v1/jobs", body)
            if answer is not None:
                return f"{answer['id']} {answer['status']} ({owner})"
        raise AssertionError("a job could not be submitted in five tries")

    def do_skip(self, step: Step) -> str:
        return self.request("skip", step, "running")

    def do_interrupt(self, step: Step) -> str:
        return self.request("interrupt", step, "running", "queued", "paused")

    def do_stop(self, step: Step) -> str:
        return self.request("stop", step, "running")

    def do_pause(self, step: Step) -> str:
        return self.request("pause", step, "running" if step.more < 0.7 else "queued")

    def do_resume(self, step: Step) -> str:
        return self.request("resume", step, "paused")

    def do_retry(self, step: Step) -> str:
        return self.request("retry", step, "interrupted")

    def do_move(self, step: Step) -> str:
        to = "front" if step.more < 0.4 else "back" if step.more < 0.6 else 1 + int(step.more * 5)
        return self.request("move", step, "queued", body={"to": to})

    def do_priority(self, step: Step) -> str:
        return self.request("priority", step, "queued", body={"priority": int(step.more * 3)})

    def do_forever(self, step: Step) -> str:
        """Submit a short job that is followed by others like it."""
        request = {"prompt": "sun", "seed": 7000 + step.number, "steps": 6, "width": 64, "height": 64, "batch_size": 1}
        return self.do_submit(step, {**request, "n_iter": 1}, forever=True)

    def do_not_forever(self, step: Step) -> str:
        """End every chain."""
        return ", ".join(self.end_chains()) or "there is none"

    def do_remove(self, step: Step) -> str:
        """Take a waiting job out."""
        waiting = [id for id in self.jobs_in(("queued",)) if id in self.ledger.entries]
        if not waiting:
            return "nothing waits"
        entry = self.ledger.entries[waiting[int(step.chance * len(waiting))]]
        status, body = self.raw("DELETE", f"/sdapi/v1/jobs/{entry.id}")
        if status == 200:
            entry.note("remove", "queued")
        elif status is None:
            entry.unsure.add("remove")
        elif status not in (404, 409):
            self.problems.append(f"DELETE {entry.id}: {status} {body[:200]!r}")
        return f"{entry.id} {status}"

    def do_skip_running(self, step: Step) -> str:
        self.ask("POST", "/sdapi/v1/skip")
        return "asked"

    def do_interrupt_running(self, step: Step) -> str:
        self.ask("POST", "/sdapi/v1/interrupt")
        return "asked"

    def do_interrupt_waiting(self, step: Step) -> str:
        owner = OWNERS[int(step.chance * len(OWNERS))]
        began = time.time()
        answer = self.ask("POST", "/sdapi/v1/queue/interrupt-waiting", {"owner": owner})
        count = None if answer is None else answer["interrupted"]
        self.interrupted_in_queue.append((began, time.time(), owner, count))
        return f"{owner}: {count}"

    def do_pause_queue(self, step: Step) -> str:
        return str(self.ask("POST", "/sdapi/v1/queue/pause"))

    def do_resume_queue(self, step: Step) -> str:
        return str(self.ask("POST", "/sdapi/v1/queue/resume"))

    def do_ask_nonsense(self, step: Step) -> str:
        """What is not possible is refused in words and changes nothing."""
        wrong = [
            ("/sdapi/v1/jobs/nosuch/pause", {}, 404), ("/sdapi/v1/jobs/nosuch/move", {"to": "front"}, 404),
            ("/sdapi/v1/server-restart", {"when": "never"}, 422), ("/sdapi/v1/jobs", {"request": {"steps": 0}}, 422),
        ]  # fmt: skip
        path, body, wanted = wrong[int(step.chance * len(wrong))]
        status, answer = self.raw("POST", path, body)
        if status not in (wanted, None):
            self.problems.append(f"POST {path} {body}: {status} {answer[:200]!r} instead of {wanted}")
        return f"{path}: {status}"

    def do_wait_for_a_picture(self, step: Step) -> str:
        """A client waits in txt2img. It is answered unless its server is killed."""
        if self.count("queued") >= MOST_WAITING:
            return "the queue is long"
        request = self.requests[int(step.chance * len(self.requests))]
        id = f"job-{step.number}"
        self.ledger.add(id, "127.0.0.1", request)
        client = threading.Thread(
            target=self._wait_for_picture, args=({**request, "force_task_id": id}, id), daemon=True
        )
        client.start()
        self.waiting_clients.append(client)
        return id

    def do_drop_readers(self, step: Step) -> str:
        for reader in self.readers:
            reader.drop()
        return ", ".join(f"{reader.name} has seen {len(reader.numbers)}" for reader in self.readers)

    def request(self, kind: str, step: Step, *statuses: str, body: dict[str, Any] | None = None) -> str:
        """Ask something of a job and take down the answer; mostly of one in a status in which it makes sense."""
        fitting = [] if step.more < 0.15 else self.jobs_in(statuses)
        known = [id for id in fitting if id in self.ledger.entries]
        entry = self.ledger.entries[known[int(step.chance * len(known))]] if known else self.ledger.pick(step.chance)
        if entry is None:
            return "no job yet"
        status, answer = self.raw("POST", f"/sdapi/v1/jobs/{entry.id}/{kind}", body or {})
        if status is None:
            entry.unsure.add(kind)
            return f"{entry.id}: the answer is lost"
        if status == 404:
            if not entry.removed and not entry.unsure and not self._is_new(entry):
                self.problems.append(f"{kind} {entry.id}: there is no such job")
            return f"{entry.id} is gone"
        if status != 200:
            self.problems.append(f"{kind} {entry.id}: {status} {answer[:300]!r}")
            return f"{entry.id} {status}"
        told = json.loads(answer)
        if told["accepted"]:
            entry.note(kind, told["was"])
        return f"{entry.id} {told}"

    def end_chains(self) -> list[str]:
        """Let no job be followed by another any more."""
        ended = []
        for entry in [entry for entry in self.ledger.entries.values() if entry.chain and not entry.removed]:
            answer = self.ask("POST", f"/sdapi/v1/jobs/{entry.id}/forever", {"on": False})
            if answer is not None and answer["accepted"]:
                ended.append(answer["job"])
        return ended

    # --- Processes --------------------------------------------------------------------------------------------------

    def do_kill_engine(self, step: Step) -> str:
        """Kill it amid a job, but no job's engine twice."""
        if not self._is_up("modules.engine"):
            return "the engine is not up"
        if not self._has_target():
            self.ask("POST", "/sdapi/v1/queue/resume")
            if not self.count("queued"):
                self.do_submit(step)
        with contextlib.suppress(AssertionError):
            wait_until(self._has_target, 15, "a job runs that no engine died of")
        if not self._has_target():
            return f"no job runs that may be hit ({self.running_row()})"
        time.sleep(step.more * 0.7)
        instance = self._kill("modules.engine")
        row = self.running_row()
        if row is None or row[0] not in self.ledger.entries or row[1] != instance:
            return f"it died between two jobs ({row})"
        self.ledger.entries[row[0]].kills += 1
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

    def _kill(self, part: str) -> str:
        """Kill the newest child of a kind and return which instance that was."""
        pid = self.program.pid_of(part)
        self._note_life(part, pid)
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), 10, f"the killed {part} is gone")
        return next(line[16:].decode() for line in environment if line.startswith(b"STEADY_INSTANCE="))

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
        self.engine_orders += 1
        return str(self.ask("POST", "/sdapi/v1/engine-restart"))

    def do_restart_later(self, step: Step) -> str:
        """Order a restart that waits, or drop the one that does."""
        if step.more < 0.3:
            return str(self.ask("POST", "/sdapi/v1/restart-cancel"))
        target = "server" if step.chance < 0.5 else "engine"
        self.engine_orders += target == "engine"
        when = "after-image" if step.more < 0.65 else "idle"
        return f"{target} {self.ask('POST', f'/sdapi/v1/{target}-restart', {'when': when})}"

    # --- Talking ----------------------------------------------------------------------------------------------------

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int | None, bytes]:
        """Return status and body; status None when the connection broke, which only a kill excuses."""
        began = time.monotonic()
        try:
            return self.program.call(
                method, path, body if body is not None or method != "POST" else {}, timeout_seconds=90
            )
        except (OSError, http.client.HTTPException) as error:
            if not self._was_killed_since(began):
                self.problems.append(f"{method} {path} failed although nobody killed the server: {error!r}")
            return None, b""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer; None when it was lost."""
        status, answer = self.raw(method, path, body)
        if status is None:
            return None
        if status != 200:
            self.problems.append(f"{method} {path} {body}: {status} {answer[:300]!r}")
            return None
        return json.loads(answer)

    def running_row(self) -> tuple[str, str, str | None] | None:
        """Return id, engine and phase of the job that the database says runs."""
        found = self.query("SELECT id, engine, phase FROM jobs WHERE status = 'running'")
        return found[0] if found else None

    def jobs_in(self, statuses: tuple[str, ...]) -> list[str]:
        """Return the ids of the jobs in one of these statuses, in the order of their submission."""
        marks = ", ".join("?" * len(statuses))
        return [id for (id,) in self.query(f"SELECT id FROM jobs WHERE status IN ({marks}) ORDER BY number", *statuses)]

    def count(self, status: str) -> int:
        return int(self.query("SELECT count(*) FROM jobs WHERE status = ?", status)[0][0])

    def query(self, sql: str, *parameters: Any) -> list[Any]:
        """Ask the database itself, which is there also while no server is."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.program.data}/jobs.sqlite?mode=ro", uri=True)
        ) as connection:
            return connection.execute(sql, parameters).fetchall()

    def _wait_for_picture(self, body: dict[str, Any], id: str) -> None:
        began = time.monotonic()
        try:
            status, answer = self.program.call("POST", "/sdapi/v1/txt2img", body, timeout_seconds=600)
        except (OSError, http.client.HTTPException) as error:
            self.ledger.entries[id].unsure.add("submit")
            if not self._was_killed_since(began):
                self.problems.append(f"a client that waited for {id} was left alone: {error!r}")
            return
        # A server that is replaced, or whose launcher is gone, does not stay for a job that may wait for days.
        left = status == 503 and (b"is paused and the server is replaced" in answer or self._was_killed_since(began))
        if status == 410:
            self.told_gone.append(id)
        elif status != 200 and not left:
            self.problems.append(f"a client that waited for {id} was answered {status} {answer[:300]!r}")

    def _is_new(self, entry: Entry) -> bool:
        """Tell whether the job of a waiting client may not have been stored yet."""
        return entry.owner == "127.0.0.1"

    def _was_killed_since(self, began: float) -> bool:
        """Tell whether the server of a request that began then was killed; the next deed waits until one is up."""
        return any(blow >= began - 1 for blow in self._server_blows)

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
