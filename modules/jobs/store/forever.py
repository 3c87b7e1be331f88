"""A job that is made again and again: what comes after one that is done."""

from __future__ import annotations

import secrets
from typing import Any

from modules.jobs.kinds.fields import SEED_HIGHEST
from modules.jobs.rows import Job
from modules.jobs.store.database import Transaction
from modules.jobs.store.queue import address_of, insert_job
from modules.jobs.store.requests import pause_job
from modules.jobs.store.statements import known_job


def queue_successor(transaction: Transaction, job: Job) -> None:
    """Queue the job that follows one that is done. A pause that came too late for that one is meant for this."""
    job_id = secrets.token_hex(8)
    request = next_request(job.request)
    address = address_of(transaction, job.id)
    insert_job(
        transaction, job_id, job.kind, request, job.owner, job.priority, forever=True, follows=job.id, address=address
    )
    transaction.append("job", job_id, {"status": "queued", "follows": job.id})
    if job.requested == "pause":
        pause_job(transaction, known_job(transaction, job_id))


def next_request(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request of the next job: a fixed seed goes on after the last one used, -1 is drawn anew."""
    seed = request.get("seed", -1)
    if not isinstance(seed, int) or seed < 0:
        return request
    count = (request.get("batch_size") or 1) * (request.get("n_iter") or 1)
    after = seed + count
    return request | {"seed": after if after + count - 1 <= SEED_HIGHEST else 0}
