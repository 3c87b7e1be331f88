"""Values as A1111's clients send them, made into our types, with messages that name the value and the remedy.

Clients send numbers as text, None or "" for "the default", and 7.0 for 7; that is understood. Anything else is told.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError

Check = Callable[[Any], Any]

_LONGEST_SHOWN = 60


def fault(message: str) -> PydanticCustomError:
    """Make an error whose text is `message` as it stands."""
    return PydanticCustomError("invalid_value", "{message}", {"message": message})


def show(value: object) -> str:
    """Return the value as a message quotes it: JSON, shortened."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if value >= 10_000 else str(value)
    if isinstance(value, str):
        value = value[: _LONGEST_SHOWN + 1]
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = reprlib.repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def is_blank(value: object) -> bool:
    """Tell whether a client leaves the value open."""
    return value is None or (isinstance(value, str) and not value.strip())


def whole_number(label: str, low: int, high: int, default: int | None, hint: str = "") -> Check:
    """Check a whole number from `low` to `high`; `hint` is added to the remedy."""

    def check(value: Any) -> int | None:
        if is_blank(value):
            return default
        number = _as_whole(value)
        if number is None:
            raise fault(f"{label} {show(value)} is not a whole number: use {low:,} to {high:,}{hint}.")
        if not low <= number <= high:
            raise fault(f"{label} {show(number)} is not possible: use {low:,} to {high:,}{hint}.")
        return number

    return check


def pixels(label: str, low: int, high: int, multiple: int) -> Check:
    """Check a side of a picture: from `low` to `high` pixels, a multiple of `multiple`."""
    in_range = whole_number(label, low, high, default=None, hint=f" in steps of {multiple}")

    def check(value: Any) -> int | None:
        number: int | None = in_range(value)
        if number is not None and number % multiple:
            below = number - number % multiple
            raise fault(f"{label} {number} is not a multiple of {multiple}: use {below} or {below + multiple}.")
        return number

    return check


def real_number(label: str, low: float, high: float, default: float | None, hint: str = "") -> Check:
    """Check a number from `low` to `high`."""

    def check(value: Any) -> float | None:
        if is_blank(value):
            return default
        number = _as_real(value)
        if number is None:
            raise fault(f"{label} {show(value)} is not a number: use {low:g} to {high:g}{hint}.")
        if not low <= number <= high:
            raise fault(f"{label} {number:g} is not possible: use {low:g} to {high:g}{hint}.")
        return number

    return check


def text(label: str, longest: int) -> Check:
    """Check a text of at most `longest` characters that can be stored and encoded."""

    def check(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise fault(f"{label} {show(value)} is not a text: send a string.")
        if len(value) > longest:
            raise fault(f"{label} has {len(value):,} characters: shorten it to {longest:,}.")
        if "\0" in value:
            raise fault(f"{label} has a NUL character at position {value.index(chr(0)) + 1:,}: take it out.")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            position = error.start + 1
            raise fault(f"{label} has half a surrogate pair at position {position:,}: take it out.") from error
        return value

    return check


def switch(label: str, default: bool | None) -> Check:
    """Check a yes or no."""

    def check(value: Any) -> bool | None:
        if is_blank(value):
            return default
        if isinstance(value, bool):
            return value
        words = {"true": True, "1": True, "false": False, "0": False}
        answer = words.get(str(value).strip().lower()) if isinstance(value, str | int) else None
        if answer is None:
            raise fault(f"{label} {show(value)} is not a yes or no: use true or false.")
        return answer

    return check


def _as_whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) <= 40:
        try:
            return int(value)
        except ValueError:
            pass
    number = _as_real(value)
    return int(number) if number is not None and number.is_integer() else None


def _as_real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
