"""What the live stream of a program tells."""

import json
import urllib.request
from typing import Any

from tests.program import Program


def snapshot(program: Program) -> dict[str, Any]:
    """Return what a client of the event stream is told first."""
    with urllib.request.urlopen(f"{program.url}/sdapi/v1/events", timeout=30) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                told: dict[str, Any] = json.loads(line[6:])
                return told
    raise AssertionError("the stream ended without a snapshot")
