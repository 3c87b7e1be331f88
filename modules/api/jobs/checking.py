"""A request of whatever kind that a client sent, checked in the thread that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request

from modules.api.auth.client import actor_of
from modules.api.services import Services
from modules.images.request_infotext import has_infotext, with_infotext
from modules.jobs.kinds.registry import KINDS
from modules.jobs.submission import Checked, Sender, check_request


async def checked_request(
    services: Services, request: Request, kind: object, data: object, owner: str | None = None
) -> Checked:
    """Return the checked request in a body. `owner` is whose job it is to be; None: that of who sends it.

    The pictures are files then, and are taken out of `data`, so that who waits for a job holds none of them.

    Raises:
        SteadyError: as `check_request`.
    """
    by = actor_of(request)
    sender = Sender(services.intake, by if owner is None else replace(by, owner=owner))
    workers = services.workers
    whole = data
    if has_infotext(data):
        whole = await workers.run_submit(_with_infotext, services, kind, data)
    # How long a picture takes is up to who sent it: those who send none do not wait for it.
    run = workers.run_picture if _has_pictures(kind, data) else workers.run_submit
    checked = await run(check_request, kind, whole, services.catalogue, services.options.values, sender)
    for field in _inputs_of(kind):
        if isinstance(data, dict):
            data.pop(field, None)
    return checked


def _with_infotext(services: Services, kind: object, data: object) -> object:
    catalogue = services.catalogue
    skipped = services.options.values.infotext_skip_pasting
    return with_infotext(kind, data, catalogue.list(), catalogue.vaes.list(), skipped)


def _has_pictures(kind: object, data: object) -> bool:
    return isinstance(data, Mapping) and any(data.get(field) for field in _inputs_of(kind))


def _inputs_of(kind: object) -> tuple[str, ...]:
    known = KINDS.get(kind) if isinstance(kind, str) else None
    return () if known is None else known.inputs
