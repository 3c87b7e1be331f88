"""POST extra-single-image, extra-batch-images and interrogate, in A1111's form: jobs whose client waits."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_bytes, read_object
from modules.api.jobs.bodies import check_job_id, new_job_id
from modules.api.jobs.checking import checked_request
from modules.api.openapi import schema_of, whole_body
from modules.api.sdapi.generation import answer_when_done
from modules.api.sdapi.generation_answer import read_image
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.kinds.extras import EXTRAS, ExtrasRequest
from modules.jobs.kinds.interrogate import CAPTION, INTERROGATE
from modules.jobs.lenient import is_blank
from modules.jobs.rows import Image, Job
from modules.jobs.submission import Checked


def routes(services: Services) -> APIRouter:
    """The routes of A1111's extras, and what tells what is on a picture."""
    router = APIRouter(prefix="/sdapi/v1")
    schema = whole_body(schema_of(EXTRAS.request))

    @router.post("/extra-single-image", openapi_extra=schema)
    async def extra_single_image(request: Request) -> Response:
        """Enlarge one picture, or mend its faces, and wait for it."""
        checked, job_id = await _read_single(services, request)
        return await answer_when_done(services, request, checked, job_id, _extras_answer(services, checked))

    @router.post("/extra-batch-images", openapi_extra=schema)
    async def extra_batch_images(request: Request) -> Response:
        """Enlarge several pictures, or mend their faces, and wait for them."""
        checked, job_id = await _read_batch(services, request)
        return await answer_when_done(services, request, checked, job_id, _extras_answer(services, checked, True))

    @router.post("/interrogate", openapi_extra=whole_body(schema_of(INTERROGATE.request)))
    async def interrogate(request: Request) -> Response:
        """Say what is on a picture, and wait for it."""
        checked, job_id = await _read_interrogate(services, request)
        return await answer_when_done(services, request, checked, job_id, caption_answer)

    return router


async def _read_single(services: Services, request: Request) -> tuple[Checked, str]:
    """Return the checked request for one picture, whatever else it names, and the id of its job."""
    body = await read_object(request)
    _need(body, "image", "Image not found: send image, a picture as base64.")
    alone = body | {"images": None, "imageList": None, "input_dir": None}
    return await _checked(services, request, EXTRAS.name, alone)


async def _read_batch(services: Services, request: Request) -> tuple[Checked, str]:
    """Return the checked request for several pictures, and the id of its job."""
    body = await read_object(request)
    if not any(body.get(name) for name in ("imageList", "images")):
        raise Refused(404, "Images not found: send imageList, a list of objects with data (base64) and name.")
    return await _checked(services, request, EXTRAS.name, body | {"image": None, "input_dir": None})


async def _read_interrogate(services: Services, request: Request) -> tuple[Checked, str]:
    """Return the checked request for a caption, and the id of its job."""
    body = await read_object(request)
    _need(body, "image", "Image not found: send image, a picture as base64.")
    try:
        return await _checked(services, request, INTERROGATE.name, body)
    except InvalidRequest as error:
        if error.field == "model":
            raise Refused(404, str(error)) from error
        raise


async def _checked(services: Services, request: Request, kind: str, body: dict[str, Any]) -> tuple[Checked, str]:
    """Return a checked request, whose pictures are files from now on: nobody who waits holds what was sent."""
    job_id = check_job_id(body.get("force_task_id"), "force_task_id") or new_job_id()
    if body.get("save_images") is None:
        body["save_images"] = False
    return await checked_request(services, request, kind, body), job_id


def caption_answer(job: Job) -> bytes:
    """Return what was found on a picture; "" where somebody stopped it."""
    caption = next((note.text for note in reversed(job.notes) if note.kind == CAPTION), "")
    return json_bytes({"caption": caption})


def _extras_answer(services: Services, checked: Checked, several: bool = False) -> Callable[[Job], bytes]:
    """Return what makes the answer of a job that enlarged one picture, or `several`."""
    wanted = isinstance(checked.request, ExtrasRequest) and checked.request.show_extras_results

    def answer(job: Job) -> bytes:
        images = services.store.jobs.images(job.id)
        encoded = [_encoded(services, image) for image in images] if wanted else []
        info = "".join(f"<p>{html.escape(image.infotext or '')}</p>" for image in images[-1:])
        if several:
            return json_bytes({"html_info": info, "images": encoded})
        return json_bytes({"html_info": info, "image": encoded[0] if encoded else ""})

    return answer


def _encoded(services: Services, image: Image) -> str:
    return base64.b64encode(read_image(services.folder, image)).decode()


def _need(body: dict[str, Any], name: str, otherwise: str) -> None:
    if is_blank(body.get(name)):
        raise Refused(404, otherwise)
