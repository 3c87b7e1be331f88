"""Base64 of a picture, as A1111's clients send it."""

from __future__ import annotations

import binascii
import io

from modules.errors import InvalidRequest

# Python's decoder lets nobody else compute meanwhile: some milliseconds a piece.
_CHARACTERS_OF_A_PIECE = 1 << 20
_GROUP = 4  # characters that stand for three bytes
_LONGEST_PREFIX = 200
_BASE64 = ";base64"


def decode_base64(text: str, field: str) -> bytes:
    """Return the bytes that `text` stands for, with or without `data:…;base64,` before it; white space is passed over.

    Raises:
        InvalidRequest: it is something else.
    """
    begin = 0
    if text.startswith("data:"):
        begin = text.find(",", 0, _LONGEST_PREFIX) + 1
        if not begin or not text[: begin - 1].endswith(_BASE64):
            raise InvalidRequest(f"{field} is a data: address without base64: send data:image/png;base64,…", field)
    decoded, left = io.BytesIO(), ""
    try:
        for start in range(begin, len(text), _CHARACTERS_OF_A_PIECE):
            piece = left + "".join(text[start : start + _CHARACTERS_OF_A_PIECE].split())
            whole = len(piece) - len(piece) % _GROUP
            left = piece[whole:]
            _check_end(piece[:whole], last=start + _CHARACTERS_OF_A_PIECE >= len(text))
            decoded.write(binascii.a2b_base64(piece[:whole], strict_mode=True))
        if left:
            raise ValueError("Incorrect padding")
    except ValueError as error:  # also for text that is no ASCII
        raise InvalidRequest(f"{field} is no base64 ({error}): send the picture's file as base64.", field) from error
    return decoded.getvalue()


def _check_end(piece: str, last: bool) -> None:
    if piece.endswith("=") and not last:
        raise ValueError("Excess data after padding")
