"""What stands in addresses: whole numbers, as large as the database and JSON can hold, and endings of pictures."""

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


class PictureForm(Convertor[str]):
    """`{name:form}` in a path: the ending of a picture's file."""

    regex = "png|jpg|webp|avif"

    def convert(self, value: str) -> str:
        """Return the ending."""
        return value

    def to_string(self, value: str) -> str:
        """Return the ending as it stands in a path."""
        return value


def register_place() -> None:
    """Let paths use `place` and `form`."""
    register_url_convertor("place", Place())
    register_url_convertor("form", PictureForm())
