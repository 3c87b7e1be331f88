"""What a tab that draws is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webui.tabs.drawing.form import Row


@dataclass(frozen=True)
class Blueprint:
    """What a drawing tab is made from: the kind of its jobs, and the rows of its fields.

    `prefix` begins the ids of the tab's elements; two tabs have two. Rows of `above` stand over the buttons, under the
    prompts where it is `prompted`; those of `middle` are a panel of their own, before the fields. `request` makes, of
    the fields' values as the browser sent them, those of the kind; `shown` the other way, of what is taken over.
    `welcome` stands where no picture is yet; "": what suits the model.
    """

    kind: str
    label: str
    prefix: str
    rows: tuple[Row, ...]
    above: tuple[Row, ...] = ()
    prompted: bool = True
    middle: tuple[Row, ...] = ()
    request: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    shown: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    welcome: str = ""
