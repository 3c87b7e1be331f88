"""Events: what happened, in order, for those who watch and those who come back."""

from __future__ import annotations

from collections.abc import Sequence

from modules.jobs.rows import Actor, Event
from modules.jobs.store.audit import write_audit
from modules.jobs.store.base import StoreBase

_REMOVED_AT_ONCE = 2000  # a transaction that takes longer would hold up others


class Events(StoreBase):
    """The methods of the job store for events."""

    def events_after(self, number: int, limit: int = 500) -> list[Event]:
        """Return the events above `number` in order, at most `limit`."""
        with self.moment() as now:
            return now.events_after(number, limit)

    def last_event(self) -> int:
        """Return the number of the last event, 0 when nothing has happened yet. Compaction does not change it."""
        with self.moment() as now:
            return now.last_event()

    def first_event(self) -> int:
        """Return the number of the oldest event that is kept, 0 when there is none."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT coalesce(min(number), 0) FROM events").fetchone()[0])

    def compact_events(self, keep: int) -> int:
        """Remove all but the newest `keep` events and return how many those were. Numbers go on as before.

        A reader that saw one of the newest `keep` misses nothing; one that comes back later than that is told by
        `first_event`, and begins with a snapshot.
        """
        last_removed = self.last_event() - max(0, keep)
        removed = 0
        while 0 < self.first_event() <= last_removed:
            with self._database.write() as transaction:
                removed += transaction.execute(
                    "DELETE FROM events WHERE number IN"
                    " (SELECT number FROM events WHERE number <= ? ORDER BY number LIMIT ?)",
                    (last_removed, _REMOVED_AT_ONCE),
                ).rowcount
        return removed

    def note_settings(self, changed: Sequence[str], by: Actor | None = None) -> None:
        """Tell everyone which settings changed."""
        with self._database.write() as transaction:
            transaction.append("settings", None, {"changed": list(changed)})
            write_audit(transaction, by, "settings", detail={"changed": list(changed)})
