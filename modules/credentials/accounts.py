"""Who may log in: names and passwords as A1111's flags give them, and hashed as the server gets them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from modules.credentials.passwords import LONGEST_PASSWORD_BYTES, hash_password
from modules.credentials.private_file import read_private, write_private
from modules.errors import InvalidRequest

ENVIRONMENT_VARIABLE = "STEADY_ACCOUNTS"
LONGEST_NAME = 100
SALT_BYTES = 16


def read_accounts(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the passwords by name, from (flag, its text) pairs: `name:password`, by commas or in lines of their own.

    A name ends at the first colon, so a password may hold others. No message shows a password.

    Raises:
        InvalidRequest: an entry is none, or a name stands twice with different passwords.
    """
    accounts: dict[str, str] = {}
    for flag, text in texts:
        for number, entry in enumerate(_entries(text), 1):
            name, colon, password = entry.partition(":")
            _check(flag, number, name, password if colon else "")
            if accounts.setdefault(name, password) != password:
                raise InvalidRequest(f"{flag}: {name} is there twice with different passwords: leave one of them.")
    return accounts


def read_accounts_file(flag: str, path: str) -> tuple[str, str]:
    """Return (flag, text) of a file for `read_accounts`.

    Raises:
        InvalidRequest: it cannot be read, or others may read it too.
    """
    file = Path(path).expanduser()
    try:
        return flag, file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{flag} {path} cannot be read ({error}): name a text file with lines user:pass."
        ) from error


def hash_accounts(accounts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the hashed passwords by name. With the salt kept in `folder` they are the same at each start."""
    salt = _kept_salt(folder / "salt") if accounts else b""
    return {
        name: hash_password(password, hashlib.sha256(salt + name.encode()).digest()[:SALT_BYTES])
        for name, password in accounts.items()
    }


def to_environment(hashed: Mapping[str, str]) -> dict[str, str]:
    """Return what the server is given; nothing when no password is needed."""
    return {ENVIRONMENT_VARIABLE: json.dumps(dict(hashed))} if hashed else {}


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the hashed passwords by name that the launcher gave the server."""
    found: dict[str, str] = json.loads(environment.get(ENVIRONMENT_VARIABLE) or "{}")
    return found


def _entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (entry for entry in (part.strip() for part in line.split(",")) if entry)


def _check(flag: str, number: int, name: str, password: str) -> None:
    if not name or not password:
        raise InvalidRequest(f"{flag}: entry {number} is not user:password: write a name, a colon and a password.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"{flag}: the name of entry {number} is not possible: use up to {LONGEST_NAME} letters.")
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        raise InvalidRequest(f"{flag}: the password of {name} is longer than {LONGEST_PASSWORD_BYTES} bytes.")


def _kept_salt(path: Path) -> bytes:
    known = read_private(path)
    if known is None or len(known) != SALT_BYTES:
        known = secrets.token_bytes(SALT_BYTES)
        write_private(path, known)
    return known
