"""The engine process: `python -m modules.engine`, started by the launcher.

It ignores SIGINT (the launcher decides), ends in order on SIGTERM and when the launcher is gone, and in any case three
seconds later. The exit code of an ordered end is 0. Before torch is imported, which takes seconds, the launcher knows
of the engine and the jobs that an earlier one left are settled.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any

import psutil

from modules import shared
from modules.cmd_args import from_environment
from modules.engine.heap import keep_freed_memory
from modules.engine.identity import EngineIdentity
from modules.engine.recovery import settle
from modules.errors import LinkClosed
from modules.jobs.rows import Death
from modules.jobs.store.job_store import JobStore
from modules.late_imports import import_late
from modules.link import Link
from modules.link.topics import PROGRESS, STATUS
from modules.paths import data_folder

logger = logging.getLogger("modules.engine")

SECONDS_TO_END = 2.8
# The server, beside it, answers at once also while all cores draw.
NICENESS = 5
# The launcher sets the first one too; an engine that is started by hand stays as quiet and as much at home.
_LIBRARY_SETTINGS = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "DIFFUSERS_VERBOSITY": "error"}


class Leaving:
    """The order to end. `given` is looked at by every cancel point."""

    def __init__(self) -> None:
        self.given = threading.Event()
        self.wake: list[Any] = []
        self._asked = False  # by a signal
        self._tells: socket.socket | None = None

    def obey_signal(self, number: int) -> None:
        """Give the order when the signal comes. On the main thread.

        The handler sets a flag only: it may interrupt any line, also one that holds a lock which the order needs. A
        thread hears of it through a socket, which Python writes to at once, also while the main thread imports torch.
        """
        told, tells = socket.socketpair()
        tells.setblocking(False)
        self._tells = tells  # open for as long as the signal may come

        def on_signal(_signal: int, _frame: FrameType | None) -> None:
            self._asked = True

        def listen() -> None:
            while number not in told.recv(16):
                pass
            self.give(f"asked to by {signal.Signals(number).name}")

        signal.signal(number, on_signal)
        signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=listen, name="signals", daemon=True).start()

    @property
    def asked(self) -> bool:
        """Whether the order is given or a signal came that will give it."""
        return self._asked or self.given.is_set()

    def give(self, reason: str) -> None:
        """End soon, and by force when that takes too long. For any thread, but not for a signal handler."""
        if self.given.is_set():
            return
        self.given.set()
        killer = threading.Timer(SECONDS_TO_END, os._exit, args=(0,))
        killer.daemon = True
        killer.start()
        for wake in self.wake:
            wake()
        sys.stderr.write(f"The engine ends: {reason}.\n")


def last_death(environment: Mapping[str, str] = os.environ) -> Death | None:
    """Return how the engine before this one ended, as the launcher told it; None: there was none, or nobody knows."""
    text = environment.get("STEADY_LAST_DEATH")
    if not text:
        return None
    told = json.loads(text)
    return Death(bool(told["ordered"]), str(told["reason"]), tuple(str(line) for line in told.get("log", ())))


def connect(leaving: Leaving, engine: str) -> Link | None:
    """Join the launcher's link and say that the engine starts; None when no launcher started this process."""
    shared.state.engine = engine
    link = Link.from_environment(shared.state, "engine")
    if link is None:
        return None
    link.on_closed(lambda: leaving.give("the launcher is gone"))
    link.start()
    process, machine = psutil.Process(), psutil.virtual_memory()
    link.publish_own(PROGRESS, None)
    link.publish_own(
        STATUS,
        {
            "status": "starting",
            "device": "",
            "memory_bytes": process.memory_info().rss,
            "memory_total_bytes": machine.total,
            "checkpoint": None,
            "pid": process.pid,
        },
    )
    return link


def open_store(link: Link | None) -> JobStore:
    """Open the database; whoever watches hears of each event that this engine adds."""
    folder = data_folder()
    store = JobStore(folder.database, folder)
    if link is not None:
        told = link
        store.database.announce = lambda number: told.publish("events", number)
    return store


def main() -> int:
    """Run the engine until it is told to end, and return the exit code."""
    leaving, identity, death = Leaving(), EngineIdentity.from_environment(), last_death()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leaving.obey_signal(signal.SIGTERM)
    logging.basicConfig(level=from_environment().loglevel, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        link = connect(leaving, identity.id)
    except LinkClosed as error:
        logger.error("%s", error)
        return 0
    for name, value in _LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    store = open_store(link)
    left = settle(store, death, identity.others, leaving.given)
    if leaving.asked:
        return 0
    if link is not None:
        link.signal("recovered")
    # Seconds of imports: by now the page can say that the engine starts.
    # All that is made meanwhile stays: looking through it again and again was a tenth of the start, and it later held
    # every thread up for 0.2 s after each stop.
    gc.disable()
    import_late("scipy.stats")
    service = importlib.import_module("modules.engine.assembly")
    gc.collect()
    gc.freeze()
    gc.enable()
    service.serve(link, store, leaving.given, leaving.wake, identity, left, death)
    if link is not None:
        link.close()
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is stored and said. Taking torch down with its threads alive gains nothing and can hang.
    os._exit(code)
