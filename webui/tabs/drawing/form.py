"""The form of a drawing tab: its fields, by the names that its request has. Each row of them is made in `rows/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modules.jobs.models.checkpoint import Checkpoint
from webui.listeners import Component


@dataclass(frozen=True)
class Form:
    """The fields made so far; those of `suited` follow the checkpoint's defaults; ids begin with `prefix`.

    `homes` are the ids of what is seen of each: there is told what is wrong with it. `others` are components that hold
    nothing of the request, but have a listener on the server.
    """

    prefix: str
    checkpoint: Checkpoint | None
    fields: dict[str, Component] = field(default_factory=dict)
    suited: list[str] = field(default_factory=list)
    homes: dict[str, str] = field(default_factory=dict)
    others: dict[str, Component] = field(default_factory=dict)

    def id(self, part: str) -> str:
        """Return the id of a part of this tab."""
        return f"{self.prefix}_{part}"

    def add(self, name: str, component: Component, suited: bool = False, home: str | None = None) -> Component:
        """Take a field in under the name that the request has for it; `home` is where one out of sight is shown."""
        self.fields[name] = component
        self.homes[name] = home or component.elem_id
        if suited:
            self.suited.append(name)
        return component


Row = Callable[[Form], None]
