"""The page's own scripts and styles, read once: a running server never mixes its page with files of a newer version."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused

ASK_EACH_TIME = "no-cache"


@dataclass(frozen=True)
class Asset:
    """A file in memory. `etag` changes with its bytes."""

    data: bytes
    media_type: str
    etag: str


def read_assets(folder: Path) -> dict[str, Asset]:
    """Return all files of `folder` by their path in it."""
    assets = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            name = path.relative_to(folder).as_posix()
            assets[name] = Asset(data, media_type, f'"{hashlib.sha256(data).hexdigest()[:20]}"')
    return assets


def routes(assets: dict[str, Asset]) -> APIRouter:
    """GET /steady/assets/NAME; a browser asks each time whether its own is still the newest."""
    router = APIRouter()

    @router.get("/steady/assets/{name:path}")
    async def asset(request: Request, name: str) -> Response:
        found = assets.get(name)
        if found is None:
            raise Refused(404, f"There is no asset {name!r}.")
        headers = {"ETag": found.etag, "Cache-Control": ASK_EACH_TIME}
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=found.media_type, headers=headers)

    return router
