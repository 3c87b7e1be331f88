"""Jobs: put into the queue, look at, stop, remove; and their pictures."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from PIL import Image as PilImage
from starlette.responses import Response

from modules.api.answers import Refused, error_answer, json_answer, read_object
from modules.api.client import owner_of
from modules.api.generation_answer import read_image
from modules.api.live_messages import answer_for
from modules.api.services import Services
from modules.api.submission import check_job_id, check_request, new_job_id, submit_job
from modules.errors import InvalidRequest, UnknownJob
from modules.jobs.rows import Image
from modules.jobs.store import JobStore
from modules.paths import DataFolder
from modules.shared_state import RequestKind

STATUSES = ("queued", "running", "paused", "done", "interrupted", "failed", "quarantined")
MOST_JOBS_LISTED = 1000
THUMBNAIL_SIZE = 256
# The picture of a job and index never changes: its bytes are a function of the resolved request.
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def routes(services: Services) -> APIRouter:
    """Everything under /sdapi/v1/jobs."""
    router = APIRouter(prefix="/sdapi/v1/jobs")
    store, workers = services.store, services.workers

    @router.post("")
    async def submit(request: Request) -> Response:
        """Queue a job: `kind`, `request` with the fields of POST txt2img, and an `id` if you like."""
        body = await read_object(request)
        job_id = check_job_id(body.get("id"), "id") or new_job_id()
        kind, data, settings = body.get("kind", "txt2img"), body.get("request"), services.options.values
        checked = await workers.run(check_request, kind, data, services.catalogue, settings)
        owner = body.get("owner")
        if not isinstance(owner, str) or not owner:
            owner = owner_of(request)
        job = await workers.run(submit_job, store, checked, owner, job_id)
        return json_answer({"id": job.id, "status": job.status, "position": job.position})

    @router.get("")
    async def listed(status: str | None = None, owner: str | None = None, limit: int = 50, offset: int = 0) -> Response:
        """Jobs and how many there are, the newest first."""
        return json_answer(await workers.run(list_jobs, store, status, owner, limit, offset))

    @router.get("/{job_id}")
    async def one(job_id: str) -> Response:
        """A job and its outputs so far."""
        return json_answer(await workers.run(job_or_unknown, store, job_id))

    @router.delete("/{job_id}")
    async def remove(job_id: str) -> Response:
        """Take a job that waits out of the queue."""
        return await workers.run_control(remove_job, store, job_id)

    @router.get("/{job_id}/images/{index:int}.png")
    async def picture(job_id: str, index: int) -> Response:
        """The file of one output."""
        data = await workers.run(picture_bytes, store, services.folder, job_id, index)
        return Response(data, media_type="image/png", headers=FOR_EVER)

    @router.get("/{job_id}/images/{index:int}/thumbnail")
    async def thumbnail(job_id: str, index: int) -> Response:
        """A small WebP of one output."""
        data = await workers.run(thumbnail_bytes, store, services.folder, job_id, index)
        return Response(data, media_type="image/webp", headers=FOR_EVER)

    for kind in ("interrupt", "skip", "stop"):
        _add_request(router, services, kind)
    return router


def _add_request(router: APIRouter, services: Services, kind: Any) -> None:
    request_kind: RequestKind = kind

    async def request(job_id: str) -> Response:
        answer = await services.workers.run_control(services.requests.ask, request_kind, job_id)
        return json_answer({"accepted": answer.accepted, "was": answer.was})

    router.add_api_route(f"/{{job_id}}/{kind}", request, methods=["POST"], name=kind)


def list_jobs(store: JobStore, status: str | None, owner: str | None, limit: int, offset: int) -> dict[str, Any]:
    """Return jobs with their outputs, and how many there are in all.

    Raises:
        InvalidRequest: there is no such status, or the limit makes no sense.
    """
    if status is not None and status not in STATUSES:
        raise InvalidRequest(f"status {status!r} is not known: use one of {', '.join(STATUSES)}.", "status")
    if not 0 <= limit <= MOST_JOBS_LISTED or offset < 0:
        raise InvalidRequest(
            f"limit {limit} or offset {offset} is not possible: use a limit of 0 to {MOST_JOBS_LISTED}.", "limit"
        )
    jobs, total = store.jobs(status=status, owner=owner, limit=limit, offset=offset)
    return {"jobs": [answer_for(store, job) for job in jobs], "total": total}


def job_or_unknown(store: JobStore, job_id: str) -> dict[str, Any] | None:
    """Return a job with its outputs.

    Raises:
        UnknownJob: there is none.
    """
    job = store.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    return answer_for(store, job)


def remove_job(store: JobStore, job_id: str) -> Response:
    """Take a job out of the queue; 409 when it is not in it any more.

    Raises:
        UnknownJob: there is none.
    """
    job = store.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    if store.remove(job_id):
        return json_answer({"accepted": True, "was": "queued"})
    job = store.get(job_id)
    status = job.status if job else "removed"
    remedy = "interrupt it first" if status == "running" else "only queued jobs can be removed"
    return error_answer(409, "NotQueued", f"Job {job_id} is {status}: {remedy}.")


def find_image(store: JobStore, job_id: str, index: int) -> Image:
    """Return a complete image of a job.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no such image (yet).
    """
    for image in store.images(job_id):
        if image.index == index:
            return image
    if store.get(job_id) is None:
        raise UnknownJob(job_id)
    raise Refused(404, f"Job {job_id} has no image {index}, or not yet.")


def picture_bytes(store: JobStore, folder: DataFolder, job_id: str, index: int) -> bytes:
    """Return the file of an image, byte for byte.

    Raises:
        Refused: 404, there is none, or somebody deleted it.
    """
    image = find_image(store, job_id, index)
    if not (folder.root / image.name).is_file():
        raise Refused(404, f"{folder.root / image.name} is gone: it was deleted, or kept for a limited time only.")
    return read_image(folder, image)


def thumbnail_bytes(store: JobStore, folder: DataFolder, job_id: str, index: int) -> bytes:
    """Return a small WebP of an image.

    Raises:
        Refused: 404, there is no such image.
    """
    image = find_image(store, job_id, index)
    path = folder.root / image.name
    if not path.is_file():
        raise Refused(404, f"{path} is gone: it was deleted, or kept for a limited time only.")
    return small_webp(path)


@functools.lru_cache(maxsize=256)
def small_webp(path: Path) -> bytes:
    """Return a picture of at most 256 pixels a side."""
    with PilImage.open(path) as picture:
        picture.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "WEBP", quality=82, method=2)
    return buffer.getvalue()
