"""All pictures of a job in one file, written while it is sent: no copy on the disk, and little memory however many."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from modules.api.answers import Refused
from modules.api.services import Services
from modules.errors import UnknownJob

PIECE = 1 << 18


def routes(services: Services) -> APIRouter:
    """GET /sdapi/v1/jobs/{id}/images/all.zip."""
    router = APIRouter(prefix="/sdapi/v1/jobs")

    @router.get("/{job_id}/images/all.zip")
    async def all_images(job_id: str) -> Response:
        """All pictures that a job has so far, under their own names, in one ZIP file."""
        paths = await services.workers.run(files_of, services, job_id)
        headers = {
            "Content-Disposition": _attached(f"{paths[0].stem}-and-{len(paths) - 1}-more.zip"),
            "Cache-Control": "private, no-store",
        }
        return StreamingResponse(zipped(paths), media_type="application/zip", headers=headers)

    return router


def _attached(name: str) -> str:
    """Return the header that names a file, whatever letters that has."""
    if name.isascii() and not set(name) & set('"\\;'):
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def files_of(services: Services, job_id: str) -> list[Path]:
    """Return the files of a job's pictures that are there.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no picture (yet), or none is there any more.
    """
    if services.store.jobs.get(job_id) is None:
        raise UnknownJob(job_id)
    paths = [services.folder.root / image.name for image in services.store.jobs.images(job_id)]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise Refused(404, f"Job {job_id} has no picture, or none any more.")
    return there


def zipped(paths: Sequence[Path]) -> Iterator[bytes]:
    """Write a ZIP of these files piece by piece. They are stored as they are; one that goes meanwhile is left out."""
    sink, names = _Sink(), _names_of(paths)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path, name in zip(paths, names, strict=True):
            try:
                source, changed = path.open("rb"), path.stat().st_mtime
            except OSError:
                continue
            entry = zipfile.ZipInfo(name, time.localtime(max(changed, 315_619_200))[:6])  # ZIP begins in 1980
            with source, archive.open(entry, "w") as target:
                while piece := source.read(PIECE):
                    target.write(piece)
                    yield sink.take()
            yield sink.take()
    yield sink.take()


def _names_of(paths: Sequence[Path]) -> list[str]:
    """Return the files' names, with what tells their folders apart in front where two have the same."""
    counts = Counter(path.name.casefold() for path in paths)
    if max(counts.values(), default=1) == 1:
        return [path.name for path in paths]
    shared = os.path.commonpath([path.parent for path in paths])
    return [path.name if counts[path.name.casefold()] == 1 else path.relative_to(shared).as_posix() for path in paths]


class _Sink(io.RawIOBase):
    """Takes what a ZIP writer writes, and gives it on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # some buffer
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken
