"""A request of whatever kind that a client sent, checked in the thread that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request

from modules.api.auth.client import actor_of
from modules.api.services import Services
from modules.jobs.kinds.registry import KINDS
from modules.jobs.submission import Checked, Sender, check_request


async def checked_request(
    services: Services, request: Request, kind: object, data: object, owner: str | None = None
) -> Checked:
    """Return the checked request in a body. `owner` is whose job it is to be; None: that of who sends it.

    Raises:
        SteadyError: as `check_request`.
    """
    by = actor_of(request)
    sender = Sender(services.intake, by if owner is None else replace(by, owner=owner))
    workers = services.workers
    # How long a picture takes is up to who sent it: those who send none do not wait for it.
    run = workers.run_picture if _has_pictures(kind, data) else workers.run_submit
    return await run(check_request, kind, data, services.catalogue, services.options.values, sender)


def _has_pictures(kind: object, data: object) -> bool:
    known = KINDS.get(kind) if isinstance(kind, str) else None
    return known is not None and isinstance(data, Mapping) and any(data.get(field) for field in known.inputs)
