"""Listen to the engine's signs of life, say on the page when it falls silent, and end it when it stays so.

The engine cannot be asked: what hangs in a driver may hold the interpreter's lock. Its last sign, and the silence that
is usual, are in the topic "heartbeat" (`modules/engine/stopping/heartbeat.py`); its times are those of the clock that
only grows, which all processes of a machine share.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from modules.launcher.keeper import Keeper
from modules.launcher.switchboard import Switchboard
from modules.link.topics import HEARTBEAT, topic_of

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_NEWS = 1.0


class Pulse:
    """Listens to one engine. For the supervisor's loop."""

    def __init__(self, board: Switchboard, engine: Keeper, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._engine = engine
        self._topic = topic_of(HEARTBEAT, engine.engine)
        self._clock = clock
        self._told_at = float("-inf")

    def listen(self) -> None:
        """Look at the last sign of life and do what is due."""
        beat = self._board.topics.get(self._topic)
        if not isinstance(beat, dict) or self._engine.child is None:
            return
        now = self._clock()
        silence = now - beat["at"]
        if silence < beat["strange_after_seconds"]:
            return
        if now - self._told_at >= _SECONDS_BETWEEN_NEWS:
            self._told_at = now
            if not beat["stalled"]:
                logger.warning("The %s %s", self._engine.name, _describe(silence, beat))
            told = beat | {"stalled": True, "silent_seconds": round(silence, 1)}
            self._board.replace(self._topic, beat, told)
        limit = beat["recycle_after_seconds"]
        if limit and silence >= max(limit, beat["strange_after_seconds"]):
            self._engine.end_stalled(f"killed since it {_describe(silence, beat)}")


def _describe(silence: float, beat: dict[str, Any]) -> str:
    usual = beat["expected_seconds"]
    beside = "" if usual is None else f", usually {usual:.1f} s"
    return f"gave no sign of life for {silence:.0f} s{beside} (phase {beat['phase']})"
