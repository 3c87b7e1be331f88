"""Jobs: put into the queue, look at; and their pictures."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from PIL import Image as PilImage
from starlette.responses import Response

from modules.api.answers import Refused, json_answer, read_object
from modules.api.auth.client import actor_of, check_owner_name, is_on_this_machine
from modules.api.jobs.bodies import check_job_id, new_job_id, wishes_in
from modules.api.jobs.checking import checked_request
from modules.api.jobs.folder import folder_of
from modules.api.numbers import Number, register_place
from modules.api.openapi import TEXT, YES_OR_NO, body, schema_of
from modules.api.sdapi.generation_answer import read_image
from modules.api.services import Services
from modules.errors import InvalidRequest, UnknownJob
from modules.images.picture_files import FILE_FORMATS
from modules.jobs import submission
from modules.jobs.kinds.registry import KINDS
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.rows import STATUSES, Image, Job
from modules.jobs.serialization import job_answer
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from modules.jobs.store.queue import JOB_ID, PRIORITY_HIGHEST
from modules.jobs.visitor import LONGEST_OWNER, visitor_of
from modules.paths import DataFolder

MOST_JOBS_LISTED = 1000
THUMBNAIL_SIZE = 256
# The picture of a job and index never changes: its bytes are a function of the resolved request. A partial one gives
# way to a whole one when its job is tried again.
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
FOR_NOW = {"Cache-Control": "private, no-cache"}


NEW_JOB = body(
    {
        "kind": {"type": "string", "enum": list(KINDS)},
        "request": {"anyOf": [schema_of(kind.request) for kind in KINDS.values()]},
        "id": {"type": "string", "pattern": f"^{JOB_ID.pattern}$"},
        "owner": {"type": "string", "minLength": 1, "maxLength": LONGEST_OWNER},
        "priority": {"type": "integer", "minimum": -PRIORITY_HIGHEST, "maximum": PRIORITY_HIGHEST},
        "forever": YES_OR_NO,
        "retry_of": TEXT,
    },
    required=["request"],
)


PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in ("image/avif", "image/jpeg", "image/png", "image/webp")}},
}
PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in ("image/jpeg", "image/png", "image/webp")}},
    204: {"description": "No preview is kept."},
}


def routes(services: Services) -> APIRouter:
    """Everything under /sdapi/v1/jobs."""
    register_place()
    router = APIRouter(prefix="/sdapi/v1/jobs")
    store, workers = services.store, services.workers

    @router.post("", openapi_extra=NEW_JOB)
    async def submit(request: Request) -> Response:
        """Queue a job: `kind`, `request` with the fields of POST txt2img; `id`, `priority`, `forever` if you like."""
        sent = await read_object(request)
        job_id = check_job_id(sent.get("id"), "id") or new_job_id()
        by = actor_of(request)
        named = None if sent.get("owner") in (None, "") else check_owner_name(sent["owner"])
        wishes = wishes_in(sent, by.owner if named is None else visitor_of(request.scope).owner(named))
        kind, data = sent.get("kind", TXT2IMG.name), sent.get("request")
        checked = await checked_request(services, request, kind, data, wishes.owner)
        job = await workers.run_submit(submission.submit, store, checked, wishes, by, job_id)
        return json_answer({"id": job.id, "status": job.status, "position": job.position})

    @router.get("")
    async def listed(
        request: Request,
        status: str | None = None,
        owner: str | None = None,
        text: str | None = None,
        limit: Number = 50,
        offset: Number = 0,
    ) -> Response:
        """Jobs and how many there are, the newest first; `status` may be several, `text` is in the prompt."""
        folder, by = folder_told_to(services, request), actor_of(request)
        owner = by.owner if by.only_own else owner
        return json_answer(await workers.run(list_jobs, store, folder, status, owner, text, limit, offset))

    @router.get("/{job_id}")
    async def one(request: Request, job_id: str) -> Response:
        """A job and its outputs so far; `folder` is where they are, for a client on the same machine."""
        return json_answer(await workers.run(job_or_unknown, store, folder_told_to(services, request), job_id))

    @router.get("/{job_id}/images/{index:place}.{form:form}", responses=PICTURE)
    async def picture(job_id: str, index: int, form: str) -> Response:
        """The file of one output, in the form that it has: that of its `url`."""
        data, headers = await workers.run(picture_bytes, store, services.folder, job_id, index)
        return Response(data, media_type=media_type_of(data), headers=headers)

    @router.get("/{job_id}/images/{index:place}/thumbnail")
    async def thumbnail(job_id: str, index: int) -> Response:
        """A small WebP of one output."""
        data, headers = await workers.run(thumbnail_bytes, store, services.folder, job_id, index)
        return Response(data, media_type="image/webp", headers=headers)

    @router.get("/{job_id}/preview", responses=PREVIEW)
    async def preview(job_id: str) -> Response:
        """The preview that is kept with a job's snapshot, as of a paused one; 204 where none is."""
        data = await workers.run(kept_preview, store, services.folder, job_id)
        if data is None:
            return Response(status_code=204, headers=FOR_NOW)
        return Response(data, media_type=media_type_of(data), headers=FOR_NOW)

    return router


