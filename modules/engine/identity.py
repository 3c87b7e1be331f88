"""Which engine this process is: the launcher says so, and who the others are."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class EngineIdentity:
    """`id` is the engine's, the same after each of its restarts; `process` is this one's alone.

    `others` are the ids of the engines that may live beside it, on the same data folder.
    """

    id: str
    process: str
    others: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return who this process is. One that was started by hand is the first engine, and alone."""
        return cls(
            id=environment.get("STEADY_ENGINE") or "1",
            process=environment.get("STEADY_INSTANCE") or secrets.token_hex(8),
            others=frozenset(environment.get("STEADY_OTHER_ENGINES", "").split()),
        )

    @property
    def claims_as(self) -> str:
        """The name in the rows of the jobs that this process takes."""
        return f"{self.id}/{self.process}"
