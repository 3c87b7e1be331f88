"""One download from its address to its place, as the process does it: it tells what it does, line by line."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modules.errors import SteadyError
from modules.hub.fetch import PART, CutShort, Hub, bytes_there
from modules.hub.placing import put_in_place
from modules.hub.plan import INDEX, NoPlan, Plan, plan_file, plan_single, plan_whole
from modules.hub.words import trouble_of
from modules.jobs.models.untrusted_file import read_object
from modules.paths import locked, write_atomically

TELLS_EVERY_SECONDS = 0.3
_RESERVE_BYTES = 1 << 29  # what is left free on the disk, at least
_WAITS_SECONDS = (2.0, 5.0, 10.0, 30.0, 60.0, 60.0)
_PLAN = "plan.json"
_FILES = "files"

Tell = Callable[[dict[str, Any]], None]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What is to be fetched, and where to. `staging` is this download's own folder, on the disk of `models`."""

    repo: str
    revision: str | None
    path: str | None
    half: bool
    staging: str
    models: str
    token: str | None = None
    waits_seconds: Sequence[float] = _WAITS_SECONDS

    def to_json(self) -> str:
        """Return the line that the process reads."""
        return json.dumps(asdict(self))


class Download:
    """A download. `tell` gets {"event"} of plan, progress, waiting, placing, done or failed; the last two end it."""

    def __init__(self, order: Order, tell: Tell) -> None:
        self._order, self._tell = order, tell
        self._staging = Path(order.staging)
        self._files = self._staging / _FILES
        self._hub = Hub(order.token)
        self._plan: Plan | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Do it; whatever happens is told."""
        teller = threading.Thread(target=self._tell_progress, name="progress", daemon=True)
        teller.start()
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            with locked(self._staging / _FILES):  # a process that is about to end may still write there
                path, kind = self._fetch_and_place()
        except Exception as error:
            self._tell_failure(error)
            return
        finally:
            self._ended.set()
        shutil.rmtree(self._staging, ignore_errors=True)
        self._tell({"event": "done", "path": str(path), "kind": kind})

    def _fetch_and_place(self) -> tuple[Path, str]:
        plan = self._plan = self._read_plan() or self._make_plan()
        self._tell({"event": "plan", "name": plan.name, "total": plan.total_bytes, "files": len(plan.files)})
        self._check_space(plan)
        self._fetch_all(plan)
        self._ended.set()
        self._tell({"event": "placing", "done": plan.total_bytes})
        return put_in_place(plan, self._files, Path(self._order.models))

    def _tell_failure(self, error: Exception) -> None:
        self._ended.set()
        logger.info("%s: %s: %s", self._order.repo, type(error).__name__, error)
        choices = error.choices if isinstance(error, NoPlan) else ()
        told = [{"path": one.path, "size": one.size} for one in choices]
        self._tell({"event": "failed", "message": trouble_of(error, self._order.repo).message, "choices": told})

    def _read_plan(self) -> Plan | None:
        """Return the plan of an earlier try: it goes on with the same commit, whatever the repository is now."""
        try:
            return Plan.from_json(read_object(self._staging / _PLAN))
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _make_plan(self) -> Plan:
        order = self._order
        commit, listed = self._hub.list_files(order.repo, order.revision)
        if order.path is not None:
            plan = plan_file(order.repo, commit, order.path, listed)
        elif any(file.path == INDEX for file in listed):
            index = self._read_index(commit, listed)
            plan = plan_whole(order.repo, commit, index, listed, half=order.half)
        else:
            plan = plan_single(order.repo, commit, listed)
        write_atomically(self._staging / _PLAN, json.dumps(plan.to_json()).encode(), sole_writer=True)
        return plan

    def _read_index(self, commit: str, listed: Any) -> dict[str, Any]:
        path = self._hub.read_index(self._order.repo, commit, listed, self._files)
        try:
            return read_object(path)
        except ValueError as error:
            raise NoPlan(f"{INDEX} of {self._order.repo} {error}: choose another repository.") from error

    def _check_space(self, plan: Plan) -> None:
        """Check that all fits.

        Raises:
            SteadyError: it does not; the message says how much is lacking.
        """
        free = shutil.disk_usage(self._staging).free
        needed = plan.total_bytes - bytes_there(self._files, plan.files) + _RESERVE_BYTES
        if needed > free:
            raise SteadyError(
                f"{plan.name} needs {_gigabytes(needed)} on the disk of {self._order.models}, which has "
                f"{_gigabytes(free)} free: free some space, then resume."
            )

    def _fetch_all(self, plan: Plan) -> None:
        waits = list(self._order.waits_seconds)
        for file in plan.files:
            target = self._files / file.path
            while not target.exists():
                before = bytes_there(self._files, (file,))
                try:
                    self._hub.fetch(plan.repo, plan.commit, file, target)
                except Exception as error:
                    if bytes_there(self._files, (file,)) > before:
                        waits = list(self._order.waits_seconds)  # some came: it is the network's own pace
                    trouble = trouble_of(error, plan.repo)
                    passes = trouble.passes or isinstance(error, CutShort)
                    if not passes or not waits:
                        raise
                    self._tell({"event": "waiting", "message": trouble.message, "seconds": waits[0]})
                    time.sleep(waits.pop(0))
        for left in self._files.rglob(f"*{PART}"):
            left.unlink()

    def _tell_progress(self) -> None:
        told = -1
        while not self._ended.wait(TELLS_EVERY_SECONDS):
            if self._plan is None:
                continue
            done = bytes_there(self._files, self._plan.files)
            if done != told:
                self._tell({"event": "progress", "done": done})
                told = done


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
