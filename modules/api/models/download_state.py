"""The downloads as they stand, in a file: so that they outlive the server that began them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from modules.jobs.models.untrusted_file import read_object
from modules.paths import write_atomically

Status = Literal["waiting", "running", "paused", "failed", "done"]
ACTIVE: tuple[Status, ...] = ("waiting", "running")


@dataclass(frozen=True)
class DownloadEntry:
    """A download. `message` is what went wrong or is waited for; `choices` are files of which one is to be chosen.

    `program` is the run of the program in which it was asked to go on. `path` is where it lies once it is done.
    """

    id: str
    address: str
    repo: str
    revision: str | None
    file: str | None
    half: bool
    created_at: float
    program: str
    status: Status = "waiting"
    phase: str = ""
    name: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""
    choices: tuple[dict[str, Any], ...] = ()
    path: str = ""
    kind: str = ""

    def told(self) -> dict[str, Any]:
        """Return it as REST tells it."""
        return {name: value for name, value in asdict(self).items() if name != "program"}


def read_state(path: Path) -> dict[str, DownloadEntry]:
    """Return the downloads that the file has, in order; what cannot be read of it is left out."""
    try:
        rows = read_object(path).get("downloads", [])
    except (OSError, ValueError):
        return {}
    found = (_entry_of(row) for row in rows if isinstance(row, dict))
    return {entry.id: entry for entry in found if entry is not None}


def write_state(path: Path, entries: Iterable[DownloadEntry]) -> None:
    """Write the file, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    rows = [asdict(entry) for entry in entries]
    write_atomically(path, json.dumps({"downloads": rows}, indent=1).encode(), sole_writer=True)


def _entry_of(row: dict[str, Any]) -> DownloadEntry | None:
    known = {field.name for field in fields(DownloadEntry)}
    try:
        values = {name: value for name, value in row.items() if name in known}
        values["choices"] = tuple(dict(one) for one in values.get("choices", ()))
        entry = DownloadEntry(**values)
    except (TypeError, ValueError):
        return None
    texts = (entry.id, entry.address, entry.repo)
    return entry if entry.status in get_args(Status) and all(isinstance(one, str) for one in texts) else None
