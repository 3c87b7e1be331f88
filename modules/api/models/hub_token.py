"""The access token for gated models: written by people who are known, told to nobody."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from modules.errors import InvalidRequest, StorageError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,200}")


class HubToken:
    """A token in a file for this user's eyes alone; HF_TOKEN of the environment counts where there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the token, None where there is none."""
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            text = ""
        return text or os.environ.get("HF_TOKEN") or None

    def is_set(self) -> bool:
        """Tell whether there is one."""
        return self.read() is not None

    def write(self, token: object) -> None:
        """Keep a token; "" forgets it.

        Raises:
            InvalidRequest: it is none. The message does not repeat it.
            StorageError: it cannot be written.
        """
        if not isinstance(token, str) or (token.strip() and not _TOKEN.fullmatch(token.strip())):
            raise InvalidRequest("That is no access token: paste the one that begins with hf_, or nothing.", "token")
        try:
            self._path.unlink(missing_ok=True)
            if not token.strip():
                return
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(token.strip())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            raise StorageError.from_os_error(self._path, error) from error
