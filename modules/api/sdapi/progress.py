"""How far the running job is, answered from memory alone; only a job that does not run is looked up."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator
from starlette.responses import Response

from modules.api.answers import json_answer, read_body
from modules.api.auth.client import actor_of
from modules.api.auth.quick_routes import QuickRoute
from modules.api.jobs.queue import ids_told
from modules.api.live.broadcaster import data_uri
from modules.api.live.messages import read_queue
from modules.api.openapi import YES_OR_NO, query, whole_body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.link.topics import PROGRESS
from modules.shared_state import Preview, State

SKIP_IMAGE = "skip_current_image"
BOOLEAN = TypeAdapter(bool)
# What a guest is not told of the job of another.
ONLY_BUSY = {"current_image": None, "textinfo": None, "job": None, "phase": None, "detail": None}


class ProgressQuestion(BaseModel):
    """Body of POST /internal/progress. Without `id_task` it asks for the job that runs."""

    model_config = ConfigDict(extra="ignore")

    id_task: str | None = None
    id_live_preview: int | None = -1
    live_preview: bool = True

    @field_validator("id_task", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Half a surrogate pair is in no job's id, and the database takes none."""
        return value.encode(errors="replace").decode() if isinstance(value, str) else value


def routes(services: Services) -> APIRouter:
    """GET /sdapi/v1/progress, POST /internal/progress, GET /internal/pending-tasks."""
    router = APIRouter(route_class=QuickRoute)
    store, workers, broadcaster = services.store, services.workers, services.broadcaster

    @router.get("/sdapi/v1/progress", openapi_extra=query({SKIP_IMAGE: YES_OR_NO}))
    async def progress(request: Request) -> Response:
        """How far the running job is, whoever owns it, with its newest preview."""
        skip = yes_or_no(request, SKIP_IMAGE)
        answer = progress_answer(services.state, broadcaster.topic(PROGRESS), skip)
        if not await is_told_of(services, answer["job"], actor_of(request)):
            answer |= ONLY_BUSY | {"state": answer["state"] | {"job": ""}}
        answer["queue"] = broadcaster.queue.total
        return json_answer(answer)

    @router.post("/internal/progress", openapi_extra=whole_body(ProgressQuestion.model_json_schema()))
    async def internal_progress(request: Request) -> Response:
        """How far one job is: running, waiting or finished."""
        question = await question_in(request)
        state = services.noticeboards.of_job(question.id_task)
        running = running_job(state)
        if not await is_told_of(services, question.id_task or running, actor_of(request)):
            return json_answer(waiting_answer("Waiting..."))
        if running is not None and question.id_task in (None, running):
            return json_answer(task_progress(state, broadcaster.topic(PROGRESS, running), question, running))
        if question.id_task is None:
            return json_answer(waiting_answer("Waiting..."))
        return json_answer(await workers.run(where_is, store, question.id_task))

    @router.get("/internal/pending-tasks")
    async def pending_tasks(request: Request) -> Response:
        """The ids of the jobs that wait."""
        waiting = await workers.run(read_queue, store)
        ids = await workers.run(ids_told, services, waiting.ids, actor_of(request))
        return json_answer({"size": waiting.total, "tasks": ids})

    @router.get("/internal/ping")
    async def ping(request: Request) -> Response:
        """Who answers: the id of this server and a hash of its page."""
        return Response(services.identity.ping, media_type="application/json", headers={"Cache-Control": "no-store"})

    return router


async def question_in(request: Request) -> ProgressQuestion:
    """Return what a client asks.

    Raises:
        InvalidRequest: it is no JSON.
        RequestValidationError: it is no such question.
    """
    try:
        sent = json.loads(await read_body(request))  # orjson refuses half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is no JSON: send a JSON object.") from error
    try:
        return ProgressQuestion.model_validate(sent)
    except ValidationError as error:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from error


def yes_or_no(request: Request, name: str) -> bool:
    """Return what a query says, no where it says nothing.

    Raises:
        RequestValidationError: it is neither.
    """
    try:
        return BOOLEAN.validate_python(request.query_params.get(name, False))
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("query", name)} for one in error.errors()]) from error


async def is_told_of(services: Services, job_id: str | None, by: Actor) -> bool:
    """Tell whether `by` may know of a job: a guest of his own only. Only for a guest it is looked up, in a thread."""
    if not by.only_own or job_id is None:
        return True
    job = await services.workers.run(services.store.jobs.get, job_id)
    return job is not None and job.owner == by.owner


