"""The way into the queue, for all who ask for a job: the request is checked, the model is found, the job is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.errors import InvalidRequest, ModelError, NotPermitted
from modules.jobs.intake import Intake
from modules.jobs.kinds.choice import CHOSEN
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.registry import find_kind, validate_request
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.scripts import without_script
from modules.jobs.lenient import is_blank
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor, Job
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import refusal_of_guest
from modules.options import Settings


@dataclass(frozen=True)
class Wishes:
    """Whose a job is and how it is to be queued.

    `retry_of` is the job that was edited; `replaces` is a waiting one that gives its place to this one.
    """

    owner: str
    priority: int = 0
    forever: bool = False
    retry_of: str | None = None
    replaces: str | None = None


@dataclass(frozen=True)
class Checked:
    """A valid request, and the models that it is done with, whatever the settings say when its turn comes."""

    request: JobRequest
    choice: Frozen


@dataclass(frozen=True)
class Sender:
    """Who sends a request, and what takes in the pictures that he sends with it or names in it."""

    intake: Intake
    by: Actor


def check_request(
    kind: object, data: object, catalogue: CheckpointCatalogue, settings: Settings, sender: Sender | None = None
) -> Checked:
    """Return a valid request of this kind, with models that are there and can draw it, and names of its pictures.

    Without a `sender` it may have no pictures but those that are inputs already.

    Raises:
        InvalidRequest: it cannot be followed.
        NotPermitted: a guest names a folder of this machine.
        StorageError: a picture cannot be kept.
        TooMuchSent: a guest has sent as many pictures as he may.
    """
    kind, data = without_script(kind, data)
    if sender is not None and isinstance(data, Mapping):
        _refuse_folders(find_kind(kind), data, sender.by)
        data = sender.intake.take_request(find_kind(kind), data, sender.by)
    request = validate_request(kind, data)
    if sender is not None:
        request.check_inputs(sender.intake.inputs)
    try:
        return Checked(request, request.chosen(catalogue, settings))
    except ModelError as error:
        raise InvalidRequest(str(error), "sd_model_checkpoint") from error


def _refuse_folders(kind: Kind[Any], data: Mapping[str, Any], by: Actor) -> None:
    if by.only_own and any(not is_blank(data.get(field)) for field in kind.folders):
        raise NotPermitted(refusal_of_guest("A folder of this machine", by.address))


def submit(
    store: JobStore, checked: Checked, wishes: Wishes, by: Actor, id: str | None = None, *, only_new: bool = False
) -> Job:
    """Put a checked request into the queue. The same id twice is one job, unless `only_new`: then it is refused.

    Raises:
        IdTaken: by a job that was there already.
        NotPermitted: a guest wants to be before others.
        QueueFull: as many jobs wait as may.
    """
    if by.only_own and wishes.priority != 0:
        raise NotPermitted(refusal_of_guest("A priority", by.address))
    return store.queue.submit(
        checked.request.kind,
        checked.request.model_dump(mode="json") | {CHOSEN: checked.choice.model_dump(mode="json")},
        wishes.owner,
        id=id,
        priority=wishes.priority,
        only_new=only_new,
        forever=wishes.forever,
        retry_of=wishes.retry_of,
        replaces=wishes.replaces,
        by=by,
    )
