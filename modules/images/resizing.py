"""A picture in another size: as A1111's resize modes have it, on a background, with more at its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PIL import Image

Size = tuple[int, int]
Mode = Literal["stretch", "crop", "fill"]
# Return a picture stretched to a size.
Stretch = Callable[[Image.Image, Size], Image.Image]


def plainly(picture: Image.Image, size: Size) -> Image.Image:
    """Return a picture stretched to a size, (width, height), by Lanczos."""
    return picture.resize(size, Image.Resampling.LANCZOS)


def flattened(picture: Image.Image, background: str) -> Image.Image:
    """Return a picture without transparency, RGB: on a colour such as "#ffffff"."""
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    whole = picture.convert("RGBA")
    flat = Image.new("RGBA", whole.size, background)
    flat.alpha_composite(whole)
    return flat.convert("RGB")


def resized(picture: Image.Image, size: Size, mode: Mode = "stretch", stretch: Stretch = plainly) -> Image.Image:
    """Return a picture in a size, (width, height), made by `stretch`; one that has it is returned as it is.

    "stretch" has no care for the ratio of its sides; "crop" covers the size and cuts off what is too much; "fill" fits
    into it, and draws the colours of the edges out to the sides.
    """
    if picture.size == size:
        return picture
    if mode == "stretch":
        return stretch(picture, size)
    if mode == "crop":
        return middle(stretch(picture, covering(picture.size, size)), size)
    return widened(stretch(picture, _scaled(picture.size, size, covers=False)), size)


def widened(picture: Image.Image, size: Size) -> Image.Image:
    """Return a picture in the middle of one that is larger, into which the colours of its edges are drawn out."""
    if picture.size == size:
        return picture
    (width, height), (wide, high) = picture.size, size
    left, top = (wide - width) // 2, (high - height) // 2
    return extended(picture, left, top, wide - width - left, high - height - top)


def extended(picture: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """Return a picture with so many pixels more on each side, of the colours of its edges."""
    width, height = picture.size
    whole = Image.new(picture.mode, (width + left + right, height + top + bottom))
    whole.paste(picture, (left, top))
    _draw_out(whole, (left, top, left + 1, top + height), (0, top, left, top + height))
    _draw_out(
        whole, (left + width - 1, top, left + width, top + height), (left + width, top, whole.width, top + height)
    )
    _draw_out(whole, (0, top, whole.width, top + 1), (0, 0, whole.width, top))
    _draw_out(whole, (0, top + height - 1, whole.width, top + height), (0, top + height, whole.width, whole.height))
    return whole


def _draw_out(whole: Image.Image, edge: tuple[int, int, int, int], to: tuple[int, int, int, int]) -> None:
    """Fill a rectangle, (left, top, right, bottom), with the line of pixels beside it."""
    left, top, right, bottom = to
    if right > left and bottom > top:
        line = whole.crop(edge).resize((right - left, bottom - top), Image.Resampling.NEAREST)
        whole.paste(line, (left, top))


def covering(size: Size, wanted: Size) -> Size:
    """Return the smallest size with the ratio of its sides that covers another one, as A1111 rounds it."""
    return _scaled(size, wanted, covers=True)


def _scaled(size: Size, wanted: Size, covers: bool) -> Size:
    """Return a size with the ratio of its sides, so that it covers another one, or fits into it."""
    (width, height), (wide, high) = size, wanted
    if (wide * height > high * width) == covers:
        return wide, max(1, height * wide // width)
    return max(1, width * high // height), high


def middle(picture: Image.Image, size: Size) -> Image.Image:
    """Return the middle of a picture, of a size that it covers."""
    left, top = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
    return picture.crop((left, top, left + size[0], top + size[1]))
