"""Events: what happened, in order, for those who watch and those who come back."""

from __future__ import annotations

from modules.jobs.rows import Event
from modules.jobs.store.database import Source, read_json


class Events:
    """Questions about what happened. A number only grows, and is not given twice."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def after(self, number: int, limit: int | None = None) -> list[Event]:
        """Return the events above `number` in order, at most `limit`."""
        with self._source.read() as connection:
            rows = connection.execute(
                "SELECT number, at, kind, job_id, payload FROM events WHERE number > ? ORDER BY number LIMIT ?",
                (number, -1 if limit is None else limit),
            )
            return [Event(**(dict(row) | {"payload": read_json(row["payload"]) or {}})) for row in rows]

    def last(self) -> int:
        """Return the number of the last event, 0 when nothing has happened yet. Compaction does not change it."""
        with self._source.read() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(row["seq"]) if row else 0
