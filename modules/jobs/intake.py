"""The pictures that people send with their requests, or name in them, and what they may name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.inputs.allowance import GuestAllowance
from modules.jobs.inputs.inputs import Inputs, MayStore
from modules.jobs.inputs.taking import take_in_request
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.starts import Input
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import network_of


class Intake:
    """Takes in pictures for whoever sends them. A guest has a daily allowance, and names outputs of his own jobs only.

    The name of an input is 256 bits that follow from its pixels: who can name one has seen it.
    """

    def __init__(self, inputs: Inputs, store: JobStore, allowance: GuestAllowance | None = None) -> None:
        self.inputs = inputs
        self._store = store
        self._allowance = allowance or GuestAllowance()

    def take_picture(self, data: bytes | bytearray, by: Actor) -> Input:
        """Keep a picture and return what it is called.

        Raises:
            InvalidRequest: it cannot be used.
            StorageError: the disk refuses.
            TooMuchSent: a guest has sent as much as he may.
        """
        return self.inputs.take_in(data, None, self._may_store(by))

    def take_request(self, kind: Kind[Any], data: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Return a request of this kind with names of inputs where pictures were.

        Raises:
            InvalidRequest: one cannot be used; with the field and the remedy.
            StorageError: the disk refuses.
            TooMuchSent: a guest has sent as much as he may.
        """
        return take_in_request(
            kind, data, self.inputs, lambda job, index: self._output(job, index, by), self._may_store(by)
        )

    def _may_store(self, by: Actor) -> MayStore | None:
        network = network_of(by.address)
        return (lambda size: self._allowance.charge(network, size)) if by.only_own else None

    def _output(self, job_id: str, index: int, by: Actor) -> Path:
        """Return the file of a picture that a job made.

        Raises:
            InvalidRequest: there is none for who asks.
        """
        job = self._store.jobs.get(job_id)
        if job is None or (by.only_own and job.owner != by.owner):
            raise InvalidRequest(f"There is no job {job_id[:60]!r} any more: choose another picture.")
        image = self._store.jobs.image(job_id, index)
        if image is None or image.status != "complete":
            raise InvalidRequest(f"Job {job_id} has no picture {index}, or not any more: choose another one.")
        return self._store.images.path_of(image)
