"""Whole numbers in addresses: as large as the database and JSON can hold, and no larger."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.convertors import Convertor, register_url_convertor

HIGHEST = 2**53 - 1  # the largest that every JSON reader keeps exactly
HIGHEST_DIGITS = 15

Number = Annotated[int, Query(ge=-HIGHEST, le=HIGHEST)]


class Place(Convertor[int]):
    """`{name:place}` in a path: a number of few digits. Starlette's own `int` takes any number and then fails."""

    regex = f"[0-9]{{1,{HIGHEST_DIGITS}}}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the number as it stands in a path."""
        return str(value)


def register_place() -> None:
    """Let paths use `place`."""
    register_url_convertor("place", Place())
