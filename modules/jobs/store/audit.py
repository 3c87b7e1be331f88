"""Who did what: rows that are written in the transaction of the deed itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modules.jobs.rows import Actor, AuditRow, acting
from modules.jobs.store.base import StoreBase
from modules.jobs.store.database import Transaction

AUDIT_ROWS_KEPT = 10_000


def write_audit(
    transaction: Transaction,
    by: Actor | None,
    action: str,
    job_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did it; nothing when nobody did (the engine, a test)."""
    actor = by or acting.get()
    if actor is None:
        return
    number = transaction.execute(
        "INSERT INTO audit (at, owner, address, action, job_id, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (
            transaction.now(),
            actor.owner,
            actor.address,
            action,
            job_id,
            json.dumps(dict(detail or {}), ensure_ascii=False),
        ),
    ).lastrowid
    transaction.execute("DELETE FROM audit WHERE number <= ?", ((number or 0) - AUDIT_ROWS_KEPT,))


class Audit(StoreBase):
    """The audit's methods of the job store."""

    def audit(self, limit: int = 100, before: int | None = None) -> list[AuditRow]:
        """Return who did what, newest first; with `before` what lies before the row of that number."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT number, at, owner, address, action, job_id, detail FROM audit"
                " WHERE :before IS NULL OR number < :before ORDER BY number DESC LIMIT :limit",
                {"before": before, "limit": limit},
            )
            return [AuditRow(**(dict(row) | {"detail": json.loads(row["detail"])})) for row in rows]

    def note_audit(
        self, action: str, by: Actor | None = None, job_id: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write down a deed that changes nothing in the database, such as a restart."""
        with self._database.write(urgent=True) as transaction:
            write_audit(transaction, by, action, job_id, detail)
