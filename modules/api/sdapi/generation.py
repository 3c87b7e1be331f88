"""POST txt2img and its like: a job whose client waits. It holds no thread while it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, body_was_read, error_answer, read_object, retry_later
from modules.api.auth.client import actor_of
from modules.api.jobs.bodies import check_job_id, new_job_id
from modules.api.jobs.checking import checked_request
from modules.api.live.broadcaster import LOST, SUPERVISOR
from modules.api.openapi import schema_of, whole_body
from modules.api.sdapi.generation_answer import generation_answer, may_have_sheet
from modules.api.services import Services
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.registry import KINDS
from modules.jobs.rows import FAILED, Job
from modules.jobs.store.job_store import JobStore
from modules.jobs.submission import Checked, Wishes, submit

SECONDS_BETWEEN_LOOKS = 1.0
_PICTURES_OF_IMG2IMG = "init_images"  # without which A1111 answers 404


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/KIND for each kind of job that draws, such as txt2img."""
    router = APIRouter(prefix="/sdapi/v1")
    for kind in KINDS.values():
        if kind.draws:
            _add_kind(router, services, kind)
    return router


def _add_kind(router: APIRouter, services: Services, kind: Kind[Any]) -> None:
    async def draw(request: Request) -> Response:
        """Draw pictures and wait for them."""
        checked, forced = await _read_request(services, kind, request)

        def answer(job: Job) -> bytes:
            return generation_answer(services, job, checked.request)

        return await answer_when_done(services, request, checked, forced or new_job_id(), answer)

    schema = whole_body(schema_of(kind.request))
    router.add_api_route(f"/{kind.name}", draw, methods=["POST"], name=kind.name, openapi_extra=schema)


async def _read_request(services: Services, kind: Kind[Any], request: Request) -> tuple[Checked, str | None]:
    """Return the checked request, and the id that the job is to have."""
    body = await read_object(request)
    if _PICTURES_OF_IMG2IMG in kind.inputs and body.get(_PICTURES_OF_IMG2IMG) is None:
        raise Refused(404, "Init image not found: send init_images, a list of pictures as base64.")
    forced = check_job_id(body.get("force_task_id"), "force_task_id")
    if body.get("save_images") is None:
        body["save_images"] = False
    return await checked_request(services, request, kind.name, body), forced


async def answer_when_done(
    services: Services, request: Request, checked: Checked, job_id: str, answer: Callable[[Job], bytes]
) -> Response:
    """Queue a job and wait for its end; `answer` makes the JSON that its client gets, on a thread that suits that.

    Raises:
        Refused: nobody does it, or the server stops meanwhile; then the job stays.
        IdTaken, NotPermitted, QueueFull: as `submit`.
    """
    body_was_read(request)  # its pictures are files now: who waits holds none of them
    _refuse_without_engine(services)
    with services.shutdown.waiting():
        return await _run(services, request, checked, job_id, answer)


async def _run(
    services: Services, request: Request, checked: Checked, job_id: str, answer: Callable[[Job], bytes]
) -> Response:
    ended = services.broadcaster.expect(job_id)
    try:
        by = actor_of(request)
        await services.workers.run_submit(submit, services.store, checked, Wishes(by.owner), by, job_id, only_new=True)
        status = await _wait(services, request, ended, job_id)
    finally:
        services.broadcaster.forget(job_id, ended)
    if status is None:
        if checked.request.stop_on_disconnect:
            await services.workers.run_control(services.stops.ask, "interrupt", job_id, by)
        return Response(status_code=499)
    if status == LOST:
        raise retry_later(f"The database with job {job_id} was deleted or replaced: send the request again.", 5)
    return await _answer(services, checked, job_id, answer)


async def _wait(services: Services, request: Request, ended: asyncio.Future[str], job_id: str) -> str | None:
    """Return the status with which the job ended; None when its client went away.

    Raises:
        Refused: 503, it will not end while this server is there to tell, or the engine was given up. The job stays.
    """
    gone = asyncio.create_task(_disconnected(request))
    stopped = asyncio.create_task(services.shutdown.stopping.wait())
    put_off = asyncio.create_task(_put_off_for_long(services, job_id))
    given_up = asyncio.create_task(services.broadcaster.engine_given_up.wait())
    others = (gone, stopped, put_off, given_up)
    try:
        await asyncio.wait((ended, *others), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        if gone.done():
            return None
        if given_up.done():
            _refuse_without_engine(services, job_id)
        why = "is paused and the server is replaced" if put_off.done() else "stays in the queue: the server stops"
        raise retry_later(f"Job {job_id} {why}. GET /sdapi/v1/jobs/{job_id} later.", 5)
    finally:
        for task in others:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _put_off_for_long(services: Services, job_id: str) -> None:
    """Return once this server leaves and the job, or its queue, is paused: a process cannot stay for days for that."""
    await services.shutdown.leaving.wait()
    while not await services.workers.run(_is_put_off, services.store, job_id):  # noqa: ASYNC110  (no hurry any more)
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def _is_put_off(store: JobStore, job_id: str) -> bool:
    job = store.jobs.get(job_id)
    if job is None:
        return False
    return job.status == "paused" or (job.status == "queued" and store.jobs.queue_paused())


async def _disconnected(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer(services: Services, checked: Checked, job_id: str, answer: Callable[[Job], bytes]) -> Response:
    job = await services.workers.run(services.store.jobs.get, job_id)
    if job is None:
        raise Refused(410, f"Job {job_id} was removed from the queue.")
    if job.status in FAILED:
        message = job.error or f"The job is {job.status}."
        return error_answer(500, "JobFailed", message, message)
    makes_sheet = may_have_sheet(checked.request, services.options.values)
    run = services.workers.run_sheet if makes_sheet else services.workers.run
    return Response(await run(answer, job), media_type="application/json")


def _refuse_without_engine(services: Services, job_id: str | None = None) -> None:
    """Refuse to wait for engines that nobody starts any more. A job that is in the queue already stays there.

    Raises:
        Refused: 503, with the reason why the launcher gave it up.
    """
    if services.broadcaster.engine_given_up.is_set():
        engine = (services.broadcaster.topic(SUPERVISOR) or {}).get("engine") or {}
        reason = engine.get("reason") or "it died too often"
        remedy = "then send the request again" if job_id is None else f"job {job_id} stays in the queue"
        raise retry_later(f"The engine does not run ({reason}): start it on the page, {remedy}.", 30)
