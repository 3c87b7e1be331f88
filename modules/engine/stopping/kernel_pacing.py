"""Keep the launching of kernels close to their running, so that a stop does not wait for what is queued on the device.

An accelerator runs behind the code that launches its work: by the time that an interrupt is seen before a block, one or
two steps of blocks may be queued. Where a step is slow enough for that to be felt, wait until the work of a few blocks
ago is done. The device still has those few blocks to do meanwhile, so it is never idle for it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import torch

BLOCKS_AHEAD = 3
# Steps that are quicker than this wait for nothing: what is queued is drawn within a tenth of a second or two.
SLOW_STEP_SECONDS = 0.1
_SECONDS_BETWEEN_LOOKS = 0.001


class Event(Protocol):
    """A mark in the work that is queued on a device, as torch has for CUDA, ROCm, XPU and MPS."""

    def record(self) -> Any:
        """Put the mark behind all that was launched."""

    def query(self) -> bool:
        """Tell whether the device has come to it."""


class Pacer:
    """Paces one network. `before_block` is for a hook before every block, `ended` for one after the whole network.

    Until a step was timed it counts as slow.
    """

    def __init__(
        self,
        new_event: Callable[[], Event],
        check: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._new_event = new_event
        self._check = check
        self._clock = clock
        self._sleep = sleep
        self._ahead: deque[Event] = deque()
        self._spare: list[Event] = []
        self._ended_at: float | None = None
        self._slow = True

    def before_block(self) -> None:
        """Wait until no more than a few blocks are queued; what the check raises meanwhile ends the waiting."""
        if not self._slow:
            return
        if len(self._ahead) >= BLOCKS_AHEAD:
            self._wait_for(self._ahead[0])
            self._spare.append(self._ahead.popleft())
        event = self._spare.pop() if self._spare else self._new_event()
        event.record()
        self._ahead.append(event)

    def ended(self) -> None:
        """Time the network: the time between two of its ends is that of a step, also where the device runs behind."""
        now = self._clock()
        if self._ended_at is not None:
            self._slow = now - self._ended_at >= SLOW_STEP_SECONDS
        self._ended_at = now

    def _wait_for(self, event: Event) -> None:
        """Look again and again, and do not wait inside the driver: a stop is seen while a long kernel runs."""
        while not event.query():
            self._check()
            self._sleep(_SECONDS_BETWEEN_LOOKS)


def event_maker(device: str) -> Callable[[], Event] | None:
    """Return what makes events of a device; None where work is done as it is launched, or torch has no events."""
    if device == "cpu":
        return None
    made: Callable[[], Event] | None = getattr(torch.get_device_module(device), "Event", None)
    if made is None and device == "mps":
        made = torch.mps.event.Event
    return made
