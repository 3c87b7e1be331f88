"""Downloads from the Hub: asked for, one at a time in a process of their own, and gone on with by the next server.

Between two servers that take turns one lock file decides whose they are: the new one has to wait until the old one has
let go, and until then says so to whoever asks for something.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from modules.api.answers import Refused, retry_later
from modules.api.models.download_process import DownloadProcess
from modules.api.models.download_state import ACTIVE, DownloadEntry, read_state, write_state
from modules.api.models.hub_token import HubToken
from modules.errors import StorageError
from modules.hub.address import endpoint, parse_address
from modules.hub.job import Order
from modules.options import Options
from modules.paths import locked

logger = logging.getLogger(__name__)

STAGING = ".downloads"
_MOST_KEPT = 100
_LOOKS_AT_SETTINGS_SECONDS = 1.0
_TRIES_THE_LOCK_AGAIN_SECONDS = 5.0
OFF = (
    "Downloads are off, since they are the one thing that leaves this machine: allow them in the Models tab, or with "
    "the setting hub_downloads."
)
_ENDED = "The program was ended meanwhile: resume to go on."
_TURNED_OFF = "Downloads were turned off: allow them, then resume."


class Downloads:
    """All downloads of a data folder. Any thread.

    `path` is the file with their state, `models` the folder into which they go, `program` names the run of the program:
    what was asked for in an earlier one waits until somebody says that it is to go on. `arrived` is called after each.
    """

    def __init__(
        self, path: Path, models: Path, options: Options, token: HubToken, program: str, arrived: Callable[[], object]
    ) -> None:
        self.token = token
        self.models = models
        self._path, self._options, self._program, self._arrived = path, options, program, arrived
        self._changed = threading.Condition()
        self._entries: dict[str, DownloadEntry] | None = None  # None: they are another server's, or nobody's yet
        self._process: tuple[str, DownloadProcess] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # --- its life

    def start(self) -> None:
        """Take the downloads over as soon as no other server has them, and go on with them."""
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name="downloads", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let go of them: what is being fetched ends, and the next server goes on with it."""
        self._stopping.set()
        with self._changed:
            if self._process is not None:
                self._process[1].end()
            self._changed.notify_all()

    def join(self, seconds: float) -> None:
        """Wait until nothing of this is at work any more."""
        if self._thread is not None:
            self._thread.join(seconds)

    # --- what people do

    def list(self) -> dict[str, Any]:
        """Return the downloads, the newest first, and whether there may be any."""
        self._options.refresh()
        with self._changed:
            entries = read_state(self._path) if self._entries is None else self._entries
            told = [entry.told() for entry in reversed(entries.values())]
        return {
            "allowed": self._options.values.hub_downloads,
            "token": self.token.is_set(),
            "hub": endpoint(),
            "folder": str(self.models),
            "downloads": told,
        }

    def add(self, address: object, half: bool) -> DownloadEntry:
        """Ask for a model; the same one that is under way already is that one.

        Raises:
            InvalidRequest: the address is none.
            Refused: 403, downloads are off; 503, another server has them still.
            StorageError: it cannot be written down.
        """
        self._check_allowed()
        wanted = parse_address(address)
        with self._changed:
            entries = self._own()
            for one in entries.values():
                same = (one.repo, one.revision, one.file) == (wanted.repo, wanted.revision, wanted.path)
                if same and one.status != "done":
                    return one if one.status in ACTIVE else self._set_waiting(one, half)
            entry = DownloadEntry(
                id=secrets.token_hex(8),
                address=str(address).strip(),
                repo=wanted.repo,
                revision=wanted.revision,
                file=wanted.path,
                half=half,
                created_at=time.time(),
                program=self._program,
                name=wanted.path.rpartition("/")[2] if wanted.path else wanted.repo.rpartition("/")[2],
            )
            done = [one.id for one in entries.values() if one.status == "done"]
            for old in done[: max(0, len(entries) + 1 - _MOST_KEPT)]:
                del entries[old]
            entries[entry.id] = entry
            self._write()
            self._changed.notify_all()
            return entry

    def pause(self, id: str) -> DownloadEntry:
        """End what fetches it; what has come stays.

        Raises:
            Refused: 404; 409, it is not under way; 503.
            StorageError: it cannot be written down.
        """
        with self._changed:
            entry = self._find(id)
            if entry.status not in ACTIVE:
                raise Refused(409, f"The download of {entry.name} is {entry.status}: there is nothing to pause.")
            paused = self._set(entry, status="paused", phase="", message="")
            self._end_process_of(id)
            return paused

    def resume(self, id: str) -> DownloadEntry:
        """Go on with one that was paused or failed.

        Raises:
            Refused: 403, 404; 409, it is done; 503.
            StorageError: it cannot be written down.
        """
        self._check_allowed()
        with self._changed:
            entry = self._find(id)
            if entry.status == "done":
                raise Refused(409, f"The download of {entry.name} is done: there is nothing to resume.")
            return entry if entry.status in ACTIVE else self._set_waiting(entry, entry.half)

    def remove(self, id: str) -> None:
        """Cancel a download, with what has come of it, or forget one that is done; its model stays.

        Raises:
            Refused: 404; 503.
            StorageError: it cannot be written down.
        """
        with self._changed:
            self._find(id)
            del self._own()[id]
            self._write()
            self._end_process_of(id)
        shutil.rmtree(self._staging(id), ignore_errors=True)

    # --- inside; with `_changed` held

    def _check_allowed(self) -> None:
        self._options.refresh()
        if not self._options.values.hub_downloads:
            raise Refused(403, OFF)

    def _own(self) -> dict[str, DownloadEntry]:
        if self._entries is None or self._stopping.is_set():
            raise retry_later("The downloads are being handed over to this server: ask again in a second.")
        return self._entries

    def _find(self, id: str) -> DownloadEntry:
        entry = self._own().get(id)
        if entry is None:
            raise Refused(404, f"There is no download {id!r}, or not any more: GET /sdapi/v1/downloads lists them.")
        return entry

    def _set(self, entry: DownloadEntry, **changes: Any) -> DownloadEntry:
        changed = replace(entry, **changes)
        self._own()[entry.id] = changed
        self._write()
        self._changed.notify_all()
        return changed

    def _set_waiting(self, entry: DownloadEntry, half: bool) -> DownloadEntry:
        return self._set(entry, status="waiting", message="", choices=(), program=self._program, half=half)

    def _write(self) -> None:
        if self._entries is not None:
            write_state(self._path, self._entries.values())

    def _end_process_of(self, id: str) -> None:
        if self._process is not None and self._process[0] == id:
            self._process[1].end()

    def _staging(self, id: str) -> Path:
        return self.models / STAGING / id

    # --- the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with locked(self._path):
                    self._take_over()
                    self._work()
                    return
            except OSError as error:  # Windows gives up after ten seconds
                logger.debug("The downloads are another server's: %s", error)
            except StorageError as error:
                logger.error("There are no downloads: %s", error)
            self._stopping.wait(_TRIES_THE_LOCK_AGAIN_SECONDS)

    def _take_over(self) -> None:
        if self._stopping.is_set():
            return
        with self._changed:
            entries = read_state(self._path)
            for id, entry in entries.items():
                if entry.status in ACTIVE:
                    goes_on = entry.program == self._program
                    entries[id] = replace(entry, status="waiting") if goes_on else _held(entry, _ENDED)
            self._entries = entries
        self._clear_staging(set(entries))

    def _clear_staging(self, known: set[str]) -> None:
        """Take away what a download left that is not known any more."""
        with contextlib.suppress(OSError):
            for folder in (self.models / STAGING).iterdir():
                if folder.name not in known:
                    shutil.rmtree(folder, ignore_errors=True)

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                waiting = [one for one in (self._entries or {}).values() if one.status == "waiting"]
                if not waiting:
                    self._changed.wait()
                    continue
                entry = waiting[0]
                if not self._allowed_now():
                    self._keep(entry.id, status="paused", message=_TURNED_OFF)
                    continue
                process = self._begin(entry)
            if process is not None:
                self._follow(entry.id, process)

    def _begin(self, entry: DownloadEntry) -> DownloadProcess | None:
        staging = self._staging(entry.id)
        order = Order(
            repo=entry.repo, revision=entry.revision, path=entry.file, half=entry.half, staging=str(staging),
            models=str(self.models), token=self.token.read(),
        )  # fmt: skip
        try:
            staging.mkdir(parents=True, exist_ok=True)
            process = DownloadProcess(order)
        except OSError as error:
            self._keep(entry.id, status="failed", message=str(StorageError.from_os_error(staging, error)))
            return None
        self._keep(entry.id, status="running", phase="asking", message="")
        self._process = (entry.id, process)
        return process

    def _follow(self, id: str, process: DownloadProcess) -> None:
        looked_at = time.monotonic()
        arrived = False
        for event in process.events():
            with self._changed:
                arrived = self._hear(id, event) or arrived
            if time.monotonic() - looked_at > _LOOKS_AT_SETTINGS_SECONDS:
                looked_at = time.monotonic()
                if not self._allowed_now():
                    with self._changed:
                        self._keep(id, status="paused", phase="", message=_TURNED_OFF)
                    process.end()
        with self._changed:
            self._process = None
            entry = (self._entries or {}).get(id)
            if entry is not None and entry.status == "running" and not self._stopping.is_set():
                words = f"What fetches it ended (exit code {process.exit_code()}): resume to go on."
                self._keep(id, status="failed", phase="", message=words)
        if entry is None:
            shutil.rmtree(self._staging(id), ignore_errors=True)  # cancelled: it may have written since
        if arrived:
            self._arrived()

    def _hear(self, id: str, event: dict[str, Any]) -> bool:
        """Take in what the process tells; tell whether the model has arrived."""
        entry = (self._entries or {}).get(id)
        if entry is None or self._entries is None or (entry.status != "running" and event["event"] != "done"):
            return False
        match event["event"]:
            case "progress":
                self._entries[id] = replace(entry, done_bytes=int(event["done"]), phase="fetching", message="")
            case "plan":
                self._keep(id, name=str(event["name"]), total_bytes=int(event["total"]), phase="fetching")
            case "waiting":
                self._entries[id] = replace(entry, phase="waiting", message=str(event["message"]))
            case "placing":
                self._entries[id] = replace(entry, done_bytes=entry.total_bytes, phase="placing", message="")
            case "failed":
                choices = tuple(dict(one) for one in event.get("choices", ()))
                self._keep(id, status="failed", phase="", message=str(event["message"]), choices=choices)
            case "done":
                self._keep(id, status="done", phase="", message="", path=str(event["path"]), kind=str(event["kind"]),
                           done_bytes=entry.total_bytes)  # fmt: skip
                return True
        return False

    def _keep(self, id: str, **changes: Any) -> None:
        """Change an entry, in the file too where that can be written; it is no reason to stop."""
        if self._entries is None or id not in self._entries:
            return
        self._entries[id] = replace(self._entries[id], **changes)
        try:
            self._write()
        except StorageError as error:
            logger.error("How downloads stand could not be written: %s", error)

    def _allowed_now(self) -> bool:
        self._options.refresh()
        return self._options.values.hub_downloads


def _held(entry: DownloadEntry, why: str) -> DownloadEntry:
    return replace(entry, status="paused", phase="", message=why)
