"""Who answers: the instance, and a hash of its page, so that an open page knows whether it is still the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.api.answers import json_bytes

PARTS_OF_THE_PAGE = ("version", "components", "layout", "dependencies")


@dataclass(frozen=True)
class Identity:
    """`instance` differs between any two server processes, `page` between two pages that look or work differently."""

    instance: str
    page: str

    @property
    def ping(self) -> bytes:
        """The body of /internal/ping: constant for the life of an instance."""
        return json_bytes({"instance": self.instance, "page": self.page})


def page_hash(config: Mapping[str, Any], *more: str) -> str:
    """Return a hash of what a page is made of: Gradio's configuration without its random ids, and `more` texts."""
    digest = hashlib.sha256()
    for part in PARTS_OF_THE_PAGE:
        digest.update(json_bytes(config.get(part)))
    for text in more:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()[:16]
