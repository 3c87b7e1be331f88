"""Downloads from the Hugging Face Hub over REST: for those who are known."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.openapi import TEXT, YES_OR_NO, body
from modules.api.services import Services
from modules.errors import InvalidRequest


def routes(services: Services) -> APIRouter:
    """Everything under /sdapi/v1/downloads."""
    router = APIRouter(prefix="/sdapi/v1/downloads")
    downloads, workers, audit = services.downloads, services.workers, services.store.audit

    @router.get("")
    async def listed() -> Response:
        """The downloads, the newest first; `allowed` tells whether the setting lets there be any."""
        return json_answer(await workers.run(downloads.list))

    @router.post("", openapi_extra=body({"address": TEXT, "half": YES_OR_NO}, ["address"]))
    async def add(request: Request) -> Response:
        """Fetch a model: `address` is `org/name`, or the address of it or of one of its files on the Hub.

        With `half` its weights in half precision where there are such. It begins when those before it are done.
        """
        sent, by = await read_object(request), actor_of(request)
        half = sent.get("half", False)
        if not isinstance(half, bool):
            raise InvalidRequest(f"half {half!r} is not possible: send true or false.", "half")
        entry = await workers.run(downloads.add, sent.get("address"), half)
        await workers.run(audit.note, "download", by, {"address": entry.address})
        return json_answer(entry.told())

    @router.post("/token", openapi_extra=body({"token": TEXT}, ["token"]))
    async def token(request: Request) -> Response:
        """Keep an access token for gated models, or forget it with "". It is told to nobody."""
        sent, by = await read_object(request), actor_of(request)
        await workers.run(downloads.token.write, sent.get("token"))
        await workers.run(audit.note, "download-token", by)
        return json_answer({"token": await workers.run(downloads.token.is_set)})

    @router.post("/{download_id}/pause")
    async def pause(download_id: str) -> Response:
        """Stop fetching; what has come stays."""
        return json_answer((await workers.run(downloads.pause, download_id)).told())

    @router.post("/{download_id}/resume")
    async def resume(download_id: str) -> Response:
        """Go on with one that was paused or failed, from where it ended."""
        return json_answer((await workers.run(downloads.resume, download_id)).told())

    @router.delete("/{download_id}")
    async def remove(download_id: str) -> Response:
        """Cancel one with what has come of it, or forget one that is done; its model stays."""
        await workers.run(downloads.remove, download_id)
        return json_answer({})

    return router