def folder_told_to(services: Services, request: Request) -> DataFolder | None:
    """Return the data folder if this client may know where files are, else None."""
    return services.folder if is_on_this_machine(request) else None


def list_jobs(
    store: JobStore,
    folder: DataFolder | None,
    status: str | None,
    owner: str | None,
    text: str | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """Return jobs with their outputs, and how many there are in all.

    Raises:
        InvalidRequest: there is no such status, or the limit makes no sense.
    """
    statuses = tuple(one.strip() for one in (status or "").split(",") if one.strip())
    for one in statuses:
        if one not in STATUSES:
            raise InvalidRequest(f"status {one!r} is not known: use some of {', '.join(STATUSES)}.", "status")
    if not 0 <= limit <= MOST_JOBS_LISTED or offset < 0:
        raise InvalidRequest(
            f"limit {limit} or offset {offset} is not possible: use a limit of 0 to {MOST_JOBS_LISTED}.", "limit"
        )
    with store.moment() as now:
        jobs, total = now.jobs.page(JobFilter(statuses, owner, text), limit, offset)
        images = now.jobs.images_of([job.id for job in jobs])
    return {"jobs": [told(folder, job, images.get(job.id, [])) for job in jobs], "total": total}


def job_or_unknown(store: JobStore, folder: DataFolder | None, job_id: str) -> dict[str, Any]:
    """Return a job with its outputs.

    Raises:
        UnknownJob: there is none.
    """
    with store.moment() as now:
        job, images = now.jobs.get(job_id), now.jobs.images(job_id)
    if job is None:
        raise UnknownJob(job_id)
    return told(folder, job, images)


def told(folder: DataFolder | None, job: Job, images: list[Image]) -> dict[str, Any]:
    """Return the REST form of a job. `folder` is the data folder, None when the client is not to know paths."""
    return job_answer(job, images) | {"folder": None if folder is None else folder_of(folder, images)}


def find_image(store: JobStore, job_id: str, index: int) -> Image:
    """Return a complete image of a job.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no such image (yet).
    """
    image = store.jobs.image(job_id, index)
    if image is not None and image.status == "complete":
        return image
    if store.jobs.get(job_id) is None:
        raise UnknownJob(job_id)
    raise Refused(404, f"Job {job_id} has no image {index}, or not yet.")


def kept_preview(store: JobStore, folder: DataFolder, job_id: str) -> bytes | None:
    """Return the preview that is kept with a job's snapshot; None: there is none.

    Raises:
        UnknownJob: there is no such job.
    """
    if store.jobs.get(job_id) is None:
        raise UnknownJob(job_id)
    try:
        return folder.kept_preview(job_id).read_bytes()
    except OSError:
        return None


def media_type_of(data: bytes) -> str:
    """Return what kind of picture this is, of those that files of pictures and previews may be."""
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/avif" if data[4:8] == b"ftyp" else "image/webp"


def picture_bytes(store: JobStore, folder: DataFolder, job_id: str, index: int) -> tuple[bytes, dict[str, str]]:
    """Return the file of an image, byte for byte, and how long a browser may keep it.

    Raises:
        Refused: 404, there is none, or somebody deleted it.
    """
    image = find_image(store, job_id, index)
    path_of(folder, image)
    return read_image(folder, image), FOR_NOW if image.partial else FOR_EVER


def thumbnail_bytes(store: JobStore, folder: DataFolder, job_id: str, index: int) -> tuple[bytes, dict[str, str]]:
    """Return a small WebP of an image, and how long a browser may keep it.

    Raises:
        Refused: 404, there is no such image.
    """
    image = find_image(store, job_id, index)
    return small_webp(path_of(folder, image), image.completed_at), FOR_NOW if image.partial else FOR_EVER


def path_of(folder: DataFolder, image: Image) -> Path:
    """Return where the file of an image is.

    Raises:
        Refused: 404, it is not there any more.
    """
    path = folder.root / image.name
    if not path.is_file():
        raise Refused(404, f"{image.name} is gone: it was deleted, or kept for a limited time only.")
    return path


@functools.lru_cache(maxsize=256)
def small_webp(path: Path, completed_at: float | None) -> bytes:
    """Return a picture of at most 256 pixels a side. `completed_at` tells the file from an earlier one at `path`."""
    with PilImage.open(path, formats=FILE_FORMATS) as picture:
        picture.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "WEBP", quality=82, method=2)
    return buffer.getvalue()
