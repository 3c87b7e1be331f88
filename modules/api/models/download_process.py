"""The process that fetches one download: started, listened to, ended."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from modules.hub.job import Order
from modules.paths import ROOT

logger = logging.getLogger(__name__)

# What keeps all other processes from asking the Hub for anything.
_KEEPS_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DIFFUSERS_OFFLINE")
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",  # a download of its own cannot be gone on with by another process
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
}


def environment_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the Hub may be asked."""
    return {name: value for name, value in given.items() if name not in _KEEPS_OFFLINE} | _QUIET


class DownloadProcess:
    """One `python -m modules.hub`. It ends by itself when this process does, since its input ends then.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "modules.hub"],
            cwd=ROOT,
            env=environment_of(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: then it tells nothing
            self._process.stdin.write(order.to_json() + "\n")
            self._process.stdin.flush()

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what it tells until it ends."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and "event" in told:
                    yield told
        self._close()

    def end(self) -> None:
        """End it now. What it has written stays as it is."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._process.poll()

    def _close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
