"""Pictures that a job lacks, drawn when somebody wants them: such as a cell of a grid that was skipped."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import read_object
from modules.api.auth.client import actor_of
from modules.api.jobs.actions import answered
from modules.api.openapi import NUMBER, body
from modules.api.services import Services
from modules.errors import InvalidRequest, UnknownJob
from modules.jobs.lenient import show
from modules.jobs.rows import Actor, RequestAnswer
from modules.jobs.serialization import resolved_of
from modules.jobs.store.job_store import JobStore


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/jobs/{id}/redraw."""
    router = APIRouter(prefix="/sdapi/v1/jobs")

    @router.post("/{job_id}/redraw", openapi_extra=body({"images": {"type": "array", "items": NUMBER}}))
    async def redraw(request: Request, job_id: str) -> Response:
        """Queue a job that has ended again, for the pictures that it lacks: these `images`, or all of them.

        What it has stays as it is; a picture that was stopped is drawn whole.
        """
        images, by = images_in(await read_object(request, empty=True)), actor_of(request)

        def do() -> RequestAnswer:
            services.permission.check(job_id, by)
            return redraw_job(services.store, job_id, images, by)

        return answered(await services.workers.run_control(do))

    return router


def images_in(sent: dict[str, Any]) -> list[int] | None:
    """Return the indices of the pictures that are named; None: none is.

    Raises:
        InvalidRequest: they are no list of numbers.
    """
    images = sent.get("images")
    if images is None:
        return None
    if not isinstance(images, list) or any(isinstance(one, bool) or not isinstance(one, int) for one in images):
        raise InvalidRequest(f"images {show(images)} is no list of indices: send numbers, 0 for the first.", "images")
    return images


def redraw_job(store: JobStore, job_id: str, images: list[int] | None, by: Actor) -> RequestAnswer:
    """Queue a job that has ended again, for those of these pictures, or of all, that it lacks.

    Raises:
        UnknownJob: there is no such job.
        InvalidRequest: it has no such picture, or lacks none of them.
        QueueFull: as many jobs wait as may wait.
    """
    job = store.jobs.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    resolved = resolved_of(job)
    if resolved is None:  # Nothing of it was ever begun.
        return store.queue.retry(job_id, by=by)
    wanted = range(resolved.image_count) if images is None else images
    for index in wanted:
        if not 0 <= index < resolved.image_count:
            last = resolved.image_count - 1
            raise InvalidRequest(f"Job {job_id} has no picture {index}: use 0 to {last}.", "images")
    return store.queue.redraw(job_id, wanted, by=by)
