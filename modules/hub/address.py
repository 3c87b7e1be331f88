"""What people paste to name a model on the Hub: `org/name`, or an address of its page or of one of its files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from modules.errors import InvalidRequest

HUB = "https://huggingface.co"
WEIGHTS = (".safetensors", ".sft", ".gguf")
_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_-])?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_PART_OF_PATH = re.compile(r"[^\x00-\x1f\x7f<>:\"|?*\\/]{1,200}")
_OF_NO_MODEL = frozenset({"datasets", "spaces", "docs", "blog", "papers", "models", "collections", "api", "settings"})
_LONGEST = 600
_SHOWN = 80
_REMEDY = "use org/name, or the address of a model or of one of its files on huggingface.co."


@dataclass(frozen=True)
class Address:
    """A repository, and what of it: `path` is one file, None all that drawing needs; `revision` None the main one."""

    repo: str
    revision: str | None = None
    path: str | None = None


def endpoint() -> str:
    """Return where the Hub is: HF_ENDPOINT names a mirror of it."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def parse_address(text: object) -> Address:
    """Read what somebody pasted.

    Raises:
        InvalidRequest: it is no model on the Hub; the message says what would be.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise _refused(text, "is no model on the Hub")
    words = text.strip()
    parts = _parts_of(words)
    if len(parts) < 2 or parts[0] in _OF_NO_MODEL or not all(_NAME.fullmatch(one) for one in parts[:2]):
        raise _refused(words, "is no model on the Hub")
    if any(".." in one or "--" in one for one in parts[:2]):
        raise _refused(words, "is no name that the Hub has")
    revision, path = _revision_and_path(parts[2:], words)
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise _refused(words, "names no revision that can be")
    if path is not None and not is_plain_path(path):
        raise _refused(words, "names no file that can be")
    if path is not None and not path.lower().endswith(WEIGHTS):
        raise _refused(words, f"is not one of {', '.join(WEIGHTS)}, and anything else may be a pickle, which runs code")
    return Address("/".join(parts[:2]), revision, path)


def is_plain_path(path: str) -> bool:
    """Tell whether a file's path in a repository leads to a place below, under a name that every system takes."""
    parts = path.split("/")
    return len(path) <= _LONGEST and all(
        _PART_OF_PATH.fullmatch(one) and not one.startswith(".") and one == one.rstrip(". ") for one in parts
    )


def _parts_of(words: str) -> list[str]:
    """Return what stands between slashes after the host.

    Raises:
        InvalidRequest: the host is not the Hub.
    """
    known = {*_HOSTS, urlsplit(endpoint()).netloc}
    bare = words if "//" in words else f"//{words}"
    try:
        split = urlsplit(bare)
    except ValueError:
        raise _refused(words, "is no address") from None
    if split.scheme and split.scheme not in ("http", "https"):
        raise _refused(words, "is no address of the Hub")
    if "//" in words and split.netloc not in known:
        raise _refused(words, f"is on {split.netloc or 'no host'}, and downloads come from the Hugging Face Hub alone")
    path = split.path if split.netloc in known else words.split("?")[0]
    return [unquote(one) for one in path.strip("/").split("/") if one]


def _revision_and_path(rest: list[str], words: str) -> tuple[str | None, str | None]:
    """Return revision and file of what follows the repository's name.

    Raises:
        InvalidRequest: it is another page of the Hub.
    """
    match rest:
        case []:
            return None, None
        case ["tree", revision]:
            return revision, None
        case ["blob" | "resolve" | "raw", revision, *path] if path:
            return revision, "/".join(path)
        case ["tree", _, *_]:
            raise _refused(words, "is a folder of a repository")
        case [*path] if path[-1].lower().endswith(WEIGHTS) and "//" not in words:
            return None, "/".join(path)
    raise _refused(words, "is no model and no file on the Hub")


def _refused(text: object, what: str) -> InvalidRequest:
    shown = str(text)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return InvalidRequest(f"{shown!r} {what}: {_REMEDY}", "address")
