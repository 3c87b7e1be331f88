"""POST extra-single-image, extra-batch-images and interrogate, in A1111's form: jobs whose client waits."""

from __future__ import annotations

import base64
import html
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_bytes, read_object
from modules.api.jobs.bodies import check_job_id, new_job_id
from modules.api.jobs.checking import checked_request
from modules.api.openapi import whole_body
from modules.api.sdapi.generation import answer_when_done
from modules.api.sdapi.generation_answer import read_image
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.kinds.extras import EXTRAS
from modules.jobs.kinds.interrogate import CAPTION, INTERROGATE
from modules.jobs.lenient import is_blank
from modules.jobs.rows import Image, Job


def routes(services: Services) -> APIRouter:
    """The routes of A1111's extras, and what tells what is on a picture."""
    router = APIRouter(prefix="/sdapi/v1")
    schema = whole_body(EXTRAS.request.model_json_schema())

    @router.post("/extra-single-image", openapi_extra=schema)
    async def extra_single_image(request: Request) -> Response:
        """Enlarge one picture, or mend its faces, and wait for it."""
        body = await read_object(request)
        _need(body, "image", "Image not found: send image, a picture as base64.")
        body.update({"images": None, "imageList": None, "input_dir": None})  # a picture alone, whatever else is named
        return await _extras(services, request, body)

    @router.post("/extra-batch-images", openapi_extra=schema)
    async def extra_batch_images(request: Request) -> Response:
        """Enlarge several pictures, or mend their faces, and wait for them."""
        body = await read_object(request)
        if not any(body.get(name) for name in ("imageList", "images")):
            raise Refused(404, "Images not found: send imageList, a list of objects with data (base64) and name.")
        body.update({"image": None, "input_dir": None})
        return await _extras(services, request, body, several=True)

    @router.post("/interrogate", openapi_extra=whole_body(INTERROGATE.request.model_json_schema()))
    async def interrogate(request: Request) -> Response:
        """Say what is on a picture, and wait for it."""
        body = await read_object(request)
        _need(body, "image", "Image not found: send image, a picture as base64.")
        try:
            checked = await checked_request(services, request, INTERROGATE.name, body)
        except InvalidRequest as error:
            if error.field == "model":
                raise Refused(404, str(error)) from error
            raise
        return await answer_when_done(services, request, checked, _id_in(body), lambda job: caption_answer(job))

    return router


def caption_answer(job: Job) -> bytes:
    """Return what was found on a picture; "" where somebody stopped it."""
    caption = next((note.text for note in reversed(job.notes) if note.kind == CAPTION), "")
    return json_bytes({"caption": caption})


async def _extras(services: Services, request: Request, body: dict[str, Any], several: bool = False) -> Response:
    if body.get("save_images") is None:
        body["save_images"] = False
    checked = await checked_request(services, request, EXTRAS.name, body)
    wanted = getattr(checked.request, "show_extras_results", True)

    def answer(job: Job) -> bytes:
        images = services.store.jobs.images(job.id)
        encoded = [_encoded(services, image) for image in images] if wanted else []
        info = "".join(f"<p>{html.escape(image.infotext or '')}</p>" for image in images[-1:])
        if several:
            return json_bytes({"html_info": info, "images": encoded})
        return json_bytes({"html_info": info, "image": encoded[0] if encoded else ""})

    return await answer_when_done(services, request, checked, _id_in(body), answer)


def _encoded(services: Services, image: Image) -> str:
    return base64.b64encode(read_image(services.folder, image)).decode()


def _need(body: dict[str, Any], name: str, otherwise: str) -> None:
    if is_blank(body.get(name)):
        raise Refused(404, otherwise)


def _id_in(body: dict[str, Any]) -> str:
    return check_job_id(body.get("force_task_id"), "force_task_id") or new_job_id()
