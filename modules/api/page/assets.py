"""The page's own scripts and styles, read once: a running server never mixes its page with files of a newer version."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused

ASK_EACH_TIME = "no-cache"
FOR_EVER = "private, max-age=31536000, immutable"
# Where Gradio's page says that it is: by it a phone puts the page among its programs.
MANIFEST, MANIFEST_FILE = "/manifest.json", "manifest.webmanifest"


@dataclass(frozen=True)
class Asset:
    """A file in memory. `etag` changes with its bytes."""

    data: bytes
    media_type: str
    etag: str


@dataclass(frozen=True)
class Assets:
    """All files of a folder by their path in it. `version` changes with any of them."""

    files: Mapping[str, Asset]
    version: str


def read_assets(folder: Path) -> Assets:
    """Return all files of `folder`."""
    files = {}
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            name = path.relative_to(folder).as_posix()
            files[name] = Asset(data, media_type, f'"{hashlib.sha256(data).hexdigest()[:20]}"')
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return Assets(files, f"v{digest.hexdigest()[:16]}")


def routes(assets: Assets) -> APIRouter:
    """GET /steady/assets/NAME, where a browser asks each time whether its own is still the newest, and
    GET /steady/assets/VERSION/NAME, which it keeps; GET /manifest.json, what the page is called as a program.

    The page names the version, and what its scripts import has it too, so that a page that was open before asks for
    nothing: the questions for each of its 140 files were a fifth of its work. Under a version that is not the one here,
    an old page's, there is the newest file.
    """
    router = APIRouter()

    @router.get("/steady/assets/{name:path}")
    async def asset(request: Request, name: str) -> Response:
        version, _, rest = name.partition("/")
        found = assets.files.get(name) or (assets.files.get(rest) if is_version(version) else None)
        return _answer(request, name, found, FOR_EVER if version == assets.version else ASK_EACH_TIME)

    @router.get(MANIFEST)
    async def manifest(request: Request) -> Response:
        return _answer(request, MANIFEST_FILE, assets.files.get(MANIFEST_FILE), ASK_EACH_TIME)

    return router


def is_version(name: str) -> bool:
    """Tell whether a part of an address is a version: that of these files or of others."""
    return len(name) == 17 and name[0] == "v" and set(name[1:]) <= set("0123456789abcdef")


def _answer(request: Request, name: str, found: Asset | None, keeping: str) -> Response:
    if found is None:
        raise Refused(404, f"There is no asset {name!r}.")
    headers = {"ETag": found.etag, "Cache-Control": keeping}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type=found.media_type, headers=headers)
