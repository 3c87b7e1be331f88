"""Whatever people send becomes a picture of ours, or is refused with the remedy before it takes any memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags, Image

from modules.errors import InvalidRequest
from modules.jobs.inputs.decoding import LONGEST_SIDE, read_picture, write_png

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_colours() -> Image.Image:
    """A picture that looks otherwise whichever way it is turned: 3 wide, 2 high, its first pixel red."""
    image = Image.new("RGB", (3, 2), BLUE)
    image.putpixel((0, 0), RED)
    return image


def header_of_png(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, with hardly any pixels behind it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000)))


def sixteen_bits() -> bytes:
    image = Image.new("I;16", (2, 1))
    image.putpixel((0, 0), 65_535)
    image.putpixel((1, 0), 32_896)
    return file_of(image)


def floating() -> bytes:
    image = Image.new("F", (2, 1), 1.0)
    image.putpixel((1, 0), 0.5)
    return file_of(image, "TIFF")


def palette(transparent: bool) -> bytes:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putpixel((1, 0), 1)
    return file_of(image, transparency=1) if transparent else file_of(image)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    return file_of(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )


@pytest.mark.parametrize(
    ("data", "mode", "pixels"),
    [
        (file_of(Image.new("RGB", (1, 1), RED)), "RGB", [RED]),
        (sixteen_bits(), "RGB", [(255, 255, 255), (128, 128, 128)]),
        (floating(), "RGB", [(255, 255, 255), (127, 127, 127)]),
        (file_of(Image.new("I", (1, 1), 200), "TIFF"), "RGB", [(200, 200, 200)]),
        (file_of(Image.new("1", (1, 1), 1)), "RGB", [(255, 255, 255)]),
        (file_of(Image.new("LA", (1, 1), (90, 40))), "RGBA", [(90, 90, 90, 40)]),
        (file_of(Image.new("RGBA", (1, 1), (*RED, 255))), "RGB", [RED]),
        (file_of(Image.new("RGBA", (1, 1), (*RED, 254))), "RGBA", [(*RED, 254)]),
        (file_of(Image.new("RGB", (1, 1), RED), transparency=RED), "RGBA", [(*RED, 0)]),
        (palette(transparent=False), "RGB", [RED, GREEN]),
        (palette(transparent=True), "RGBA", [(*RED, 255), (*GREEN, 0)]),
        (file_of(Image.new("CMYK", (1, 1), (0, 0, 0, 0)), "JPEG"), "RGB", [(255, 255, 255)]),
        (file_of(Image.new("CMYK", (1, 1), (0, 0, 0, 255)), "TIFF"), "RGB", [(0, 0, 0)]),
        (file_of(Image.new("RGB", (1, 1), GREEN), "BMP"), "RGB", [GREEN]),
    ],
)  # fmt: skip
def test_every_kind_of_colours_becomes_ours(data: bytes, mode: str, pixels: list[object]) -> None:
    picture = read_picture(data, "image")
    assert picture.mode == mode
    assert [picture.getpixel((x, 0)) for x in range(picture.width)] == pixels
    assert not picture.info


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    picture = read_picture(animated(kind), "image")
    assert picture.size == (8, 8)
    red, green, blue = picture.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(("orientation", "first"), [(1, (0, 0)), (3, (2, 1)), (6, (1, 0)), (8, (0, 2))])
def test_a_turned_picture_stands_upright(kind: str, orientation: int, first: tuple[int, int]) -> None:
    large = two_colours().resize((96, 64), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = read_picture(file_of(large, kind, exif=exif), "image")
    assert picture.size == ((96, 64) if orientation < 5 else (64, 96))
    red, _, blue = picture.getpixel((first[0] * 32 + 16, first[1] * 32 + 16))  # type: ignore[misc]
    assert red > 200 and blue < 80


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0", b"Exif\0\0MM\0*", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20), b"Exif\0\0" + b"\xff" * 40, b"\0"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of it, and goes on
def test_a_broken_exif_block_turns_nothing(exif: bytes) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert read_picture(file_of(two_colours(), kind, exif=exif), "image").size == (3, 2)


def truncated(kind: str) -> bytes:
    whole = file_of(Image.effect_noise((64, 64), 90).convert("RGB"), kind)
    return whole[: len(whole) // 2]


REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "is empty"),
    ("a text", b"This is a text, and its name ends in .png", "no picture that can be read: send a PNG, JPEG"),
    ("an SVG", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
    ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "PostScript"),
    ("a PDF", b"%PDF-1.7\n", "PDF"),
    ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    ("half a PNG", truncated("PNG"), "damaged or not whole"),
    ("half a JPEG", truncated("JPEG"), "damaged or not whole"),
    ("half a WebP", truncated("WEBP"), "send"),
    ("a header", header_of_png(64, 64)[:40], "send"),
    ("too long", file_of(Image.new("1", (LONGEST_SIDE + 1, 1))), "16385 x 1 pixels, and at most 16,384 a side"),
    ("too many pixels", header_of_png(9000, 9000), "9000 x 9000 pixels, and at most .* 67 megapixels"),
    ("more than Pillow warns of", header_of_png(10_000, 10_000), "67 megapixels"),
    ("a bomb", header_of_png(2**31 - 1, 2**31 - 1), "67 megapixels and more: make it smaller"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_none_is_refused_with_its_field_and_the_remedy(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        read_picture(data, "mask")
    assert refused.value.field == "mask"
    assert ": " in str(refused.value)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of it, and goes on
def test_every_part_of_a_file_is_a_picture_or_refused_and_nothing_else() -> None:
    """Broken in the middle, at the start, anywhere: one and the same error."""
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "TIFF"):
        whole = file_of(Image.effect_noise((32, 32), 90).convert("RGB"), kind)
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            for broken in (whole[:place], whole[:place] + b"\xff" * 4 + whole[place + 4 :]):
                try:
                    assert read_picture(broken, "image").width > 0
                except InvalidRequest as error:
                    assert error.field == "image"


def test_a_size_is_refused_before_a_pixel_is_decoded() -> None:
    refused: list[Callable[[], bytes]] = [
        lambda: header_of_png(8193, 8192),
        lambda: file_of(Image.new("1", (16_385, 2)), "TIFF", compression="group4"),
    ]
    for make in refused:
        data = make()
        tracemalloc.start()
        told: list[int] = []
        with pytest.raises(InvalidRequest):
            read_picture(data, "image", told.append)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert not told
        assert peak < 5_000_000


def test_the_same_pixels_are_the_same_bytes_whatever_their_file_says() -> None:
    image = two_colours()
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "a camera"
    plain = write_png(read_picture(file_of(image), "image"))
    assert write_png(read_picture(file_of(image, exif=exif, dpi=(72, 72)), "image")) == plain
    assert write_png(read_picture(file_of(image, "BMP"), "image")) == plain
    assert write_png(read_picture(plain, "image")) == plain
    assert b"camera" not in plain
