"""What can vary along an axis of a grid: how its values are written, and what each makes of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from modules.jobs.kinds.grid.value_forms import Form, Value, values_of

# A request's fields as JSON, of one cell: whoever changes something in them changes nothing of another cell's.
Fields = dict[str, Any]
# Sets a value of the axis in the fields of a cell; all values of the axis are known. Raises InvalidRequest.
Apply = Callable[[Fields, Value, Sequence[Value]], None]
Tab = Literal["txt2img", "img2img"]
# The lists that values may be chosen from; who shows them knows what is in each.
Choices = Literal[
    "samplers", "schedulers", "checkpoints", "vaes", "upscalers", "hires_upscalers", "styles", "networks", "switch",
    "emphasis", "masked_contents", "resize_modes",
]  # fmt: skip
SETTINGS = "override_settings"
_DIGITS_SHOWN = 8


@dataclass(frozen=True)
class AxisOption:
    """One thing that can vary. `label` is what people see, A1111's where that has such an axis.

    `fields` are those of a request that may be at fault when a value is. `read` makes values of the texts in a list.
    `written` is what stands beside the pictures. `unavailable` says by tab why nothing can vary there, with the remedy;
    such an axis is in no list, and keeps its place among A1111's numbers. `only_hires`: in txt2img it is of the second
    pass alone.
    """

    label: str
    apply: Apply
    fields: tuple[str, ...] = ()
    read: Callable[[Sequence[str]], tuple[Value, ...]] = lambda texts: values_of("text", texts)
    written: Callable[[str, Value], str] = field(default=lambda label, value: f"{label}: {shown(value)}")
    choices: Choices | None = None
    tabs: tuple[Tab, ...] = ("txt2img", "img2img")
    unavailable: Mapping[Tab, str] = field(default_factory=dict)
    only_hires: bool = False

    def is_listed(self, tab: Tab) -> bool:
        """Whether it can be chosen in a tab."""
        return tab in self.tabs and tab not in self.unavailable


def shown(value: Value) -> str:
    """Return a value as people read it: 7 rather than 7.0, and no digits that are of the arithmetic alone."""
    if isinstance(value, float):
        return f"{round(value, _DIGITS_SHOWN):.{_DIGITS_SHOWN + 4}g}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def alone(_label: str, value: Value) -> str:
    """Return a value that needs no label beside it."""
    return shown(value)


def base_name(label: str, value: Value) -> str:
    """Return a model's name without its folders."""
    return shown(value).replace("\\", "/").rpartition("/")[2]


def of_field(label: str, name: str, form: Form = "real", **more: Any) -> AxisOption:
    """Return an axis of a field of the request."""

    def apply(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
        fields[name] = value

    return AxisOption(label, apply, (name,), lambda texts: values_of(form, texts), **more)


def of_setting(label: str, name: str, form: Form = "text", **more: Any) -> AxisOption:
    """Return an axis of a setting that a request may override."""

    def apply(fields: Fields, value: Value, _all: Sequence[Value]) -> None:
        fields[SETTINGS] = fields[SETTINGS] | {name: value}

    return AxisOption(label, apply, (SETTINGS, name), lambda texts: values_of(form, texts), **more)


def missing(label: str, remedy: str, **more: Any) -> AxisOption:
    """Return an axis of A1111 that this version has not."""
    why = f"{label} is no axis in this version: {remedy}."
    return AxisOption(label, nothing, unavailable={"txt2img": why, "img2img": why}, **more)


def nothing(_fields: Fields, _value: Value, _all: Sequence[Value]) -> None:
    """Leave all as it is."""
