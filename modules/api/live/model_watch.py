"""Look for models that came, changed or went, while somebody watches; and learn of each, when nothing else is to do.

There is no call of the standard library that tells of changes in folders, so they are looked at: a few milliseconds,
tens with thousands of files.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable

from modules.errors import ModelError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Looking takes no more than one part in so many of the time. What comes or goes is seen all the same, by the folders;
# with thousands of files one that changes where it lies is seen some seconds later.
_SHARE = 20
_LONGEST_PAUSE_SECONDS = 10.0
_READ_SECONDS = 0.02  # of what a look left for later, at a time
_REST_SECONDS = 0.05
_REST_OF_HASHING = 3.0  # for each second of it
_LONGEST_REST_SECONDS = 0.1
_STILL_CHANGING_SECONDS = 10.0  # a file younger than this may be half of a copy


class ModelWatch:
    """Two threads: one looks, one hashes. `tell` is called with a token that is another one when models changed.

    `watched` says whether anybody wants to know, `idle` whether no job runs or waits.
    """

    def __init__(
        self,
        catalogue: CheckpointCatalogue,
        tell: Callable[[str], None],
        watched: Callable[[], bool],
        idle: Callable[[], bool],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._catalogue, self._tell, self._watched, self._idle = catalogue, tell, watched, idle
        self._look_seconds = look_seconds
        self._own = secrets.token_hex(4)  # So that the token of another server is another one.
        self._told = ""
        self._next_look = 0.0
        self._ended = threading.Event()
        self._news = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for name, target in (("model-watch", self._watch), ("model-hashes", self._hash))
        ]

    @property
    def token(self) -> str:
        """What is another one when something about the models is otherwise."""
        return f"{self._own}-{self._catalogue.revision}"

    def start(self) -> None:
        """Begin."""
        self._told = self.token
        self._tell(self._told)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End soon; what is being hashed is dropped."""
        self._ended.set()
        self._news.set()

    def _watch(self) -> None:
        pause = self._look_seconds
        while not self._ended.wait(pause):
            try:
                pause = self._look()
            except Exception:
                logger.exception("Looking for models failed; trying again later.")
                pause = _LONGEST_PAUSE_SECONDS

    def _look(self) -> float:
        """Look once, and return for how many seconds not to."""
        began = time.monotonic()
        if self._watched() and (began >= self._next_look or self._catalogue.has_news()):
            self._catalogue.refresh()
            ended = time.monotonic()
            self._next_look = ended + min((ended - began) * _SHARE, _LONGEST_PAUSE_SECONDS)
        more = self._catalogue.complete(_READ_SECONDS)
        if self.token != self._told:
            self._told = self.token
            self._catalogue.list()  # Who hears of news asks for the list: it is made here, not while somebody waits.
            self._tell(self._told)
            self._news.set()
        return _REST_SECONDS if more else self._look_seconds

    def _hash(self) -> None:
        """Hash what has no hash yet, one after another, so that its title is whole before it is drawn with."""
        failed: set[tuple[str, str]] = set()
        while not self._ended.is_set():
            if not self._hash_next(failed):
                self._news.wait(_LONGEST_PAUSE_SECONDS)
                self._news.clear()

    def _hash_next(self, failed: set[tuple[str, str]]) -> bool:
        """Hash one, unless something else is to do; tell whether one was tried. Who cannot be read is in `failed`."""
        found = self._next_to_hash(failed) if self._idle() else None
        if found is None:
            return False
        try:
            self._catalogue.hashed(found, self._pacing())
        except InterruptedError:
            logger.debug("%s is hashed later.", found.name)
        except ModelError as error:
            failed.add((found.name, found.stamp))
            logger.info("%s", error)
        return True

    def _pacing(self) -> Callable[[], bool]:
        """Return what is asked after each piece: it leaves most of the time to others, and says when to stop."""
        last = time.monotonic()

        def dropped() -> bool:
            nonlocal last
            rest = min((time.monotonic() - last) * _REST_OF_HASHING, _LONGEST_REST_SECONDS)
            ended = self._ended.wait(rest) or not self._idle()
            last = time.monotonic()
            return ended

        return dropped

    def _next_to_hash(self, failed: set[tuple[str, str]]) -> Checkpoint | None:
        old = time.time() - _STILL_CHANGING_SECONDS
        return next(
            (
                one
                for one in self._catalogue.list()
                if one.sha256 is None
                and one.problem is None
                and one.stamp
                and one.modified_at < old
                and (one.name, one.stamp) not in failed
            ),
            None,
        )
