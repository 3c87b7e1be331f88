"""How the page listens: values have names, in Python and in the scripts, and only this file knows their order."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import gradio as gr

Component = Any
Named = Mapping[str, Component]
Values = Mapping[str, Any]
# Gets the values that the browser sent, returns those to show.
Handler = Callable[[Values, gr.Request], Values | None]

NOTHING: Named = MappingProxyType({})
# What `assets/page/bridge.js` has for listeners.
ScriptName = Literal[
    "adoptDefaults", "answered", "asksScript", "beginJob", "choseCheckpoint", "choseSchedule", "chosenExample",
    "chosenSize", "fitSchedule", "folderRead", "interrupting", "know", "putInto", "randomSeed", "randomSubseed",
    "readsFolder", "refused", "remember", "rememberFilledIn", "restore", "scriptTold", "settingsAnswered",
    "settingsChanged", "settingsRead", "settingsUnsaved", "shownJob", "shownSeed", "shownSubseed", "swapSides",
    "takeFrom", "takenBack", "tookOver", "usedModel",
]  # fmt: skip


@dataclass(frozen=True)
class Script:
    """A function of the page's scripts that runs in the browser before the server is asked, or in its place.

    It gets the inputs by name, and `tab`, the prefix of the drawing tab that it is about. What it returns by name takes
    the place of those inputs or, where no server is asked, is put into the outputs; the others stay as they are. It may
    take its time: the server is asked when it is done, and not at all where it fails. What happens before the scripts
    are there waits for them; with `waits=False` it is passed over.
    """

    name: ScriptName
    tab: str = ""
    waits: bool = True

    def source(self, takes: Sequence[str], gives: Sequence[str] | None = None) -> str:
        """Write the listener as Gradio wants it: values come and go in the order of `takes` and `gives`.

        Without `gives` the server is asked, and gets what the script takes.
        """
        about = {"name": self.name, "tab": self.tab, "asks": gives is None}
        gives = takes if gives is None else gives
        call = json.dumps(about | {"takes": list(takes), "gives": list(gives)})
        if self.waits:
            return f"async (...values) => (await window.steadyReady).call({call}, values)"
        stay = ", ".join(f"values[{takes.index(name)}]" for name in gives)
        return f"(...values) => window.steady?.call({call}, values) ?? [{stay}]"


def on(
    event: Callable[..., Any],
    fn: Handler | None = None,
    inputs: Named = NOTHING,
    outputs: Named = NOTHING,
    script: Script | None = None,
    **more: Any,
) -> Any:
    """Attach a listener the one way this page does it: one short POST, no queue, nothing greyed out meanwhile.

    Values arrive as the browser sent them (`preprocess=False`), so that a bad one is judged by `validate_request` and
    told at its field, and not by Gradio in a pop-up.
    """
    takes, shows = list(inputs), list(outputs)
    return event(
        _heard(fn, takes, shows) if fn else None,
        list(inputs.values()),
        list(outputs.values()),
        js=script.source(takes, None if fn else shows) if script else None,
        queue=False,
        show_progress="hidden",
        preprocess=False,
        api_visibility="private",
        **more,
    )


def on_any(events: Sequence[Callable[..., Any]], *arguments: Any, **more: Any) -> Any:
    """Attach one listener, in the same way, to several events."""
    return on(functools.partial(gr.on, list(events)), *arguments, **more)


def together(*groups: Named) -> dict[str, Component]:
    """Return one group of several.

    Raises:
        ValueError: a name stands for two components.
    """
    names = [name for group in groups for name in group]
    if len(names) != len(set(names)):
        raise ValueError(f"One name stands for two components: {sorted(names)}.")
    return {name: component for group in groups for name, component in group.items()}


def _heard(fn: Handler, takes: Sequence[str], shows: Sequence[str]) -> Callable[..., Any]:
    """Return `fn` as Gradio calls it: values one by one, and no list around a single answer."""

    def heard(asker: gr.Request, *values: Any) -> Any:
        answer = fn(dict(zip(takes, values, strict=True)), asker)
        shown = [(answer or {})[name] for name in shows]
        return shown[0] if len(shown) == 1 else shown or None

    return heard
