"""The one thing in infotexts that is JSON without quotes around it: what Civitai says of the models."""

from __future__ import annotations

import json
import re
from typing import Any

_JSON_PAIR = re.compile(r"(?:^|,\s{0,5})Civitai (resources|metadata):\s{0,5}(?=[\[{])")
_MOST = 10


def cut_resources(line: str) -> tuple[str, list[Any]]:
    """Return the last line of an infotext without what Civitai puts there as bare JSON; and the models of that."""
    resources: list[Any] = []
    decoder = json.JSONDecoder()
    for _ in range(_MOST):
        found = _JSON_PAIR.search(line)
        if found is None:
            break
        try:
            value, end = decoder.raw_decode(line, found.end())
        except (ValueError, RecursionError):
            break
        if found[1] == "resources" and isinstance(value, list):
            resources += value
        line = line[: found.start()] + line[end:]
    return line.lstrip(", "), resources
