"""Snapshots of a job in progress on disk: one file a job, written whole, read with suspicion.

A snapshot says where the batch that is drawn now stands between two steps. The file is safetensors: the tensors, and in
its metadata the rest as JSON with a checksum over all of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.engine.work import first_snapshots
from modules.engine.work.environment import describe_difference
from modules.errors import StorageError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.registry import kind_of
from modules.jobs.models.safetensors_file import METADATA, parse_header
from modules.paths import set_aside, write_atomically
from modules.shared_state import Preview

logger = logging.getLogger(__name__)

FORMAT = 2
_SUFFIX = ".safetensors"
_PREVIEW = ".preview"


@dataclass(frozen=True)
class Snapshot:
    """Where a job stands: the batch of pictures `indices`, in the pass `at_pass`, between two of its steps."""

    job_id: str
    indices: tuple[int, ...]
    request: str
    environment: Mapping[str, str]
    state: SamplingState
    at_pass: int = 0


class UnfitSnapshot(Exception):  # noqa: N818  (an answer rather than an error)
    """There is a snapshot, and the job cannot go on from it. The message is for people."""


def request_digest(resolved: ResolvedJob) -> str:
    """Return what tells one resolved request from another: what decides its pictures' bytes, and nothing else."""
    return hashlib.sha256(json.dumps(kind_of(resolved).picture(resolved, 0), sort_keys=True).encode()).hexdigest()


# --- Bytes ------------------------------------------------------------------------------------------------------------


def to_bytes(snapshot: Snapshot) -> bytes:
    """Return the file's content. Waits for the device where the tensors are on one.

    Raises:
        TypeError: the sampler holds something that no file can keep.
    """
    tensors, rest = pack(snapshot.state)
    text = json.dumps(
        {
            "job": snapshot.job_id,
            "indices": snapshot.indices,
            "request": snapshot.request,
            "environment": dict(snapshot.environment),
            "pass": snapshot.at_pass,
            "state": rest,
        }
    )
    return bytes(save(tensors, {"format": str(FORMAT), "snapshot": text, "sha256": _checksum(text, tensors)}))


def from_bytes(data: bytes, device: str) -> Snapshot:
    """Return the snapshot, with its tensors on `device` where they were on one.

    Raises:
        UnfitSnapshot: it was written by another version of the program.
        SafetensorError, LookupError, TypeError, ValueError: these are not the bytes of a whole snapshot.
    """
    tensors = load(data)
    metadata = parse_header(io.BytesIO(data), len(data))[METADATA]
    form = int(metadata["format"])
    if form not in (first_snapshots.FORMAT, FORMAT):
        raise UnfitSnapshot(f"its snapshot has the format {form}, this version reads {FORMAT}")
    text = metadata["snapshot"]
    if metadata["sha256"] != _checksum(text, tensors):
        raise ValueError("the checksum does not fit")
    whole = json.loads(text)
    if form == first_snapshots.FORMAT:
        whole |= {"pass": 0, "state": first_snapshots.renamed(whole["state"])}
    state = unpack(tensors, whole["state"], device)
    indices, request, environment = tuple(whole["indices"]), whole["request"], whole["environment"]
    return Snapshot(whole["job"], indices, request, environment, state, whole["pass"])


