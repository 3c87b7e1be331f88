"""From the fields to a job in the queue."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from modules.errors import IdTaken, InvalidRequest, SteadyError
from modules.jobs.intake import Intake
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.fields import OVERRIDABLE_SETTINGS
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.serialization import job_answer
from modules.jobs.store.job_store import JobStore
from modules.jobs.submission import Sender, Wishes, check_request
from modules.jobs.submission import submit as submit_job
from modules.shared import opts
from webui.actors import actor
from webui.header import Header
from webui.listeners import Named, Script, Values, on, together
from webui.tabs.drawing.actions import Actions
from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.texts import Texts

_OVERRIDES = OVERRIDABLE_SETTINGS | {MODULES}


def wire(
    of: Blueprint,
    fields: Named,
    actions: Actions,
    texts: Texts,
    header: Header,
    store: JobStore,
    catalogue: CheckpointCatalogue,
    intake: Intake | None = None,
) -> None:
    """Make Generate and Generate forever queue a job of the tab's kind."""

    def generate(values: Values, asker: gr.Request, forever: bool = False) -> Values:
        try:
            request = request_in(of, fields, values)
        except InvalidRequest as error:
            return {"answer": json.dumps({"message": str(error), "field": error.field})}
        who = actor(values["owner"], asker)
        job, retried = _id(values["job"]), _id(values["retry_of"])
        told = submit(store, catalogue, of.kind, request, who, job, forever, retried, intake)
        return {"answer": told}

    def generate_forever(values: Values, asker: gr.Request) -> Values:
        return generate(values, asker, forever=True)

    about = {"checkpoint": header.checkpoint, "owner": header.owner, "job": texts.job, "retry_of": texts.retry_of}
    for button, begin in ((actions.generate, generate), (actions.generate_forever, generate_forever)):
        sent = on(button.click, begin, together(fields, about), {"answer": texts.answer},
                  Script("beginJob", actions.prefix), trigger_mode="multiple")  # fmt: skip
        on(sent.then, None, {"answer": texts.answer}, script=Script("answered", actions.prefix))


def request_in(of: Blueprint, fields: Named, values: Values) -> dict[str, Any]:
    """Return the request that the fields make, with the `checkpoint` of the bar.

    Raises:
        InvalidRequest: the tab has no request of such values.
    """
    request = of.request({name: values[name] for name in fields})
    overrides = {name: request.pop(name) for name in _OVERRIDES & request.keys()}
    if values["checkpoint"]:
        overrides["sd_model_checkpoint"] = values["checkpoint"]
    return request | {"override_settings": overrides}


def _id(sent: object) -> str | None:
    return str(sent) if sent else None


def submit(
    store: JobStore,
    catalogue: CheckpointCatalogue,
    kind: str,
    request: dict[str, object],
    who: Actor,
    identity: str | None = None,
    forever: bool = False,
    retry_of: str | None = None,
    intake: Intake | None = None,
) -> str:
    """Queue a job. Return JSON for the page: {"job": …}, or {"message": …, "field": …} and nothing was queued.

    `identity` is the id that the page gave it: a request that was sent twice, over a lost connection, is one job.
    `retry_of` is the job that was put into the fields and edited: if it still waits, this one takes its place.
    """
    try:
        sender = None if intake is None else Sender(intake, who)
        valid = check_request(kind, request, catalogue, opts.values, sender)
        replaces = _replaceable(store, retry_of, who)
        job = submit_job(store, valid, Wishes(who.owner, 0, forever, retry_of, replaces), who, identity)
    except InvalidRequest as error:
        return json.dumps({"message": str(error), "field": error.field})
    except IdTaken:
        return json.dumps(
            {"message": f"The id {identity!r} is taken by another job: press Generate again.", "field": None}
        )
    except SteadyError as error:
        return json.dumps({"message": str(error), "field": None})
    return json.dumps({"job": job_answer(job, [])}, default=str)


def _replaceable(store: JobStore, edited: str | None, who: Actor) -> str | None:
    """Return the edited job if this owner may take it out of the queue, to put the new one in its place."""
    job = store.jobs.get(edited) if edited and (opts.values.only_own_jobs or who.only_own) else None
    return edited if job is None or job.owner == who.owner else None
