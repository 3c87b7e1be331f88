"""What was deleted, until the trash is emptied: a folder `.trash` beside the models, one folder in it for each of them.

It lies in the folder of the kind, so on the same disk: deleting and bringing back are renamings, whatever the size.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from modules.api.answers import Refused
from modules.api.models.entries import Entry
from modules.api.models.renaming import move_all
from modules.api.models.sidecars import sidecars_of
from modules.errors import StorageError
from modules.jobs.models.untrusted_file import read_object
from modules.paths import write_atomically

TRASH = ".trash"
MANIFEST = "deleted.json"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Deleted:
    """A model in the trash. `origin` is the folder that it was in, seen from that of its kind, "." for that itself.

    `files` are the names of its files, the model itself first.
    """

    id: str
    kind: str
    name: str
    deleted_at: float
    size_bytes: int
    origin: str
    files: tuple[str, ...]


def place_of(path: Path, places: Iterable[Path]) -> Path:
    """Return the folder of its kind that a model is in: `models/Stable-diffusion` for what lies anywhere below it."""
    around = [place for place in places if path != place and path.is_relative_to(place)]
    return max(around, key=lambda place: len(place.parts), default=path.parent)


def throw_away(entry: Entry, place: Path) -> Deleted:
    """Move a model with its side-cars into the trash of `place`.

    Raises:
        StorageError: the system does not let it; all is where it was.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    files = (entry.path, *sidecars_of(entry.path, entry.stem))
    deleted = Deleted(
        id=f"{stamp}-{secrets.token_hex(4)}",
        kind=entry.kind,
        name=entry.name,
        deleted_at=time.time(),
        size_bytes=entry.size_bytes,
        origin=_origin_of(entry.path, place),
        files=tuple(one.name for one in files),
    )
    folder = place / TRASH / deleted.id
    # What is to be brought back where is written down before anything moves.
    write_atomically(folder / MANIFEST, json.dumps(asdict(deleted), indent=1).encode(), as_open_as_folder=True)
    try:
        move_all([(one, folder / one.name) for one in files])
    except StorageError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return deleted


def thrown_away(places: Iterable[Path]) -> Iterator[tuple[Deleted, Path]]:
    """Yield what is in the trash of these folders, with the folder of each."""
    for place in dict.fromkeys(places):
        try:
            folders = sorted((place / TRASH).iterdir())
        except OSError:
            continue
        for folder in folders:
            if _ID.fullmatch(folder.name) and (deleted := _read(folder)) is not None:
                yield deleted, folder


def find_deleted(places: Iterable[Path], deleted_id: str) -> tuple[Deleted, Path]:
    """Return what was deleted under this id, and the folder that it lies in.

    Raises:
        Refused: 404, the trash has no such thing.
    """
    for deleted, folder in thrown_away(places):
        if deleted.id == deleted_id:
            return deleted, folder
    raise Refused(404, f"The trash has no {deleted_id!r}, or not any more: GET /sdapi/v1/model-trash lists it.")


def bring_back(deleted: Deleted, folder: Path) -> None:
    """Move a model and its side-cars back where they were.

    Raises:
        Refused: 409, something else has its name now.
        StorageError: the system does not let it; all stays in the trash.
    """
    origin = folder.parent.parent / deleted.origin
    pairs = [(folder / name, origin / name) for name in deleted.files if (folder / name).exists()]
    for _, after in pairs:
        if after.exists():
            raise Refused(409, f"{after} is there again: rename that one, then this one can be brought back.")
    try:
        origin.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.from_os_error(origin, error) from error
    move_all(pairs)
    shutil.rmtree(folder, ignore_errors=True)


def destroy(folder: Path) -> None:
    """Delete for good what lies in a folder of the trash.

    Raises:
        StorageError: the system does not let it.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError.from_os_error(folder, error) from error


def _origin_of(path: Path, place: Path) -> str:
    return path.parent.relative_to(place).as_posix()


def _read(folder: Path) -> Deleted | None:
    """Return what a folder of the trash says of itself; nothing of it leads elsewhere, whoever wrote it."""
    try:
        told = read_object(folder / MANIFEST)
        files, origin = tuple(str(name) for name in told["files"]), PurePosixPath(str(told["origin"]))
        if not files or any(Path(name).name != name or name == MANIFEST for name in files):
            return None
        if origin.is_absolute() or ".." in origin.parts or Path(origin).is_absolute():
            return None
        return Deleted(
            id=folder.name,
            kind=str(told["kind"]),
            name=str(told["name"]),
            deleted_at=float(told["deleted_at"]),
            size_bytes=int(told["size_bytes"]),
            origin=str(origin),
            files=files,
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
