"""A1111's patterns for the names of files and folders: `[seed]-[prompt_spaces]`.

A pattern that stands for nothing, such as `[batch_number]` of one picture, takes the text before it along. One that is
not known, or fails, stays as it is. Whatever a name is made of, no part of it leads out of its folder.

Facts: A1111 v1.10.1, `images.FilenameGenerator`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

# A value of a pattern: with the arguments in its angle brackets. None: it is not possible; NOTHING: see above.
Value = Callable[..., str | None]
NOTHING = "\0"
_PIECE = re.compile(r"([^\[]*+)(?:\[([^\[\]]{1,300}+)\]|(\[)|$)")
_ARGUMENT = re.compile(r"<([^<>]*+)>$")
_MOST_ARGUMENTS = 20
_FORBIDDEN = re.compile(r'[#<>:"/\\|?*\x00-\x1f\x7f]')
_LONGEST_PART = 128
_LONGEST_NAME = 200  # bytes of a name without its number and its ending; file systems take 255 in all
_DEEPEST = 8
# Names of devices, which Windows gives to no file.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def filled(pattern: str, values: Mapping[str, Value]) -> str:
    """Return a pattern with its values in place of their names."""
    result: list[str] = []
    for literal, name, opened in _PIECE.findall(pattern):
        if not name:
            result.append(literal + opened)
            continue
        bare, arguments = _split(name)
        value = _value(values.get(bare.strip().casefold()), arguments)
        if value == NOTHING:
            continue
        result.append(literal + (f"[{name}]" if value is None else value))
    return "".join(result)


def _split(name: str) -> tuple[str, list[str]]:
    """Return the name of a pattern and its arguments, `datetime` and `%H`, `UTC` of `datetime<%H><UTC>`."""
    arguments: list[str] = []
    while len(arguments) < _MOST_ARGUMENTS and (found := _ARGUMENT.search(name)) is not None:
        arguments.insert(0, found[1])
        name = name[: found.start()]
    return name, arguments


def _value(value: Value | None, arguments: list[str]) -> str | None:
    if value is None:
        return None
    try:
        return value(*arguments)
    except (TypeError, ValueError, LookupError, OverflowError):  # arguments that make no sense
        return None


def clean_part(text: str, spaces: bool = True) -> str:
    """Return a text that may stand in a name: what no file system takes is "_", and so are spaces unless they stay."""
    cleaned = _FORBIDDEN.sub("_", text if spaces else text.replace(" ", "_"))
    return cleaned.lstrip(" ")[:_LONGEST_PART].rstrip(" .")


def path_parts(text: str) -> tuple[str, ...]:
    """Return the folders and the name in a filled pattern, each one that is safe: no `..`, nothing absolute."""
    parts = (_safe(part) for part in re.split(r"[/\\]", text))
    return tuple(part for part in parts if part)[-_DEEPEST:]


def inside(folder: PurePosixPath, text: str) -> PurePosixPath:
    """Return the folder within `folder` that a filled pattern means."""
    return folder.joinpath(*path_parts(text))


def _safe(part: str) -> str:
    cleaned = _FORBIDDEN.sub("_", part).strip(" ").rstrip(" .")
    cleaned = cleaned.encode("utf-8", errors="replace")[:_LONGEST_NAME].decode("utf-8", errors="ignore").rstrip(" .")
    return f"_{cleaned}" if _DEVICES.fullmatch(cleaned) else cleaned
