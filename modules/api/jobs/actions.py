"""What people do with a job in the queue: stop, pause, go on, try again, put elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.jobs.bodies import priority_in
from modules.api.openapi import NUMBER, TEXT, YES_OR_NO, body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.rows import Actor, RequestAnswer
from modules.shared_state import RequestKind

Position = Literal["front", "back"] | int

REQUESTS: tuple[RequestKind, ...] = ("interrupt", "skip", "stop", "pause")


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/jobs/{id}/interrupt, skip, stop, pause, resume, retry, move, priority, forever."""
    router = APIRouter(prefix="/sdapi/v1/jobs")
    store = services.store

    for kind in REQUESTS:
        _add_request(router, services, kind)

    async def act(
        request: Request, job_id: str, deed: Callable[[Actor], RequestAnswer], tell_job: bool = False
    ) -> Response:
        by = actor_of(request)

        def do() -> RequestAnswer:
            services.permission.check(job_id, by)
            return deed(by)

        answer = await services.workers.run_control(do)
        return answered(answer, {"job": answer.job} if tell_job else {})

    @router.post("/{job_id}/resume")
    async def resume(request: Request, job_id: str) -> Response:
        """Go on with a paused job, before the other waiting jobs of its owner."""
        return await act(request, job_id, lambda by: store.control.resume(job_id, by=by))

    @router.post("/{job_id}/retry")
    async def retry(request: Request, job_id: str) -> Response:
        """Queue a job again that failed, was interrupted or is quarantined. It goes on where it ended."""
        return await act(request, job_id, lambda by: store.queue.retry(job_id, by=by))

    @router.post("/{job_id}/move", openapi_extra=body({"to": {"anyOf": [TEXT, NUMBER]}}, ["to"]))
    async def move(request: Request, job_id: str) -> Response:
        """Put a waiting job elsewhere in the queue: `to` is front, back or a position, 1 for the next."""
        to = position_in(await read_object(request))
        return await act(request, job_id, lambda by: store.queue.move(job_id, to, by=by))

    @router.post("/{job_id}/priority", openapi_extra=body({"priority": NUMBER}, ["priority"]))
    async def prioritise(request: Request, job_id: str) -> Response:
        """Change the priority of a waiting job: the higher comes first, 0 is usual."""
        priority = priority_in(await read_object(request))
        return await act(request, job_id, lambda by: store.queue.prioritise(job_id, priority, by=by))

    @router.post("/{job_id}/forever", openapi_extra=body({"on": YES_OR_NO}, ["on"]))
    async def forever(request: Request, job_id: str) -> Response:
        """Let a job be followed by another like it when it is done, again and again, or no more: `on`.

        Off for a job that is done means the one that follows it, whose id is the answer's `job`.
        """
        on = (await read_object(request)).get("on")
        if not isinstance(on, bool):
            raise InvalidRequest(f"on {on!r} is not possible: send true or false.", "on")
        return await act(request, job_id, lambda by: store.control.set_forever(job_id, on, by=by), tell_job=True)

    return router


def _add_request(router: APIRouter, services: Services, kind: RequestKind) -> None:
    async def request(request: Request, job_id: str) -> Response:
        answer = await services.workers.run_control(services.stops.ask, kind, job_id, actor_of(request))
        return answered(answer)

    router.add_api_route(f"/{{job_id}}/{kind}", request, methods=["POST"], name=kind)


def answered(answer: RequestAnswer, more: dict[str, Any] | None = None) -> Response:
    """Return what came of it: a job for which it comes too late, or too early, says by `was` why."""
    notice = {} if answer.notice is None else {"notice": answer.notice}
    return json_answer({"accepted": answer.accepted, "was": answer.was, **(more or {}), **notice})


def position_in(sent: dict[str, Any]) -> Position:
    """Return where a job is to go.

    Raises:
        InvalidRequest: there is no such place.
    """
    to = sent.get("to")
    if to == "front" or to == "back":
        return "front" if to == "front" else "back"
    if isinstance(to, int) and not isinstance(to, bool) and to >= 1:
        return to
    raise InvalidRequest(f"to {to!r} is no place in the queue: send 'front', 'back' or a number from 1 on.", "to")
