"""How the values of an axis are written, as A1111 has it: lists with the quoting of CSV, and ranges of numbers.

    1, 5, 20        1-5        1-10 (+2)        10-5 (-3)        1-10 [5]        0-1 [5]        1-2 (+0.25)

A range has its end where a step comes to it, and nothing beyond it. Whole numbers of a counted range are cut off.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import chain, permutations
from typing import Literal

from modules.errors import InvalidRequest
from modules.jobs.lenient import show

Value = int | float | str | tuple[str, ...]
# What an axis has of: whole numbers, numbers, texts, or orders of texts.
Form = Literal["whole", "real", "text", "orders"]

VALUES_MOST = 1000
_DIGITS = 40  # more than a number has that anything can be made of
_LONGEST_NUMBERS = 400  # characters of a number or a range, with spaces in all places
_NUMBER = rf"[+-]?\s*\d{{1,{_DIGITS}}}(?:\.\d{{0,{_DIGITS}}})?"
_RANGE = re.compile(
    rf"({_NUMBER})\s*-\s*({_NUMBER})\s*"
    rf"(?:\(\s*([+-]\s*\d{{1,{_DIGITS}}}(?:\.\d{{0,{_DIGITS}}})?)\s*\)|\[\s*(\d{{1,{_DIGITS}}})\s*\])?"
)
_HOW = "write numbers with commas between them, or a range such as 1-5, 1-10 (+2) or 1-10 [5]"


def texts_in(text: str) -> tuple[str, ...]:
    """Return the texts of a list with commas, of which those that have one are in quotes; of none nothing.

    Raises:
        InvalidRequest: they cannot be told from each other.
    """
    try:
        rows = csv.reader(text.splitlines(keepends=True), skipinitialspace=True)
        return tuple(entry.strip() for entry in chain.from_iterable(rows))
    except csv.Error as error:
        raise InvalidRequest(f"{show(text)} cannot be read ({error}): put texts with a comma into quotes.") from error


def as_text(values: Iterable[str]) -> str:
    """Return the list that these texts are read from."""
    return ", ".join(_quoted(value) for value in values)


def values_of(form: Form, texts: Sequence[str]) -> tuple[Value, ...]:
    """Return the values that texts stand for: ranges are written out, orders are all that there are.

    Raises:
        InvalidRequest: one cannot be read, or there are more than an axis may have.
    """
    if form == "text":
        found: tuple[Value, ...] = tuple(texts)
    elif form == "orders":
        found = _orders(texts)
    else:
        found = one_by_one(lambda text: numbers_of(text, whole=form == "whole"), filter(None, texts))
    _check_count(len(found), "The list")
    return found


def numbers_of(text: str, *, whole: bool) -> tuple[int | float, ...]:
    """Return the number that a text is, or those of its range.

    Raises:
        InvalidRequest: it is neither, or the range has more than an axis may have.
    """
    range_ = _RANGE.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBERS else None
    if range_ is None:
        return (_number(text, whole=whole),)
    start, end, step, count = (None if part is None else _decimal(part) for part in range_.groups())
    assert start is not None and end is not None
    found = _counted(start, end, int(count), text) if count is not None else _stepped(start, end, step, text)
    if not whole:
        return tuple(float(number) for number in found)
    if count is None and any(number != int(number) for number in found):
        raise InvalidRequest(f"{show(text)} has numbers that are not whole ones: use whole ones alone.")
    return tuple(int(number) for number in found)


def _number(text: str, *, whole: bool) -> int | float:
    try:
        number = float(text)
        if len(text) <= _DIGITS and math.isfinite(number):
            if not whole:
                return number
            if number.is_integer():
                return int(text) if re.fullmatch(r"[+-]?\d+", text) else int(number)
    except ValueError:
        pass
    raise InvalidRequest(f"{show(text)} is no {'whole ' if whole else ''}number: {_HOW}.")


def _stepped(start: Decimal, end: Decimal, step: Decimal | None, text: str) -> list[Decimal]:
    if step is None:
        step = Decimal(1 if start <= end else -1)
    if step == 0 or (start != end and (step > 0) != (end > start)):
        way = "-" if end < start else "+"
        raise InvalidRequest(f"{show(text)} never comes to its end: write its step as ({way}1), or swap its ends.")
    count = int((end - start) / step) + 1
    _check_count(count, show(text))
    return [start + step * number for number in range(count)]


def _counted(start: Decimal, end: Decimal, count: int, text: str) -> list[Decimal]:
    if count == 0:
        raise InvalidRequest(f"{show(text)} has no values: write how many in its brackets, such as [5].")
    _check_count(count, show(text))
    if count == 1:
        return [start]
    return [start + (end - start) * number / (count - 1) for number in range(count)]


def _decimal(text: str) -> Decimal:
    return Decimal("".join(text.split()))


def _orders(texts: Sequence[str]) -> tuple[Value, ...]:
    # The first factorials are all that it takes to know.
    count = math.factorial(min(len(texts), 20))
    if count > VALUES_MOST:
        many = f"{len(texts):,} texts have {'' if len(texts) <= 20 else 'more than '}{count:,} orders"
        raise InvalidRequest(f"{many}: an axis has at most {VALUES_MOST:,}, so write at most 6.")
    return tuple(permutations(texts)) if texts else ()


def _check_count(count: int, what: str) -> None:
    if count > VALUES_MOST:
        raise InvalidRequest(f"{what} has {count:,} values: an axis has at most {VALUES_MOST:,}.")


def _quoted(text: str) -> str:
    needs = any(mark in text for mark in ',"\n\r') or text != text.strip() or not text
    return '"' + text.replace('"', '""') + '"' if needs else text


def one_by_one(read: Callable[[str], Iterable[Value]], texts: Iterable[str]) -> tuple[Value, ...]:
    """Return what all texts stand for, of which each may be several values.

    Raises:
        InvalidRequest: as `read`, or there are more than an axis may have.
    """
    found: list[Value] = []
    for text in texts:
        found += read(text)
        _check_count(len(found), "The list")
    return tuple(found)
