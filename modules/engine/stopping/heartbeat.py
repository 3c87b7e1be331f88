"""Signs of life of the job that runs, given by the code that draws it, and how long the silence between them may be.

No thread of its own gives them: an engine that hangs falls silent. The launcher listens (`modules/launcher/pulse.py`),
since an engine that hangs may not be able to say so itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from modules.link.topics import HEARTBEAT

SECONDS_BETWEEN_NEWS = 0.5
# A silence is strange when it is this much longer than those before it, and not short in itself.
TIMES_THE_USUAL = 10.0
SHORTEST_STRANGE_SECONDS = 10.0
# Of a phase that nothing is known of yet. A slow disk loads, or hashes, gigabytes.
UNKNOWN_STRANGE_SECONDS = {"load": 300.0}
UNKNOWN_STRANGE_SECONDS_ELSE = 60.0


class Heartbeat:
    """Publishes the topic HEARTBEAT while a job runs. `beat` costs less than a microsecond between two news.

    What is usual is the longest silence of each phase, in the last jobs and in this one.
    """

    def __init__(
        self,
        publish: Callable[[str, Any], None] = lambda _topic, _value: None,
        recycle_after_seconds: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._recycle_after_seconds = recycle_after_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._job: str | None = None
        self._phase: Callable[[], str] = lambda: ""
        self._in_phase = ""
        self._last = 0.0
        self._told_at = float("-inf")
        self._longest: dict[str, float] = {}
        self._usual: dict[str, float] = {}

    def begin(self, job: str, phase: Callable[[], str]) -> None:
        """A job begins; `phase` says what it is at, now and later."""
        with self._lock:
            self._job, self._phase, self._in_phase = job, phase, phase()
            self._longest = {}
            self._last = self._clock()
            self._tell()

    def beat(self) -> None:
        """Give a sign of life. For the thread that draws, wherever it gets on."""
        now = self._clock()
        silence, self._last = now - self._last, now
        phase = self._phase()
        if silence > self._longest.get(self._in_phase, 0.0):
            self._longest[self._in_phase] = silence
        changed, self._in_phase = phase != self._in_phase, phase
        if self._job is not None and (changed or now - self._told_at >= SECONDS_BETWEEN_NEWS):
            with self._lock:
                self._tell()

    def end(self) -> None:
        """The job has ended: there is nothing to listen for, and its silences are known."""
        with self._lock:
            self._job = None
            for phase, longest in self._longest.items():
                self._usual[phase] = max(longest, self._usual.get(phase, 0.0) / 2)
            self._publish(HEARTBEAT, None)

    def _tell(self) -> None:
        if self._job is None:
            return  # It ended meanwhile.
        phase = self._in_phase
        known = phase in self._usual or phase in self._longest
        usual = max(self._usual.get(phase, 0.0), self._longest.get(phase, 0.0))
        strange = max(usual * TIMES_THE_USUAL, SHORTEST_STRANGE_SECONDS)
        if not known:
            strange = UNKNOWN_STRANGE_SECONDS.get(phase, UNKNOWN_STRANGE_SECONDS_ELSE)
        self._told_at = self._last
        self._publish(
            HEARTBEAT,
            {
                "job": self._job,
                "phase": phase,
                "at": self._last,
                "silent_seconds": 0.0,
                "expected_seconds": round(usual, 3) if known else None,
                "strange_after_seconds": strange,
                "recycle_after_seconds": self._recycle_after_seconds(),
                "stalled": False,
            },
        )
