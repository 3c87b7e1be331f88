"""The sheets of a grid: all its pictures in one, with what varies beside them; also while it is drawn.

Of any other job that draws several pictures there is one, as A1111's grids are laid out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from PIL import Image as PilImage
from starlette.responses import Response

from modules.api.answers import Refused
from modules.api.numbers import register_place
from modules.api.services import Services
from modules.errors import StorageError, UnknownJob
from modules.images.grids import lay_out_within
from modules.images.infotext import write_sheet
from modules.images.picture_files import FILE_FORMATS
from modules.images.png import encode_plain_png, encode_png
from modules.images.sheets import cells_of, compose, opened_in
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.files import Grid, grid_layout
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.rows import Image, Job
from modules.jobs.serialization import resolved_of
from modules.paths import DataFolder

# A sheet that is saved may have more; this one is made in the server, which must not grow for it.
MOST_PIXELS_SENT = 40_000_000
_FEWEST = 2  # pictures of a batch


def routes(services: Services) -> APIRouter:
    """GET /sdapi/v1/jobs/{id}/sheet.png and sheet/{z}.png."""
    register_place()
    router = APIRouter(prefix="/sdapi/v1/jobs")

    async def answered(request: Request, job_id: str, z: int | None) -> Response:
        known = request.headers.get("if-none-match")
        return await services.workers.run_sheet(sheet_answer, services, job_id, z, known)

    @router.get("/{job_id}/sheet.png", responses={200: {"content": {"image/png": {}}}})
    async def whole(request: Request, job_id: str) -> Response:
        """All pictures of a job in one; of a grid with what varies beside them, places that are not drawn yet grey."""
        return await answered(request, job_id, None)

    @router.get("/{job_id}/sheet/{z:place}.png", responses={200: {"content": {"image/png": {}}}})
    async def one(request: Request, job_id: str, z: int) -> Response:
        """The pictures of one value of z, counted from 0."""
        return await answered(request, job_id, z)

    return router


def sheet_answer(services: Services, job_id: str, z: int | None, known: str | None) -> Response:
    """Return a sheet, or that it is as the one that the client has: one with the tag `known`.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no such sheet.
    """
    store = services.store
    with store.moment() as now:
        job, images = now.jobs.get(job_id), now.jobs.images(job_id)
    if job is None:
        raise UnknownJob(job_id)
    batch = resolved_of(job)
    if isinstance(batch, ResolvedJob):
        return _batch_answer(services, job, batch, images, z, known)
    grid = grid_in(job)
    if z is not None and z >= len(grid.layout.z.values):
        raise Refused(404, f"Job {job_id} has no sheet {z}: it has {len(grid.layout.z.values)}, the first one is 0.")
    font = services.options.values.font
    tag = f'"{_digest(images, z, font)}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    return Response(sheet_bytes(services.folder, grid, images, z, font), media_type="image/png", headers=headers)


def _batch_answer(
    services: Services, job: Job, batch: ResolvedJob, images: Sequence[Image], z: int | None, known: str | None
) -> Response:
    if z or len(images) < _FEWEST:
        raise Refused(404, f"Job {job.id} has no such sheet: it has {len(images)} pictures, and is no grid.")
    grid = batch.saving.grid or grid_layout(services.options.values, batch.kind)
    tag = f'"{_digest(images, z, repr(grid))}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    return Response(batch_bytes(services.folder, batch, images, grid), media_type="image/png", headers=headers)


def batch_bytes(folder: DataFolder, batch: ResolvedJob, images: Sequence[Image], grid: Grid) -> bytes:
    """Return the PNG of all pictures of a job that is no grid of a script, with the infotext of the first one.

    For `Workers.run_sheet`.

    Raises:
        StorageError: a picture cannot be read.
    """

    def opened() -> Iterator[PilImage.Image]:
        for image in images:
            with PilImage.open(folder.root / PurePosixPath(image.name), formats=FILE_FORMATS) as picture:
                yield picture

    sizes = [(image.width, image.height) for image in images]
    try:
        sheet = lay_out_within(opened(), sizes, grid, batch.batch_size, MOST_PIXELS_SENT)
    except OSError as error:
        raise StorageError(f"A picture of the job cannot be read ({error}): draw it again.") from error
    return encode_png(sheet, images[0].infotext, {}) if batch.saving.form.texts else encode_plain_png(sheet)


def grid_in(job: Job) -> ResolvedGrid:
    """Return what a job draws, which is a grid that has sheets.

    Raises:
        Refused: 404, it is not, or the engine has not begun with it.
    """
    resolved = resolved_of(job)
    if not isinstance(resolved, ResolvedGrid) or not resolved.layout.has_sheet:
        raise Refused(404, f"Job {job.id} has no sheet: it is no grid, or was not begun yet.")
    return resolved


def sheet_bytes(folder: DataFolder, grid: ResolvedGrid, images: Sequence[Image], z: int | None, font: str) -> bytes:
    """Return the PNG of a sheet, of the pictures that are there, with its infotext. For `Workers.run_sheet`.

    Raises:
        StorageError: a picture cannot be read.
    """
    opened = opened_in(folder.root, {image.index: image.name for image in images})
    try:
        sheet: PilImage.Image = compose(grid.layout, cells_of(grid), opened, z, MOST_PIXELS_SENT, font)
    except OSError as error:
        raise StorageError(f"A picture of the grid cannot be read ({error}): draw it again.") from error
    return encode_png(sheet, write_sheet(grid, z), {}) if grid.saving.form.texts else encode_plain_png(sheet)


def _digest(images: Sequence[Image], z: int | None, font: str) -> str:
    """Return what tells a sheet from the one that it was before."""
    seen = [(image.index, image.completed_at, image.partial) for image in images]
    return hashlib.sha256(repr((seen, z, font)).encode()).hexdigest()[:32]
