"""POST txt2img: a job whose client waits. It holds no thread while it does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, error_answer, read_object, retry_later
from modules.api.client import actor_of
from modules.api.generation_answer import generation_answer
from modules.api.services import Services
from modules.api.submission import (
    Wishes,
    check_job_id,
    check_request,
    new_job_id,
    refuse_without_engine,
    submit_job,
)
from modules.jobs.requests import Txt2ImgRequest

OPENAPI = {"requestBody": {"content": {"application/json": {"schema": Txt2ImgRequest.model_json_schema()}}}}


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/txt2img."""
    router = APIRouter(prefix="/sdapi/v1")

    @router.post("/txt2img", openapi_extra=OPENAPI)
    async def txt2img(request: Request) -> Response:
        """Draw pictures and wait for them."""
        body = await read_object(request)
        forced = check_job_id(body.get("force_task_id"), "force_task_id")
        if body.get("save_images") is None:
            body["save_images"] = False
        settings = services.options.values
        checked = await services.workers.run(check_request, "txt2img", body, services.catalogue, settings)
        refuse_without_engine(services.broadcaster.topic("supervisor"))
        job_id = forced or new_job_id()
        with services.retirement.waiting():
            return await _draw(services, request, checked, job_id, send_images=checked.send_images)

    return router


async def _draw(
    services: Services, request: Request, checked: Txt2ImgRequest, job_id: str, send_images: bool
) -> Response:
    ended = services.broadcaster.expect(job_id)
    try:
        by = actor_of(request)
        await services.workers.run(submit_job, services.store, checked, job_id, Wishes(by.owner), by, only_new=True)
        status = await _wait(services, request, ended, job_id)
    finally:
        services.broadcaster.forget(job_id, ended)
    if status is None:
        if checked.stop_on_disconnect:
            await services.workers.run_control(services.requests.ask, "interrupt", job_id, by)
        return Response(status_code=499)
    return await _answer(services, checked, job_id, send_images)


async def _wait(services: Services, request: Request, ended: asyncio.Future[str], job_id: str) -> str | None:
    """Return the status with which the job ended; None when its client went away.

    Raises:
        Refused: 503, the server is stopped, or the engine was given up. The job stays in the queue.
    """
    gone = asyncio.create_task(_disconnected(request))
    stopped = asyncio.create_task(services.retirement.stopping.wait())
    given_up = asyncio.create_task(services.broadcaster.engine_given_up.wait())
    try:
        await asyncio.wait((ended, gone, stopped, given_up), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        if gone.done():
            return None
        if given_up.done() and not stopped.done():
            refuse_without_engine(services.broadcaster.topic("supervisor"), job_id)
        raise retry_later(f"The server stops; job {job_id} stays in the queue: GET /sdapi/v1/jobs/{job_id} later.", 5)
    finally:
        for task in (gone, stopped, given_up):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _disconnected(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer(services: Services, checked: Txt2ImgRequest, job_id: str, send_images: bool) -> Response:
    job = await services.workers.run(services.store.get, job_id)
    if job is None:
        raise Refused(410, f"Job {job_id} was removed from the queue.")
    if job.status in ("failed", "quarantined"):
        message = job.error or f"The job is {job.status}."
        return error_answer(500, "JobFailed", message, message)
    content: Any = await services.workers.run(
        generation_answer, services.store, services.folder, job, checked, send_images
    )
    return Response(content, media_type="application/json")
