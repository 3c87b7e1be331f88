"""Stopping: the job, the image, the server."""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.auth.quick_routes import QuickRoute
from modules.api.jobs.stop_requests import unwritten
from modules.api.openapi import TEXT, body
from modules.api.services import Services
from modules.cmd_args import refusal_without_launcher
from modules.errors import InvalidRequest, StorageError
from modules.jobs.visitor import visitor_of
from modules.link.topics import UNLOAD
from modules.shared_state import RequestKind

logger = logging.getLogger(__name__)

Target = Literal["server", "engine"]

COMMANDS: dict[Target, dict[str, str]] = {
    "server": {"now": "restart", "after-image": "restart-after-image", "idle": "restart-when-idle"},
    "engine": {
        "now": "restart-engine",
        "after-image": "restart-engine-after-image",
        "idle": "restart-engine-when-idle",
    },
}


ONE_JOB = body({"task_id": TEXT})
MOMENT = body({"when": {"type": "string", "enum": list(COMMANDS["server"]), "default": "now"}})


def routes(services: Services) -> APIRouter:
    """POST interrupt, skip, stop-generating, (un/re)load-checkpoint, the restarts, restart-cancel and server-stop."""
    router = APIRouter(prefix="/sdapi/v1")
    _add_stops(router, services)
    _add_unloading(router, services)
    _add_server_commands(router, services)
    return router


def _add_stops(router: APIRouter, services: Services) -> None:
    async def ask(request: Request, kind: RequestKind, plain: dict[str, Any] | None) -> Response:
        """Act on the job that runs and answer like A1111, or on the one named by `task_id` and say what came of it."""
        sent = await read_object(request, empty=True)
        task_id = sent.get("task_id") or request.query_params.get("task_id")
        if task_id is not None and not isinstance(task_id, str):
            raise InvalidRequest(f"task_id {task_id!r} is no text: send the id of a job.", "task_id")
        answer = await services.workers.run_control(services.stops.ask, kind, task_id, actor_of(request))
        told = plain if task_id is None else {"task_id": answer.job, "acted": answer.accepted}
        return json_answer(told if answer.notice is None else {**(told or {}), "notice": answer.notice})

    async def interrupt(request: Request) -> Response:
        """Stop the running job now, or the job named by `task_id`."""
        return await ask(request, "interrupt", {})

    async def skip(request: Request) -> Response:
        """Go on with the next image, of the running job or of the job named by `task_id`."""
        return await ask(request, "skip", None)

    async def stop_generating(request: Request) -> Response:
        """End the running job, or the job named by `task_id`, after the current image."""
        return await ask(request, "stop", {})

    for path, endpoint in (("/interrupt", interrupt), ("/skip", skip), ("/stop-generating", stop_generating)):
        router.add_api_route(path, endpoint, methods=["POST"], openapi_extra=ONE_JOB, route_class_override=QuickRoute)


def _add_unloading(router: APIRouter, services: Services) -> None:
    async def ask(request: Request, action: str, value: float | None) -> Response:
        """Tell the engines, and keep who did. Without a launcher there are none, and no model is in memory."""
        notice = await _note(services, request, action)
        if services.link is not None:
            services.link.publish(UNLOAD, value)
        return json_answer(notice)

    @router.post("/unload-checkpoint")
    async def unload_checkpoint(request: Request) -> Response:
        """Give back the memory of all models, once no job runs or waits. The next job loads its own again."""
        return await ask(request, "unload-checkpoint", time.time())

    @router.post("/reload-checkpoint")
    async def reload_checkpoint(request: Request) -> Response:
        """Take back an `unload-checkpoint` that still waits. A model that is not in memory comes with its next job."""
        return await ask(request, "reload-checkpoint", None)


def _add_server_commands(router: APIRouter, services: Services) -> None:
    async def restart(request: Request, target: Target) -> Response:
        """Give the launcher the order and answer like A1111, or, to a request that says `when`, what waits now."""
        sent = await read_object(request, empty=True)
        when = sent.get("when", "now")
        command = COMMANDS[target].get(when) if isinstance(when, str) else None
        if command is None:
            raise InvalidRequest(f"when {when!r} is not possible: send one of {', '.join(COMMANDS[target])}.", "when")
        notice = await order(services, request, command)
        waiting = None if when == "now" else {"command": command, "since": time.time()}
        return json_answer(({"accepted": True, "waiting": waiting} if "when" in sent else {}) | notice)

    @router.post("/server-restart", openapi_extra=MOMENT)
    async def server_restart(request: Request) -> Response:
        """Swap the server: no request fails, the running job goes on. `when`: now, after-image or idle."""
        return await restart(request, "server")

    @router.post("/engine-restart", openapi_extra=MOMENT)
    async def engine_restart(request: Request) -> Response:
        """Start the engine anew; its job goes on after that. `when`: now, after-image or idle."""
        return await restart(request, "engine")

    @router.post("/restart-cancel")
    async def restart_cancel(request: Request) -> Response:
        """Drop the restart that waits for its moment."""
        notice = await order(services, request, "cancel-restart")
        return json_answer({"accepted": True, "waiting": None} | notice)

    @router.post("/server-stop")
    async def server_stop(request: Request) -> Response:
        """End the program. A running job goes on at the next start."""
        return json_answer(await order(services, request, "stop"))


async def order(services: Services, request: Request, command: str) -> dict[str, str]:
    """Give the launcher a command, and keep who did. Returns a `notice` for the answer when that cannot be kept.

    Raises:
        Refused: 403 or 501, see `allow_server_command`.
    """
    allow_server_command(services, request, command)
    notice = await _note(services, request, command)
    services.state.server_command = command
    return notice


async def _note(services: Services, request: Request, command: str) -> dict[str, str]:
    """Keep who gave a command. Returns a `notice` for the answer when that cannot be kept."""
    try:
        await services.workers.run_control(services.store.audit.note, command, actor_of(request))
    except StorageError as error:  # a full disk is no reason to go on
        logger.error("The command %s could not be written down: %s", command, error)
        return {"notice": unwritten(error)}
    return {}


def allow_server_command(services: Services, request: Request, command: str) -> None:
    """Refuse a command that this client may not give, or that nobody would follow.

    Raises:
        Refused: 403 to one who is not trusted, without --api-server-stop; 501 when no launcher listens.
    """
    visitor = visitor_of(request.scope)
    refusal = services.arguments.refusal_of_command(command, visitor.address, trusted=visitor.trusted)
    if refusal is not None:
        raise Refused(403, refusal)
    if services.link is None:
        raise Refused(501, refusal_without_launcher(command))
