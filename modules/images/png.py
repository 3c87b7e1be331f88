"""PNG files with A1111's `parameters` and, loss-free, the resolved picture as JSON under `steady`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from modules.images.picture_texts import PARAMETERS_KEY

STEADY_KEY = "steady"
EXTRAS_KEY = "extras"
_POSTPROCESSING_KEY = "postprocessing"
# Level 4 is twice as fast as Pillow's own 6 and a few per cent larger.
_COMPRESSION_LEVEL = 4


def encode_png(
    image: Image.Image, infotext: str, resolved: Mapping[str, Any], partial: tuple[int, int] | None = None
) -> bytes:
    """Return the PNG. The bytes follow from the arguments alone: no time, no id.

    `resolved` is what decides this one picture (a kind's `picture`); `partial` is (steps done, steps) of one
    that was stopped.
    """
    whole = dict(resolved) if partial is None else dict(resolved) | {"partial": list(partial)}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(PARAMETERS_KEY, infotext)
    chunks.add_text(STEADY_KEY, json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=chunks, compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()


def encode_plain_png(image: Image.Image) -> bytes:
    """Return the PNG of a picture that says nothing of how it was made."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()


def encode_extras_png(image: Image.Image, infotext: str, extras: str, resolved: Mapping[str, Any]) -> bytes:
    """Return the PNG of a picture that was worked on: with the infotext that it had, and what was done, as A1111."""
    chunks = PngImagePlugin.PngInfo()
    if infotext:
        chunks.add_text(PARAMETERS_KEY, infotext)
    for key in (EXTRAS_KEY, _POSTPROCESSING_KEY):
        chunks.add_text(key, extras)
    chunks.add_text(STEADY_KEY, json.dumps(dict(resolved), ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=chunks, compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()
