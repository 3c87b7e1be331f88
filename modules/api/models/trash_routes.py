"""What was deleted of the models, and how it comes back or goes for good."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.auth.client import actor_of
from modules.api.services import Services


def routes(services: Services) -> APIRouter:
    """Everything under /sdapi/v1/model-trash."""
    router = APIRouter(prefix="/sdapi/v1/model-trash")
    library, workers = services.library, services.workers

    @router.get("")
    async def trash() -> Response:
        """What was deleted and can be brought back."""
        return json_answer(await workers.run(library.trash))

    @router.post("/{trash_id}/restore")
    async def restore(request: Request, trash_id: str) -> Response:
        """Bring a model back where it was."""
        return json_answer({"name": await workers.run(library.restore, trash_id, actor_of(request))})

    @router.delete("/{trash_id}")
    async def destroy(request: Request, trash_id: str) -> Response:
        """Delete one of them for good."""
        return json_answer({"deleted": await workers.run(library.destroy, trash_id, actor_of(request))})

    @router.delete("")
    async def empty(request: Request) -> Response:
        """Delete for good all that is in the trash."""
        return json_answer({"deleted": await workers.run(library.empty_trash, actor_of(request))})

    return router
