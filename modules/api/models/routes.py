"""The models: looked at by all, changed by those who are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.models.listing import Query
from modules.api.numbers import Number
from modules.api.openapi import NUMBER, TEXT, body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import visitor_of
from modules.paths import DataFolder

PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}}}
# Another picture has another address.
FOR_LONG = {"Cache-Control": "private, max-age=31536000, immutable"}


def routes(services: Services) -> APIRouter:
    """GET, rename, notes, picture and DELETE under /sdapi/v1/models."""
    router = APIRouter(prefix="/sdapi/v1/models")
    _add_looking(router, services)
    _add_changing(router, services)
    return router


def _add_looking(router: APIRouter, services: Services) -> None:
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
        fits: str = "",
    ) -> Response:
        """Models with family, size, hash, notes and what is wrong with them; `sort` is name, date or size.

        LoRAs and embeddings also with what puts them into a prompt; with `fits`, the name of a checkpoint, those that
        go with it alone.

        `kinds` and `families` tell how many there are of each among those whose name or family has the words of `text`.
        """
        query = Query(kind or None, family or None, text, sort, descending, offset, limit, fits)
        trusted = visitor_of(request.scope).trusted
        return json_answer(await workers.run(library.page, query, with_paths=trusted))

    @router.get("/{model_id}/preview", responses=PICTURE)
    async def picture(model_id: str, v: str = "") -> Response:
        """The picture that lies beside a model, as a small WebP."""
        data = await workers.run_picture(library.picture, model_id)
        return Response(data, media_type="image/webp", headers=FOR_LONG if v else None)


def _add_changing(router: APIRouter, services: Services) -> None:
    library, workers = services.library, services.workers

    @router.post("/{model_id}/rename", openapi_extra=body({"name": TEXT}, ["name"]))
    async def rename(request: Request, model_id: str) -> Response:
        """Rename a model's file or folder, with all that belongs to it; 409 while a job draws with it."""
        name = (await read_object(request)).get("name")
        new = await workers.run(library.rename, model_id, name, actor_of(request))
        return json_answer({"name": new})

    notes = body(
        {
            **dict.fromkeys(("notes", "activation_text", "negative_text", "description", "sd_version"), TEXT),
            "suggested_weight": {"type": "number"},
        }
    )

    @router.post("/{model_id}/notes", openapi_extra=notes)
    async def note(request: Request, model_id: str) -> Response:
        """Write notes, trigger words, a weight and the like into the side-car NAME.json, where A1111 keeps them."""
        sent = await read_object(request)
        await workers.run(library.note, model_id, sent, actor_of(request))
        return json_answer({})

    @router.post("/{model_id}/picture", openapi_extra=body({"job": TEXT, "index": NUMBER}, ["job"]))
    async def take_picture(request: Request, model_id: str) -> Response:
        """Put a finished picture of a job, by its index, on the model's card: NAME.preview.png beside its file."""
        sent = await read_object(request)
        picture = await workers.run(finished_picture, services.store, services.folder, sent)
        await workers.run(library.take_picture, model_id, picture, actor_of(request))
        return json_answer({})

    @router.delete("/{model_id}")
    async def delete(request: Request, model_id: str) -> Response:
        """Move a model with its side-cars into the trash; 409 while a job draws with it."""
        deleted = await workers.run(library.delete, model_id, actor_of(request))
        return json_answer({"trash_id": deleted.id, "name": deleted.name})


def finished_picture(store: JobStore, folder: DataFolder, sent: Mapping[str, Any]) -> Path:
    """Return the file of the picture that a body names by `job` and `index`.

    Raises:
        InvalidRequest: it names none.
        Refused: 404, there is no such picture, or not any more.
    """
    job, index = sent.get("job"), sent.get("index", 0)
    if not isinstance(job, str) or type(index) is not int:
        raise InvalidRequest("There is no picture: send job, an id, and index, a number from 0.", "job")
    image = next((one for one in store.jobs.images(job) if one.index == index), None)
    if image is None or not (path := folder.root / image.name).is_file():
        raise Refused(404, f"Job {job} has no picture {index}, or not any more: GET /sdapi/v1/jobs lists them.")
    return path
