"""Tokens for programs: a name each, made and revoked by `python3 launch.py token`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modules.credentials.secret_list import SecretList
from modules.errors import InvalidRequest

LONGEST_NAME = 60


@dataclass(frozen=True)
class Token:
    """A token as far as it is known: never its secret. `created_at` is in seconds since the epoch."""

    name: str
    created_at: float


class Tokens:
    """The tokens of one data folder; `folder` is its `auth`. A token made or revoked elsewhere counts at once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._list = SecretList(folder / "tokens.json")
        self._clock = clock

    def create(self, name: str) -> str:
        """Return a new token. It is told once: only its hash is kept.

        Raises:
            InvalidRequest: there is one of this name, or it is no name.
            StorageError: it cannot be kept.
        """
        if not name or len(name) > LONGEST_NAME or not name.isprintable() or name.startswith("-"):
            raise InvalidRequest(f"{name!r} is no name for a token: use up to {LONGEST_NAME} letters.")
        if any(one.name == name for one in self.all()):
            raise InvalidRequest(f"There is a token {name} already: revoke it first, or choose another name.")
        return self._list.add({"name": name, "created_at": self._clock()})

    def revoke(self, name: str) -> bool:
        """Let a token in no more; False when there is none of this name.

        Raises:
            StorageError: it cannot be written.
        """
        return self._list.remove(lambda entry: entry.get("name") == name) > 0

    def all(self) -> list[Token]:
        """Return all tokens, the oldest first."""
        return [Token(str(one.get("name")), float(one.get("created_at") or 0)) for one in self._list.entries()]

    def name_of(self, secret: str) -> str | None:
        """Return the name of the token that this is; None when it is none."""
        entry = self._list.find(secret)
        return None if entry is None else str(entry.get("name"))
