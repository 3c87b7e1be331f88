"""Stopping: the job, the image, the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_answer, read_object
from modules.api.client import is_on_this_machine
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.shared_state import RequestKind


def routes(services: Services) -> APIRouter:
    """POST interrupt, skip, server-restart, server-stop."""
    router = APIRouter(prefix="/sdapi/v1")

    async def ask(request: Request, kind: RequestKind, plain: dict[str, Any] | None) -> Response:
        """Act on the job that runs and answer like A1111, or on the one named by `task_id` and say what came of it."""
        body = await read_object(request, empty=True)
        task_id = body.get("task_id") or request.query_params.get("task_id")
        if task_id is not None and not isinstance(task_id, str):
            raise InvalidRequest(f"task_id {task_id!r} is no text: send the id of a job.", "task_id")
        answer = await services.workers.run_control(services.requests.ask, kind, task_id)
        return json_answer(plain if task_id is None else {"task_id": answer.job, "acted": answer.accepted})

    @router.post("/interrupt")
    async def interrupt(request: Request) -> Response:
        """Stop the running job now, or the job named by `task_id`."""
        return await ask(request, "interrupt", {})

    @router.post("/skip")
    async def skip(request: Request) -> Response:
        """Go on with the next image, of the running job or of the job named by `task_id`."""
        return await ask(request, "skip", None)

    @router.post("/server-restart")
    async def server_restart(request: Request) -> Response:
        """Swap the server: no request fails, the running job goes on."""
        allow_server_command(services, request, "restart")
        services.state.request_restart()
        return json_answer({})

    @router.post("/server-stop")
    async def server_stop(request: Request) -> Response:
        """End the program. A running job goes on at the next start."""
        allow_server_command(services, request, "stop")
        services.state.server_command = "stop"
        return json_answer({})

    return router


def allow_server_command(services: Services, request: Request, command: str) -> None:
    """Refuse a command that this client may not give, or that nobody would follow.

    Raises:
        Refused: 403 to another machine without --api-server-stop; 501 when no launcher listens.
    """
    if not is_on_this_machine(request) and not services.arguments.api_server_stop:
        raise Refused(403, f"server-{command} is only for clients on this machine: start with --api-server-stop.")
    if services.link is None:
        raise Refused(501, f"No launcher could {command} this server: start it with launch.py.")
