"""A file of styles in A1111's form: CSV with the columns name, prompt and negative_prompt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modules.errors import SteadyError, StorageError
from modules.paths import write_atomically
from modules.prompts.styles.style import Style

COLUMNS = ("name", "prompt", "negative_prompt")
# A1111 called the prompt so once.
_TEXT = "text"
# Rows of such names are notes.
_NOTE = "#"
LARGEST_FILE = 16 << 20
_BOM = "\ufeff"
_END = "\x1a"


class BrokenStyles(SteadyError):  # noqa: N818
    """A file of styles that cannot be read. Nothing is written into it before it is mended."""


class Content(NamedTuple):
    """A file's rows in order; those that are notes hold no style. `columns` are its own, some not known here.

    `problem` is what is wrong with it, though it can be read: writing it anew would lose something. None: nothing.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    problem: str | None = None


def read_file(path: Path) -> Content:
    """Return what a file holds; one that is not there holds nothing.

    Raises:
        BrokenStyles: it is not in this form; the message says where.
        StorageError: it cannot be read.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BrokenStyles(f"{path} is larger than {LARGEST_FILE >> 20} MB: split it.")
        data = path.read_bytes()
    except FileNotFoundError:
        return Content(COLUMNS, ())
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BrokenStyles(f"{path}, line {line:,}: this is no UTF-8. Save the file as UTF-8.") from error
    return _parse(path, text)


def styles_in(content: Content) -> Iterator[Style]:
    """Yield the styles of a file's rows."""
    for row in content.rows:
        if is_style(row):
            yield Style(row["name"], row.get("prompt") or row.get(_TEXT) or "", row.get("negative_prompt") or "")


def is_style(row: dict[str, str]) -> bool:
    """Tell whether a row holds a style."""
    return bool(row["name"]) and not row["name"].startswith(_NOTE)


def write_file(path: Path, content: Content) -> None:
    """Write a file whole, with the byte order mark that spreadsheets look for; what was there before becomes `.bak`.

    Raises:
        StorageError: it cannot be written, and is as it was.
    """
    columns = [name for name in content.columns if name != _TEXT]
    columns += [name for name in COLUMNS if name not in columns]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({"prompt": row.get(_TEXT, ""), **row} for row in content.rows)
    if path.exists():
        try:
            before = path.read_bytes()
        except OSError as error:
            raise StorageError.from_os_error(path, error) from error
        write_atomically(path.with_name(path.name + ".bak"), before, as_open_as_folder=True)
    write_atomically(path, (_BOM + file.getvalue()).encode(), as_open_as_folder=True)


def _parse(path: Path, text: str) -> Content:
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BrokenStyles(f"{path}, line {line:,}: there is a NUL character. Take it out.")
    # What closes no quotes takes in the row behind it: then that is not there.
    reader = csv.reader(io.StringIO(f'{text}\n"{_END}"\n', newline=""))
    columns: tuple[str, ...] = ()
    rows: list[dict[str, str]] = []
    problem, ended = None, False
    try:
        for row in reader:
            if row == [_END]:
                ended = True
            elif not columns:
                columns = _columns(path, row)
            else:
                if any(row[len(columns) :]) and problem is None:
                    problem = f"{path}, line {reader.line_num:,}: {len(row)} values. Put a text with commas in quotes."
                rows.append({"name": "", **dict(zip(columns, row, strict=False))})
    except csv.Error as error:
        raise BrokenStyles(f"{path}, line {reader.line_num:,}: {error}. Mend the line, or take it out.") from error
    if not ended:
        problem = f"{path}: a quote is opened and not closed. Its last style, {rows[-1]['name']!r}, goes on to the end."
    return Content(columns or COLUMNS, tuple(row for row in rows if any(row.values())), problem)


def _columns(path: Path, row: list[str]) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in row)
    if row and "name" not in columns:
        shown = ",".join(columns)[:60]
        raise BrokenStyles(f"{path}: its first line, {shown!r}, names no column name. It is to be {','.join(COLUMNS)}.")
    return columns
