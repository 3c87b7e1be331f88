"""From whatever people send to a picture of ours: RGB or RGBA, upright, its first frame, of a size that fits memory."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable

from PIL import ExifTags, Image, PngImagePlugin

from modules.errors import InvalidRequest
from modules.images.picture_texts import PARAMETERS_KEY

# 8192 by 8192: four bytes each while it is decoded, and as much again while its colours are converted.
MOST_PIXELS = 8192 * 8192
LONGEST_SIDE = 16_384
# What Pillow may decode with. Left to itself it tries all that it knows, and hands PostScript to Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "TIFF")
_READABLE = "send a PNG, JPEG, WebP, GIF, BMP, AVIF or TIFF file"
# All that Pillow's decoders raise at bytes that make no sense; a damaged EXIF block can raise any of them too.
_UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
    RuntimeError, ZeroDivisionError, struct.error,
)  # fmt: skip
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_PLACE_OF_BRAND = slice(8, 12)
_BYTES_OF_AN_SVG = 1024
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BITS = tuple(round(value / 257) for value in range(65_536))
_HIGHEST_OF_A_BYTE = 255


def read_picture(
    data: bytes | bytearray, field: str | None, large: Callable[[int], object] = lambda pixels: None
) -> Image.Image:
    """Return the first frame of a picture's file, upright, as RGB, or as RGBA if any of it is transparent.

    Its size is read from its header and checked before a pixel is decoded; `large` is told how many there are.

    Raises:
        InvalidRequest: it is no picture, a damaged one, or one that is too large; it names `field` and the remedy.
    """
    if not data:
        raise InvalidRequest(f"The picture is empty: {_READABLE}.", field)
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=_formats())
    except _BOMBS as error:
        raise InvalidRequest(f"The picture has {_most()} and more: make it smaller.", field) from error
    except _UNREADABLE as error:
        raise InvalidRequest(f"{_what_it_is(data)}: {_READABLE}.", field) from error
    check_size(image.width, image.height, field)
    large(image.width * image.height)
    try:
        image.load()
        turn = _turn_of(image)
        # Each picture takes the place of the one that it is made of: no more than two are in memory.
        image = _in_our_mode(image)
        image = image if turn is None else image.transpose(turn)
    except _BOMBS as error:
        raise InvalidRequest(f"The picture has {_most()} and more: make it smaller.", field) from error
    except _UNREADABLE as error:
        message = f"The picture is damaged or not whole ({error}): send it again, or save it anew as PNG."
        raise InvalidRequest(message, field) from error
    image.info = {}  # what else a file may say is nobody's business
    return image


def check_size(width: int, height: int, field: str | None) -> None:
    """Check that a picture of this size may be worked on.

    Raises:
        InvalidRequest: it is too large.
    """
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise InvalidRequest(
            f"The picture has {width} x {height} pixels, and at most {LONGEST_SIDE:,} a side and {_most()} "
            "are taken: make it smaller.",
            field,
        )


def write_png(image: Image.Image, infotext: str = "") -> bytes:
    """Return the picture as PNG, with the infotext that tells how it was made. Nothing else decides the bytes."""
    chunks = PngImagePlugin.PngInfo()
    if infotext:
        chunks.add_text(PARAMETERS_KEY, infotext)
    buffer = io.BytesIO()
    # Lightly: it is read again by this machine, soon and a few times.
    image.save(buffer, "PNG", pnginfo=chunks, compress_level=1)
    return buffer.getvalue()


def _most() -> str:
    return f"{MOST_PIXELS / 1e6:.0f} megapixels"


@functools.cache
def _formats() -> tuple[str, ...]:
    """Return those of the formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _what_it_is(data: bytes | bytearray) -> str:
    """Return in words what was sent in place of a picture, where people often do."""
    if data[4:8] == b"ftyp" and data[_PLACE_OF_BRAND] in _HEIF_BRANDS:
        return "The picture is an HEIC file, which cannot be read"
    if data.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6", b"%PDF")):
        return "The file is a page of PostScript or PDF and no picture"
    if b"<svg" in data[:_BYTES_OF_AN_SVG].lower():
        return "The file is an SVG, a drawing without pixels"
    return "The file is no picture that can be read"


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return how a loaded picture has to be turned to stand upright; None: not at all, or its EXIF makes no sense."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _UNREADABLE:
        return None


def _in_our_mode(image: Image.Image) -> Image.Image:
    """Return the picture in 8 bits a channel, as RGB or RGBA."""
    if image.mode.startswith("I"):
        image = _of_whole_numbers(image)
    elif image.mode == "F":
        # Of numbers up to 1, or up to 255: there is no rule, and these two are what people have.
        highest = image.getextrema()[1]
        image = image.point(lambda value: value * (_HIGHEST_OF_A_BYTE if _number(highest) <= 1 else 1) + 0, "F")
        image = image.convert("L")
    if image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "RGB" and image.has_transparency_data:
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (_HIGHEST_OF_A_BYTE, _HIGHEST_OF_A_BYTE):
        image = image.convert("RGB")
    return image


def _of_whole_numbers(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits in 8; Pillow's own conversion would make all of it white."""
    wide = image if image.mode == "I" else image.convert("I")
    if _number(wide.getextrema()[1]) <= _HIGHEST_OF_A_BYTE and image.mode == "I":
        return wide.convert("L")
    return wide.point(_SIXTEEN_BITS, "L")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
