"""Pictures to start from: sent once, and named by the requests that use them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, body_was_read, json_answer, read_body
from modules.api.auth.client import actor_of
from modules.api.openapi import NUMBER, TEXT
from modules.api.services import Services
from modules.errors import InvalidRequest

# A name is made from the picture's bytes, so that these never change.
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
PREFIX = "/sdapi/v1/inputs"
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_SENT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": _PICTURE, "image/*": _PICTURE}}
}
_KEPT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"name": TEXT, "width": NUMBER, "height": NUMBER, "url": TEXT},
                    "required": ["name", "width", "height", "url"],
                }
            }
        }
    }
}


def routes(services: Services) -> APIRouter:
    """Everything under /sdapi/v1/inputs."""
    router = APIRouter(prefix=PREFIX)
    workers = services.workers

    @router.post("", openapi_extra=_SENT, responses=_KEPT)
    async def take_in(request: Request) -> Response:
        """Keep a picture, its file as the body, and say what requests call it. It goes a day after its last use."""
        data = await read_body(request)
        _refuse_forms(request)
        try:
            kept = await workers.run_picture(services.intake.take_picture, data, actor_of(request))
        finally:
            body_was_read(request)
        return json_answer(kept.model_dump() | {"url": f"{PREFIX}/{kept.name}"})

    @router.get("/{name}", responses={200: {"content": {"image/png": {}}}})
    async def picture(name: str) -> Response:
        """The picture that requests call so."""
        try:
            data = await workers.run(services.inputs.read, name)
        except InvalidRequest as error:
            raise Refused(404, str(error)) from error
        return Response(data, media_type="image/png", headers=FOR_EVER)

    return router


def _refuse_forms(request: Request) -> None:
    """Refuse the two forms in which people send a picture's file to other programs, with the form that is taken here.

    Raises:
        InvalidRequest: it is one of them.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/json"):
        raise InvalidRequest(f"The body is {kind}: send the picture's file itself, as with curl --data-binary @FILE.")
