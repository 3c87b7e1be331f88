"""Children and a clock for keepers, without processes and without waiting."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modules.launcher.child import Recipe
from modules.launcher.switchboard import Switchboard
from modules.link import Role


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeLine:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def signal(self, name: str) -> None:
        self.sent.append(name)


class FakeChild:
    """What a keeper sees of a child; the test decides when it dies."""

    def __init__(self, world: "World", heard: Callable[[Any, str], None], extra: Mapping[str, str]) -> None:
        self.world = world
        self.heard = heard
        self.extra = dict(extra)
        self.pid = len(world.children) + 1
        self.line = FakeLine()
        self.joined = threading.Event()
        self.recovered = threading.Event()
        self.recovered.set()
        self.code: int | None = None
        self.orders: list[str] = []
        self.without_link = 0.0
        self.started_at = world.clock.now
        self.buried = False

    @property
    def lived_seconds(self) -> float:
        return self.world.clock.now - self.started_at

    def exit_code(self) -> int | None:
        return self.code

    def seconds_without_link(self) -> float:
        return self.without_link

    def end_politely(self) -> None:
        self.orders.append("politely")

    def end_now(self) -> None:
        self.orders.append("now")
        self.code = -9

    def bury(self) -> tuple[str, list[str]]:
        assert self.code is not None and not self.buried
        self.buried = True
        return f"exit code {self.code}", [f"last line of {self.pid}"]

    def says(self, name: str) -> None:
        self.heard(self, name)


class World:
    """Counts the children that a keeper starts."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.children: list[FakeChild] = []
        self.fail_to_start: OSError | None = None

    def start_child(
        self, recipe: Recipe, board: Switchboard, heard: Callable[[Any, str], None], extra: Mapping[str, str]
    ) -> Any:
        if self.fail_to_start is not None:
            raise self.fail_to_start
        child = FakeChild(self, heard, extra)
        self.children.append(child)
        return child

    @property
    def newest(self) -> FakeChild:
        return self.children[-1]


def recipe(role: Role) -> Recipe:
    return Recipe(role, ("python",), Path("/"), {})
