"""Tell what a file is that is called a model and is none, by its first bytes."""

from __future__ import annotations

BEGINNING_BYTES = 512
_ZIP = b"PK\x03\x04"
_TAR_MAGIC = slice(257, 262)
_FETCH_AGAIN = "fetch it again"


class UnreadableFile(ValueError):  # noqa: N818  (it says what is wrong with a file, and is caught as such)
    """A file that cannot be read as what it is called. Its text goes on after the file's name; `remedy` after that."""

    def __init__(self, reason: str, remedy: str = _FETCH_AGAIN) -> None:
        super().__init__(reason)
        self.remedy = remedy


def say(error: ValueError) -> str:
    """Return what is wrong with a file and the remedy, to go on after its name."""
    return f"{error}: {getattr(error, 'remedy', _FETCH_AGAIN)}"


def name_foreign_bytes(beginning: bytes, size: int) -> UnreadableFile | None:
    """Return what a file is whose bytes begin so, None: nothing that is known here."""
    text = beginning.lstrip(b"\xef\xbb\xbf \r\n\t")[:64].lower()
    if size == 0:
        return UnreadableFile("is empty")
    if is_pickle(beginning):
        reason = "is a pickle, which can run code, so it is not read"
        return UnreadableFile(reason, "use a safetensors of the same model")
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return UnreadableFile("is a web page, which a site sent in its place", "log in there, and fetch it again")
    if text.startswith(b"version https://git-lfs"):
        return UnreadableFile("is what Git LFS has in place of the model", "fetch it with git lfs pull")
    if beginning and not beginning.strip(b"\0"):
        return UnreadableFile("holds zeros alone, as a download does that did not end")
    return None


def is_pickle(beginning: bytes) -> bool:
    """Tell whether a file that begins so is one, bare or in the zip and tar files that PyTorch writes and wrote."""
    if beginning.startswith(_ZIP) or beginning[_TAR_MAGIC] == b"ustar":
        return True
    return beginning[:1] == b"\x80" and beginning[1:2] in (b"\x01", b"\x02", b"\x03", b"\x04", b"\x05")
