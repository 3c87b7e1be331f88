"""One setting: all that a page or a document says about it, and which values it takes."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from modules.errors import InvalidRequest

Needs = Literal["nothing", "engine", "server"]
LONGEST_TEXT = 1_000
OUTPUTS = "outputs"
_NO_FOLDER = re.compile(r'[\\<>:"|?*\x00-\x1f]')
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class SettingField:
    """One setting with all that a page or a document says about it. `choices` is empty where any value will do.

    A `colour` is a text such as #ffffff, a `folder` a path within `outputs`; `names` are several with commas between,
    or none, which clients may send as a list.
    """

    name: str
    type: type[bool] | type[int] | type[float] | type[str]
    default: bool | int | float | str
    label: str
    section: str
    help: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    needs: Needs
    colour: bool = False
    folder: bool = False
    names: bool = False

    def check(self, value: object) -> bool | int | float | str:
        """Return `value` as the setting's own type.

        Raises:
            InvalidRequest: it is not one that this setting takes; the message says what is.
        """
        if self.type is bool:
            return self._check_bool(value)
        if self.type is int:
            return self._check_int(value)
        if self.type is float:
            return self._check_float(value)
        return self._check_str(value)

    def fault(self, value: object) -> str | None:
        """Say what is wrong with `value` to someone who sees the setting's label; None: nothing is."""
        try:
            self.check(value)
        except InvalidRequest as error:
            if value is None:
                return f"This is empty, or no number: use {self._range() or 'a value'}."
            return str(error).replace(f" for {self.name} ({self.label})", "", 1)
        return None

    def _range(self) -> str:
        return "" if self.minimum is None or self.maximum is None else f"{self.minimum:,} to {self.maximum:,}"

    def _check_bool(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise self._invalid(value, "use true or false")

    def _check_int(self, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._invalid(value, "use a whole number")
        self._check_bounds(value)
        return value

    def _check_float(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._invalid(value, "use a number")
        self._check_bounds(value)
        return float(value)

    def _check_bounds(self, value: float) -> None:
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise self._invalid(value, f"use {low} to {high}")

    def _check_str(self, value: object) -> str:
        if self.choices and value not in self.choices:
            raise self._invalid(value, f"use {', '.join(self.choices[:-1])} or {self.choices[-1]}")
        if self.names:
            value = _joined(value)
            if not isinstance(value, str):
                raise self._invalid(value, "use names with commas between")
        elif not isinstance(value, str) or not value.strip():
            raise self._invalid(value, "use a text that is not empty")
        if len(value) > LONGEST_TEXT:
            raise self._invalid(value, f"use at most {LONGEST_TEXT} characters")
        if self.colour and not _COLOUR.fullmatch(value):
            raise self._invalid(value, "use a colour as #ffffff")
        if self.folder and not is_within_outputs(value):
            raise self._invalid(value, f"use {OUTPUTS} or a folder within it, as {OUTPUTS}/portraits")
        return value

    def _invalid(self, value: object, remedy: str) -> InvalidRequest:
        shown = json.dumps(value, ensure_ascii=False, default=repr)
        if len(shown) > 80:
            shown = shown[:77] + "…"
        return InvalidRequest(f"{shown} is not possible for {self.name} ({self.label}): {remedy}.", field=self.name)


def setting(
    default: object,
    section: str,
    label: str,
    help: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    needs: Needs = "nothing",
    colour: bool = False,
    folder: bool = False,
    names: bool = False,
) -> Any:
    """Return a field of the settings with the words that the page shows for it."""
    words = {"section": section, "label": label, "help": help, "minimum": minimum, "maximum": maximum, "needs": needs}
    return field(default=default, metadata=words | {"colour": colour, "folder": folder, "names": names})


def _joined(value: object) -> object:
    """Return names in the one form that is kept, of a list or a text; anything else as it is."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    return ", ".join(dict.fromkeys(name.strip() for name in value if name.strip()))


def is_within_outputs(folder: str) -> bool:
    """Tell whether a folder, with forward slashes, lies within that of the saved pictures, whatever is typed."""
    path = PurePosixPath(folder)
    parts = path.parts
    plain = not path.is_absolute() and ".." not in parts and not _NO_FOLDER.search(folder)
    return plain and bool(parts) and parts[0] == OUTPUTS and all(part == part.strip(" .") for part in parts)
