"""The models: looked at by all, changed by those who are known."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.models.listing import Query
from modules.api.numbers import Number
from modules.api.openapi import TEXT, body
from modules.api.services import Services
from modules.jobs.visitor import visitor_of

PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}}}
# Another picture has another address.
FOR_LONG = {"Cache-Control": "private, max-age=31536000, immutable"}


def routes(services: Services) -> APIRouter:
    """GET, rename, notes and DELETE under /sdapi/v1/models."""
    router = APIRouter(prefix="/sdapi/v1/models")
    library, workers = services.library, services.workers

    @router.get("")
    async def listed(
        request: Request,
        kind: str | None = None,
        family: str | None = None,
        text: str = "",
        sort: str = "name",
        descending: bool = False,
        limit: Number = 60,
        offset: Number = 0,
    ) -> Response:
        """Models with family, size, hash, notes and what is wrong with them; `sort` is name, date or size.

        `kinds` and `families` tell how many there are of each among those whose name or family has the words of `text`.
        """
        query = Query(kind or None, family or None, text, sort, descending, offset, limit)
        trusted = visitor_of(request.scope).trusted
        return json_answer(await workers.run(library.page, query, with_paths=trusted))

    @router.get("/{model_id}/preview", responses=PICTURE)
    async def picture(model_id: str, v: str = "") -> Response:
        """The picture that lies beside a model, as a small WebP."""
        data = await workers.run_picture(library.picture, model_id)
        return Response(data, media_type="image/webp", headers=FOR_LONG if v else None)

    @router.post("/{model_id}/rename", openapi_extra=body({"name": TEXT}, ["name"]))
    async def rename(request: Request, model_id: str) -> Response:
        """Rename a model's file or folder, with all that belongs to it; 409 while a job draws with it."""
        name = (await read_object(request)).get("name")
        new = await workers.run(library.rename, model_id, name, actor_of(request))
        return json_answer({"name": new})

    notes = body({"notes": TEXT, "activation_text": TEXT, "description": TEXT})

    @router.post("/{model_id}/notes", openapi_extra=notes)
    async def note(request: Request, model_id: str) -> Response:
        """Write notes, trigger words or description into the side-car NAME.json, where A1111 keeps them."""
        sent = await read_object(request)
        await workers.run(library.note, model_id, sent, actor_of(request))
        return json_answer({})

    @router.delete("/{model_id}")
    async def delete(request: Request, model_id: str) -> Response:
        """Move a model with its side-cars into the trash; 409 while a job draws with it."""
        deleted = await workers.run(library.delete, model_id, actor_of(request))
        return json_answer({"trash_id": deleted.id, "name": deleted.name})

    return router
