"""The fields that name pictures to begin with, and say how much of them stays."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from modules.jobs.lenient import Check, fault, is_blank, real_number, show

_INPUT_NAME = re.compile(r"[0-9a-f]{64}\.png")
_HOW = "send it as base64, or the name or address of a picture that is here"


def input_name(field: str) -> Check:
    """Check the name of an input; what clients send in its place was taken in before (`modules/jobs/inputs`)."""

    def check(value: Any) -> str | None:
        if is_blank(value):
            return None
        if not isinstance(value, str) or not _INPUT_NAME.fullmatch(value):
            raise fault(f"{field} {show(value)} is no picture: {_HOW}.")
        return value

    return check


def input_names(field: str, most: int) -> Check:
    """Check a list of such names; one alone is understood, and empty places are left out."""
    one = input_name(field)

    def check(value: Any) -> tuple[str, ...]:
        if is_blank(value):
            return ()
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            raise fault(f"{field} {show(value)} is no list of pictures: send a list with one at least.")
        if len(names) > most:
            raise fault(f"{field} has {len(names):,} pictures: send at most {most:,} at once.")
        return tuple(name for name in (one(name) for name in names) if name is not None)

    return check


FirstpassImage = Annotated[str | None, BeforeValidator(input_name("firstpass_image"))]
DenoisingStrength = Annotated[float, BeforeValidator(real_number("Denoising strength", 0, 1, 0.75))]
