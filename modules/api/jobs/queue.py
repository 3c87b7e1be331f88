"""The queue as a whole, and who did what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object
from modules.api.auth.client import actor_of, check_owner_name
from modules.api.live.messages import read_queue
from modules.api.numbers import Number
from modules.api.openapi import TEXT, YES_OR_NO, body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.rows import Actor

MOST_AUDIT_ROWS = 1000
INTERRUPT_WAITING = {"owner": TEXT, "forget": YES_OR_NO, "created_until": {"type": "number"}}


def routes(services: Services) -> APIRouter:
    """GET /sdapi/v1/queue, POST queue/pause, resume, interrupt-waiting, GET /sdapi/v1/audit."""
    router = APIRouter(prefix="/sdapi/v1")
    store, workers = services.store, services.workers

    @router.get("/queue")
    async def queue(request: Request) -> Response:
        """Whether jobs are taken from it, how many wait, run and are paused, and how many may wait."""
        answer = await workers.run(queue_answer, services)
        return json_answer(answer | {"jobs": await workers.run(ids_told, services, answer["jobs"], actor_of(request))})

    @router.post("/queue/pause")
    async def pause(request: Request) -> Response:
        """Take no more jobs from the queue; the one that runs goes on."""
        await workers.run_control(store.queue.pause, by=actor_of(request))
        return json_answer(await workers.run(queue_answer, services))

    @router.post("/queue/resume")
    async def resume(request: Request) -> Response:
        """Take jobs again."""
        await workers.run_control(store.queue.resume, by=actor_of(request))
        return json_answer(await workers.run(queue_answer, services))

    @router.post("/queue/interrupt-waiting", openapi_extra=body(INTERRUPT_WAITING))
    async def interrupt_waiting(request: Request) -> Response:
        """Interrupt all jobs that wait, or those of one `owner`; the one that runs goes on.

        With `forget` those that have no picture are not kept as interrupted ones; `created_until` is the `created_at`
        of the newest that is meant.
        """
        by = actor_of(request)
        meant = which_wait(await read_object(request, empty=True), by)
        return json_answer({"interrupted": await workers.run_control(interrupt_all, services, meant, by)})

    @router.get("/audit")
    async def audit(limit: Number = 100, before: Number | None = None) -> Response:
        """Who did what, the newest first; `before` is the number of a row: what lies before it."""
        if not 1 <= limit <= MOST_AUDIT_ROWS:
            raise InvalidRequest(f"limit {limit} is not possible: use 1 to {MOST_AUDIT_ROWS}.", "limit")
        rows = await workers.run(store.audit.rows, limit, before)
        return json_answer({"audit": [row._asdict() for row in rows]})

    return router


def queue_answer(services: Services) -> dict[str, Any]:
    """Return the answer of GET /sdapi/v1/queue."""
    services.options.refresh()
    waiting = read_queue(services.store)
    limits = services.store.queue.limits()
    return {
        "paused": waiting.paused,
        "queued": waiting.total,
        "running": waiting.running,
        "paused_jobs": services.store.jobs.counts().get("paused", 0),
        "jobs": waiting.ids,
        "limits": {"total": limits.total, "per_owner": limits.per_owner},
    }


def ids_told(services: Services, ids: Sequence[str], by: Actor) -> list[str]:
    """Return the ids of waiting jobs as `by` may know them: "" stands for one that is not a guest's own."""
    if not by.only_own:
        return list(ids)
    jobs = services.store.jobs.by_ids(ids)
    return [id if id in jobs and jobs[id].owner == by.owner else "" for id in ids]


class Meant(NamedTuple):
    """Which waiting jobs are to end, and whether those that have no picture are kept."""

    owner: str | None = None
    forget: bool = False
    created_until: float = math.inf


def which_wait(asked: Mapping[str, Any], by: Actor) -> Meant:
    """Read the body of interrupt-waiting.

    Raises:
        InvalidRequest: a value is not possible.
    """
    forget, until = asked.get("forget", False), asked.get("created_until")
    if not isinstance(forget, bool):
        raise InvalidRequest(f"forget {forget!r} is not possible: send true or false.", "forget")
    if until is not None and (isinstance(until, bool) or not isinstance(until, int | float)):
        raise InvalidRequest(f"created_until {until!r} is not possible: send the created_at of a job.", "created_until")
    owner = asked.get("owner", by.owner if by.only_own else None)
    if owner is not None:
        owner = check_owner_name(owner)
    return Meant(owner, forget, math.inf if until is None else until)


def interrupt_all(services: Services, meant: Meant, by: Actor) -> int:
    """Interrupt the waiting jobs that are meant and return how many they were.

    Raises:
        Refused: 403, they belong to others.
    """
    owner = meant.owner
    services.permission.check_owner(owner, by, "The queue" if owner is None else f"What waits of {owner}")
    return services.store.queue.interrupt_waiting(owner, by, meant.forget, meant.created_until)
