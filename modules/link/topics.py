"""Topics: named values of which only the newest counts, such as the progress of the running job."""

from __future__ import annotations

from typing import Any

from modules.shared_state import FIRST_ENGINE

EVENTS = "events"  # the highest number of an event in the job store
UNLOAD = "unload"  # when the engines were last asked to forget their models, in seconds; None: they are to keep them
# Each engine has its own: what it is doing, how far its job is, and its last sign of life.
STATUS, PROGRESS, HEARTBEAT = "engine", "progress", "heartbeat"


def topic_of(name: str, engine: str) -> str:
    """Return the topic `name` of an engine.

    That of the first is the plain name, which is all that a process of an older version knows.

    >>> topic_of("progress", "1"), topic_of("progress", "2")
    ('progress', 'progress/2')
    """
    return name if engine == FIRST_ENGINE else f"{name}/{engine}"


def name_and_engine(topic: str) -> tuple[str, str]:
    """Return what `topic_of` was given."""
    name, _, engine = topic.partition("/")
    return name, engine or FIRST_ENGINE


def merge_topic(topic: str, known: Any, value: Any) -> tuple[bool, Any]:
    """Return whether `value` is news beside the known one, and the value to keep.

    Numbers of events come from several processes; the highest is the newest, whatever came last.
    """
    if topic == EVENTS and known is not None:
        return value > known, max(known, value)
    return True, value
