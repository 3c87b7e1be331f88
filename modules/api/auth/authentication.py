"""What a request can show: a password, a token, or the cookie of a session."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modules.api.auth.attempts import Attempts
from modules.api.auth.sessions import Sessions
from modules.credentials.accounts import LONGEST_NAME
from modules.credentials.passwords import hash_password, is_password
from modules.credentials.tokens import Tokens

# Programs send their password with each request: one that was right is known again without the slow hash.
SECONDS_REMEMBERED = 600.0
MOST_REMEMBERED = 100
THREADS = 2


class TooManyAttempts(Exception):  # noqa: N818  (an answer, not a fault)
    """Passwords were tried too often; `seconds` is when the next one may be."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many wrong passwords: try again in {seconds:.0f} s.")
        self.seconds = seconds


class Authentication:
    """The accounts, tokens and sessions of this server. `accounts` are hashed passwords by name. Event loop only."""

    def __init__(self, accounts: Mapping[str, str], folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.accounts = accounts
        self.sessions = Sessions(folder, accounts)
        self.tokens = Tokens(folder)
        self.attempts = Attempts(clock)
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._nobody = hash_password(secrets.token_urlsafe(), secrets.token_bytes(16)) if accounts else ""
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, float] = OrderedDict()

    @property
    def needed(self) -> bool:
        """Whether nobody is let in without."""
        return bool(self.accounts)

    async def password(self, user: str, password: str, address: str, *, near: bool = False) -> bool:
        """Tell whether this is the user's password. An unknown user takes as long as a known one.

        From this machine itself (`near`) the right one is never refused, so that nobody locks its owner out.

        Raises:
            TooManyAttempts: it was tried too often, by this address or for this user.
        """
        user = user[: LONGEST_NAME + 1]
        wait = self.attempts.seconds_to_wait(address, user)
        if wait > 0 and not near:
            raise TooManyAttempts(wait)
        mark = hmac.digest(self._key, f"{user}\0{password}".encode(errors="surrogatepass"), "sha256")
        if self._is_remembered(mark):
            return True
        self.attempts.begin(address, user)
        known = self.accounts.get(user, self._nobody)
        same = await asyncio.get_running_loop().run_in_executor(self._threads, is_password, password, known)
        if same and user in self.accounts:
            self.attempts.was_right(address, user)
            self._remember(mark)
            return True
        if wait > 0:
            raise TooManyAttempts(wait)
        return False

    def _is_remembered(self, mark: bytes) -> bool:
        until = self._remembered.get(mark)
        return until is not None and self._clock() < until

    def _remember(self, mark: bytes) -> None:
        self._remembered[mark] = self._clock() + SECONDS_REMEMBERED
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
