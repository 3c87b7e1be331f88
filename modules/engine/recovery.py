"""Settle what an earlier engine left, without torch: whoever waits for an interrupted job hears of it at once.

The imports that drawing needs take seconds, and on a busy machine half a minute. A job that its killed engine was asked
to stop, to pause or to go on with is settled before them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from typing import TypeVar

from modules.errors import StorageError
from modules.jobs.rows import Death, Job
from modules.jobs.store.job_store import JobStore

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 1.0

Result = TypeVar("Result")


def settle(store: JobStore, death: Death | None, others: Collection[str], leaving: threading.Event) -> list[Job]:
    """Settle the jobs that dead engines left running, and return them as they are now. Waits for a full disk.

    `others` are the ids of the engines that may live. `death` is the end of the process before this one.
    """
    return until_stored(lambda: store.claims.recover(death, others), leaving) or []


def until_stored(change: Callable[[], Result], leaving: threading.Event) -> Result | None:
    """Change the database, again and again while the disk refuses: a full disk may be freed.

    Returns what `change` returns; None when `leaving` was set before the disk took it.
    """
    told = False
    while True:
        try:
            return change()
        except StorageError as error:
            if not told:
                logger.error("%s Trying again each second.", error)
                told = True
            if leaving.wait(SECONDS_BETWEEN_TRIES):
                return None
