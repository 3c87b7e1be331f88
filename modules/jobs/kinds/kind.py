"""What a kind of job is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.request import JobRequest

R = TypeVar("R", bound=Resolved)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One kind of job: all that the rest of the program asks about it.

    `request` checks what clients send, and makes what `resolved` reads back from a row. `inputs` are its fields that
    hold pictures: one, or a list of them; `folders` those that name folders of this machine, which guests may not.
    `picture` returns what decides the bytes of the picture with an index, which its file holds: a value that is added
    there changes every file. `infotext` returns the pairs that tell how that picture was made. `told_fields` of a
    request, and what `told` makes of it once it is resolved, go to every client with each of the job's events: no
    pictures.
    """

    request: type[JobRequest]
    resolved: type[R]
    picture: Callable[[R, int], dict[str, Any]]
    infotext: Callable[[R, int], dict[str, Any]]
    told: Callable[[R], dict[str, Any]]
    told_fields: frozenset[str]
    inputs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def draws(self) -> bool:
        """Whether its jobs run a denoiser, as POST /sdapi/v1/NAME asks for; the others have routes of their own."""
        return issubclass(self.resolved, ResolvedJob)

    @property
    def name(self) -> str:
        """What rows and clients call it."""
        return self.request.kind

    def told_request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return of a stored request what clients are told."""
        return {name: value for name, value in request.items() if name in self.told_fields}