def _checksum(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    checksum = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        if tensors[name].numel():  # Of nothing there are no bytes to look at.
            checksum.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return checksum.hexdigest()


# --- Files ------------------------------------------------------------------------------------------------------------


class Snapshots:
    """Keeps the newest snapshot of each job in `folder`.

    While a job runs its snapshots are written by a thread of their own: of those that are offered faster than the disk
    takes them, the newest wins. `seconds` is asked each time how many lie between two; 0: none but `keep`.
    `failed` is called once a job when the disk refuses, with the job's id and the reason. The newest `preview` is kept
    beside a snapshot of the pictures that it shows, and goes with it.
    """

    def __init__(
        self,
        folder: Path,
        seconds: Callable[[], float],
        failed: Callable[[str, str], None] = lambda job_id, reason: None,
        preview: Callable[[], Preview | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._failed = failed
        self._preview = preview
        self._clock = clock
        self._offered_at = clock()
        self._changed = threading.Condition()
        self._waiting: Snapshot | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        # Held while a file is written or removed, so that nothing is written after its job has ended.
        self._files = threading.Lock()
        self._refused: set[str] = set()

    def begin(self) -> None:
        """Say that a job begins: its first snapshot is due a whole interval later."""
        self._offered_at = self._clock()

    def due(self) -> bool:
        """Tell whether it is time for another one. Costs nothing."""
        seconds = self._seconds()
        return seconds > 0 and self._clock() - self._offered_at >= seconds

    def offer(self, snapshot: Snapshot) -> None:
        """Have it written soon. Never waits for the disk."""
        self._offered_at = self._clock()
        with self._changed:
            self._waiting = snapshot
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
                self._thread.start()
            self._changed.notify()

    def keep(self, snapshot: Snapshot) -> bool:
        """Write it now, on this thread; tell whether the disk took it."""
        with self._changed:
            self._waiting = None
        with self._files:
            return self._write(snapshot)

    def find(
        self,
        job_id: str,
        resolved: ResolvedJob,
        environment: Mapping[str, str],
        device: str,
        pictures: range | None = None,
    ) -> Snapshot | None:
        """Return the job's snapshot; None: there is none. A file that is no whole snapshot is set aside.

        `resolved` is all that is drawn of the job, or of its `pictures` of these indices: one of others counts for
        none.

        Raises:
            UnfitSnapshot: going on from it would not give the pictures that were asked for, to the bit.
        """
        path = self._path(job_id)
        try:
            snapshot = from_bytes(path.read_bytes(), device)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, LookupError, TypeError, ValueError, AttributeError) as error:
            logger.warning("The snapshot %s is cut short or damaged (%s)", path, error)
            with contextlib.suppress(StorageError):
                set_aside(path)
            raise UnfitSnapshot("its snapshot is cut short or damaged") from error
        if pictures is not None and not all(index in pictures for index in snapshot.indices):
            return None
        digests = request_digest(resolved), first_snapshots.request_digest(resolved)
        if snapshot.job_id != job_id or snapshot.request not in digests:
            raise UnfitSnapshot("its snapshot belongs to another request")
        if changed := describe_difference(snapshot.environment, environment):
            raise UnfitSnapshot(changed)
        return snapshot

    def remove(self, job_id: str) -> None:
        """Forget the job's snapshot, also one that is just written. For a job that has ended."""
        with self._changed:
            if self._waiting is not None and self._waiting.job_id == job_id:
                self._waiting = None
        with self._files, contextlib.suppress(OSError):
            self._refused.discard(job_id)
            kept = (self._path(job_id), self._path(job_id).with_name(f"{job_id}{_SUFFIX}{_PREVIEW}"))
            for path in (*kept, *self._folder.glob(f"{_escaped(job_id)}{_SUFFIX}.corrupt-*")):
                path.unlink(missing_ok=True)

    def sweep(self, needed: Callable[[str], bool]) -> int:
        """Remove the files of jobs that need none any more; return how many files that were."""
        removed = 0
        with self._files, contextlib.suppress(OSError):
            for path in list(self._folder.iterdir()) if self._folder.is_dir() else []:
                job_id = path.name.removeprefix(".").partition(_SUFFIX)[0]
                if not needed(job_id):
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def close(self) -> None:
        """Write what waits, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}{_SUFFIX}"

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._closed)
                if self._waiting is None:
                    return
            with self._files:
                # Taken under the lock of the files: a job that ends now takes its snapshot away before or after.
                with self._changed:
                    snapshot, self._waiting = self._waiting, None
                if snapshot is not None:
                    self._write(snapshot)

    def _write(self, snapshot: Snapshot) -> bool:
        try:
            write_atomically(self._path(snapshot.job_id), to_bytes(snapshot), sole_writer=True)
        except Exception as error:  # A job must not fail for its snapshot, nor this thread end.
            logger.warning("No snapshot of job %s could be kept: %s", snapshot.job_id, error, exc_info=error)
            if snapshot.job_id not in self._refused:
                self._refused.add(snapshot.job_id)
                self._tell(snapshot.job_id, str(error))
            return False
        self._write_preview(snapshot)
        return True

    def _write_preview(self, snapshot: Snapshot) -> None:
        preview = self._preview()
        if preview is None or preview.job != snapshot.job_id or preview.image not in snapshot.indices:
            return
        path = self._path(snapshot.job_id)
        try:
            write_atomically(path.with_name(path.name + _PREVIEW), preview.data, sole_writer=True)
        except StorageError as error:
            logger.warning("The preview of job %s could not be kept: %s", snapshot.job_id, error)

    def _tell(self, job_id: str, reason: str) -> None:
        try:
            self._failed(job_id, reason)
        except StorageError as error:
            logger.warning("%s", error)


def _escaped(name: str) -> str:
    """Return a glob pattern that matches `name` alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def describe_unfit(reason: UnfitSnapshot) -> str:
    """Return what people are told of a job that cannot go on from its snapshot."""
    return f"Cannot be continued exactly: {reason}; it began again."


def describe_continued(snapshot: Snapshot, resolved: ResolvedJob, pictures: int | None = None) -> str:
    """Return what people are told of a job that goes on from its snapshot.

    `resolved` is what draws the snapshot's pictures; None: the job has no other `pictures`.
    """
    steps = resolved.passes[snapshot.at_pass].step_count
    step = f"step {snapshot.state.steps_of(steps)} of {steps}"
    if len(resolved.passes) > 1:
        step += f" of pass {snapshot.at_pass + 1}"
    if (pictures or resolved.image_count) == 1:
        return f"Continued at {step}."
    return f"Continued at {step} of {_images(snapshot.indices)}."


def describe_lost(indices: Sequence[int], pictures: int) -> str:
    """Return what people are told of a job of so many pictures that has no snapshot of those that it was at."""
    if pictures == 1:
        return "There was no snapshot of it yet: it begins anew."
    return (
        f"There was no snapshot of {_images(indices)} yet: {'it begins' if len(indices) == 1 else 'they begin'} anew."
    )


def _images(indices: Sequence[int]) -> str:
    first, last = indices[0] + 1, indices[-1] + 1
    return f"image {first}" if first == last else f"images {first}–{last}"