def fraction_done(state: dict[str, Any], begun: float = 0.0) -> float:
    """Return A1111's progress of a noticeboard: its jobs count alike, and in the current one its steps."""
    jobs, steps = state["job_count"], state["sampling_steps"]
    if not jobs:
        return 0.0
    progress = begun
    if jobs > 0:
        progress += state["job_no"] / jobs
        if steps > 0:
            progress += state["sampling_step"] / steps / jobs
    return float(min(progress, 1.0))


def remaining_seconds(time_start: float | None, progress: float) -> float | None:
    """Return the time left if it goes on like this; None while nothing can be said."""
    if not time_start or progress <= 0:
        return None
    elapsed = max(time.time() - time_start, 0.0)
    return elapsed / progress - elapsed


def running_job(state: State) -> str | None:
    """Return the id of the job that runs."""
    return state.begun_job if state.running else None


def how_far(state: State, told: dict[str, Any] | None, begun: float = 0.0) -> tuple[float, float | None]:
    """Return the progress of the running job and the seconds left: what the engine tells, else by A1111's formula.

    A job that runs is at `begun` at least, since clients take 0 for "nothing runs".
    """
    nine = state.dict()
    if told is None or not nine["job_count"]:
        progress = fraction_done(nine, begun)
        return progress, remaining_seconds(state.time_start, progress)
    return min(max(float(told["progress"]), begun), 1.0), told["eta_seconds"]


def told_of(job: str | None, topic: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the topic "progress" if it is about this job."""
    return topic if topic is not None and job is not None and topic.get("job") == job else None


def progress_answer(
    state: State, topic: dict[str, Any] | None = None, skip_current_image: bool = False
) -> dict[str, Any]:
    """Return A1111's answer about the job that runs, whoever owns it; with its id, its phase and all that is told."""
    nine, job = state.dict(), running_job(state)
    told = told_of(job, topic)
    progress, seconds_left = how_far(state, told, begun=0.01)
    preview = None if skip_current_image else preview_of(state, job)
    return {
        "progress": progress,
        "eta_relative": seconds_left or remaining_seconds(state.time_start, progress) or 0.0,
        "state": nine,
        "current_image": base64.b64encode(preview.data).decode("ascii") if preview else None,
        "textinfo": state.textinfo,
        "job": job,
        "phase": told.get("phase") if told else None,
        "detail": told,
    }


def preview_of(state: State, job: str | None) -> Preview | None:
    """Return the newest preview if it is one of this job."""
    preview = state.preview
    return preview if preview is not None and preview.job == job else None


def task_progress(state: State, topic: dict[str, Any] | None, question: ProgressQuestion, job: str) -> dict[str, Any]:
    """Return /internal/progress of the job that runs. The picture is sent when it is another than the client has."""
    progress, seconds_left = how_far(state, told_of(job, topic))
    preview = preview_of(state, job) if question.live_preview else None
    is_new = preview is not None and preview.id != question.id_live_preview
    return {
        "active": True,
        "queued": False,
        "completed": False,
        "progress": progress,
        "eta": seconds_left,
        "live_preview": data_uri(preview) if preview is not None and is_new else None,
        "id_live_preview": preview.id if preview is not None else question.id_live_preview,
        "textinfo": state.textinfo,
    }


def waiting_answer(text: str, *, queued: bool = False, completed: bool = False, active: bool = False) -> dict[str, Any]:
    """Return /internal/progress of a job that does not draw."""
    return {
        "active": active,
        "queued": queued,
        "completed": completed,
        "progress": None,
        "eta": None,
        "live_preview": None,
        "id_live_preview": -1,
        "textinfo": text,
    }


def where_is(store: JobStore, job_id: str) -> dict[str, Any]:
    """Return /internal/progress of a job that is not on the noticeboard. An unknown one is no error."""
    job = store.jobs.get(job_id)
    if job is None:
        return waiting_answer("Waiting...")
    if job.status == "queued":
        return waiting_answer(f"In queue: {job.position}/{store.jobs.queued_count()}", queued=True)
    if job.status == "paused":
        return waiting_answer("Paused", queued=True)
    if job.status == "running":
        return waiting_answer("Waiting...", active=True)
    return waiting_answer("Waiting...", completed=True)
