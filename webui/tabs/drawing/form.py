"""The form of a drawing tab: its fields, by the names that its request has. Each row of them is made in `rows/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modules.jobs.models.checkpoint import Checkpoint
from webui.listeners import Component


@dataclass(frozen=True)
class Form:
    """The fields made so far; those of `suited` follow the checkpoint's defaults; ids begin with `prefix`."""

    prefix: str
    checkpoint: Checkpoint | None
    fields: dict[str, Component] = field(default_factory=dict)
    suited: list[str] = field(default_factory=list)

    def id(self, part: str) -> str:
        """Return the id of a part of this tab."""
        return f"{self.prefix}_{part}"

    def add(self, name: str, component: Component, suited: bool = False) -> Component:
        """Take a field in under the name that the request has for it."""
        self.fields[name] = component
        if suited:
            self.suited.append(name)
        return component


Row = Callable[[Form], None]
