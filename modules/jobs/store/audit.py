"""Who did what: rows that are written in the transaction of the deed itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from modules.jobs.rows import Actor, AuditRow
from modules.jobs.store.database import Database, Transaction

AUDIT_ROWS_KEPT = 10_000


def write_audit(
    transaction: Transaction,
    by: Actor | None,
    action: str,
    job_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did it; nothing when nobody did (the engine, a test)."""
    if by is None:
        return
    number = transaction.execute(
        "INSERT INTO audit (at, owner, address, action, job_id, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (
            transaction.now(),
            by.owner,
            by.address,
            action,
            job_id,
            json.dumps(dict(detail or {}), ensure_ascii=False),
        ),
    ).lastrowid
    transaction.execute("DELETE FROM audit WHERE number <= ?", ((number or 0) - AUDIT_ROWS_KEPT,))


class Audit:
    """Who did what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, limit: int = 100, before: int | None = None) -> list[AuditRow]:
        """Return what was done, newest first; with `before` what lies before the row of that number."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT number, at, owner, address, action, job_id, detail FROM audit"
                " WHERE :before IS NULL OR number < :before ORDER BY number DESC LIMIT :limit",
                {"before": before, "limit": limit},
            )
            return [AuditRow(**(dict(row) | {"detail": json.loads(row["detail"])})) for row in rows]

    def note(self, action: str, by: Actor | None, detail: Mapping[str, Any] | None = None) -> None:
        """Write down a deed that changes nothing in the database, such as a restart."""
        with self._database.write(urgent=True) as transaction:
            write_audit(transaction, by, action, detail=detail)

    def note_settings(self, changed: Sequence[str], by: Actor | None = None) -> None:
        """Tell everyone which settings changed."""
        with self._database.write() as transaction:
            transaction.append("settings", None, {"changed": list(changed)})
            write_audit(transaction, by, "settings", detail={"changed": list(changed)})
