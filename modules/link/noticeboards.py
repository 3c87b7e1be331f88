"""The noticeboards of all engines, as launcher and server see them."""

from __future__ import annotations

import threading

from modules.shared_state import State


class Noticeboards:
    """One `State` an engine. `first`, the first engine's, is `shared.state` and takes the commands. Any thread."""

    def __init__(self, first: State) -> None:
        self.first = first
        self._lock = threading.Lock()
        self._states = {first.engine: first}

    def all(self) -> list[State]:
        """Return those that were heard of, the first first."""
        with self._lock:
            return list(self._states.values())

    def of_engine(self, engine: str) -> State:
        """Return the one of an engine, which may be heard of for the first time."""
        with self._lock:
            if engine not in self._states:
                self._states[engine] = State(engine)
            return self._states[engine]

    def of_job(self, job: str | None) -> State:
        """Return the one of the engine that runs `job`; the first where none does, or nobody asks for one."""
        running = (state for state in self.all() if job is not None and state.running and state.begun_job == job)
        return next(running, self.first)
