"""The folder that a job's pictures are in: named and opened for clients on the same machine alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_answer
from modules.api.auth.client import is_on_this_machine
from modules.api.services import Services
from modules.errors import UnknownJob
from modules.jobs.rows import Image
from modules.paths import DataFolder


def routes(services: Services) -> APIRouter:
    """POST /sdapi/v1/jobs/{id}/open-folder."""
    router = APIRouter(prefix="/sdapi/v1/jobs")

    @router.post("/{job_id}/open-folder")
    async def open_folder(request: Request, job_id: str) -> Response:
        """Show the folder with the job's pictures in this machine's file manager; 501 with its path without one."""
        if not is_on_this_machine(request):
            raise Refused(403, "Only a client on the machine that this runs on can have a folder opened there.")
        folder = await services.workers.run(existing_folder, services, job_id)
        await services.workers.run(show, folder)
        return json_answer({"folder": str(folder)})

    return router


def folder_of(folder: DataFolder, images: Iterable[Image]) -> str | None:
    """Return the path of the folder that the first of these pictures is in, None when there are none."""
    first = next(iter(images), None)
    return None if first is None else str(folder.root / PurePosixPath(first.name).parent)


def existing_folder(services: Services, job_id: str) -> Path:
    """Return the folder of a job's pictures.

    Raises:
        UnknownJob: there is no such job.
        Refused: 404, it has no picture (yet), or its folder is gone.
    """
    if services.store.jobs.get(job_id) is None:
        raise UnknownJob(job_id)
    named = folder_of(services.folder, services.store.jobs.images(job_id))
    if named is None:
        raise Refused(404, f"Job {job_id} has no picture, or not yet: so it has no folder.")
    path = Path(named)
    if not path.is_dir():
        raise Refused(404, f"{path} is gone: it was deleted, or kept for a limited time only.")
    return path


def show(folder: Path) -> None:
    """Open a folder in the file manager of this machine.

    Raises:
        Refused: 501, there is none; the message names the folder.
    """
    command = file_manager()
    if command is None:
        raise Refused(501, f"This machine has no file manager to show it: the pictures are in {folder}.")
    try:
        process = subprocess.Popen(
            [command, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it is to outlive this program
        )
    except OSError as error:
        raise Refused(501, f"{command} cannot be started ({error.strerror}): the pictures are in {folder}.") from error
    threading.Thread(target=process.wait, name="file-manager", daemon=True).start()  # else it stays as a zombie


def file_manager() -> str | None:
    """Return the path of the program that opens folders, None when there is none or no screen to open them on."""
    if sys.platform == "win32":
        return shutil.which("explorer")
    if sys.platform == "darwin":
        return shutil.which("open")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    return shutil.which("xdg-open")
