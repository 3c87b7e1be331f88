"""Browsers that have logged in. Kept in the data folder: a new server knows them too."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from modules.credentials.secret_list import Entry, SecretList

SECONDS_KEPT = 30 * 24 * 3600
MOST_SESSIONS = 1000


class Sessions:
    """A session is a random secret in a cookie. It ends by a logout, after 30 days, or with its user's password.

    `accounts` holds the hashed passwords by name. Any thread.
    """

    def __init__(self, folder: Path, accounts: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._list = SecretList(folder / "sessions.json")
        self._accounts = accounts
        self._clock = clock

    def begin(self, user: str) -> str:
        """Return the secret of a new session.

        Raises:
            StorageError: it cannot be kept.
        """
        entry = {"user": user, "begun_at": self._clock(), "account": self._mark_of(user)}
        return self._list.add(entry, keep=self._lasts, most=MOST_SESSIONS)

    def user_of(self, secret: str) -> str | None:
        """Return whose session this is; None when it is none, or no more."""
        entry = self._list.find(secret)
        return str(entry["user"]) if entry is not None and self._lasts(entry) else None

    def end(self, secret: str) -> None:
        """Forget a session.

        Raises:
            StorageError: it cannot be written.
        """
        if self._list.find(secret) is not None:
            self._list.forget(secret)

    def _lasts(self, entry: Entry) -> bool:
        user, begun_at = str(entry.get("user")), entry.get("begun_at")
        young = isinstance(begun_at, int | float) and self._clock() - begun_at < SECONDS_KEPT
        return young and user in self._accounts and entry.get("account") == self._mark_of(user)

    def _mark_of(self, user: str) -> str:
        """Return what changes with the user's password, and tells nothing of it."""
        return hashlib.sha256(self._accounts[user].encode()).hexdigest()[:16]
