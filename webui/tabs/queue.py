"""The Queue tab: what is drawn, waits, is paused, and was. `assets/queue/` fills it from the jobs' own routes."""

from __future__ import annotations

from dataclasses import dataclass

from webui.components import Component, html
from webui.live import QUEUE


@dataclass(frozen=True)
class Queue:
    """The components of the tab."""

    lists: Component


def build() -> Queue:
    """Make the tab. It has no listener: its buttons are requests of their own to /sdapi/v1/jobs and /sdapi/v1/queue."""
    return Queue(lists=html(QUEUE))
