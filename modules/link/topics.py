"""Topics: named values of which only the newest counts, such as the progress of the running job."""

from __future__ import annotations

from typing import Any

EVENTS = "events"  # the highest number of an event in the job store


def merge_topic(topic: str, known: Any, value: Any) -> tuple[bool, Any]:
    """Return whether `value` is news beside the known one, and the value to keep.

    Numbers of events come from several processes; the highest is the newest, whatever came last.
    """
    if topic == EVENTS and known is not None:
        return value > known, max(known, value)
    return True, value
