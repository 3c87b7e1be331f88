"""`python -m modules.hub`: fetch what the first line of the input says, tell of it on the output, end with the input.

The server starts it; where the server ends, the input does, and so does this. What has come stays for the next try.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from typing import Any, TextIO

from modules.hub.job import Download, Order


def main() -> None:
    """Do what the order says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all processes; the server decides.
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(levelname)s downloads: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    out, sys.stdout = sys.stdout, sys.stderr
    order = Order(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    Download(order, _Teller(out)).run()
    os._exit(0)


class _Teller:
    """Writes lines, from any thread. When nobody reads them any more, the process ends."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()

    def __call__(self, event: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._out.write(json.dumps(event) + "\n")
                self._out.flush()
            except OSError:
                os._exit(1)


def _end_with_the_input() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
