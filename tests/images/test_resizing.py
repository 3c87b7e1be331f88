"""Pictures in another size, as A1111's resize modes have it."""

import pytest
from PIL import Image

from modules.images.resizing import Mode, extended, flattened, resized, widened

HALVES = Image.new("RGB", (40, 20), "red")
HALVES.paste("blue", (20, 0, 40, 20))


def test_a_picture_of_the_size_is_not_touched() -> None:
    assert all(resized(HALVES, (40, 20), mode) is HALVES for mode in ("stretch", "crop", "fill"))


@pytest.mark.parametrize("mode", ["stretch", "crop", "fill"])
@pytest.mark.parametrize("size", [(8, 64), (64, 8), (40, 21), (1, 1), (13, 7)])
def test_it_has_the_size_that_was_asked_for(mode: Mode, size: tuple[int, int]) -> None:
    made = resized(HALVES, size, mode)
    assert made.size == size
    assert made.crop((0, 0, 1, 1)).getbbox() and made.crop((size[0] - 1, size[1] - 1, *size)).getbbox()  # no black bars


def test_cropped_it_covers_the_size_and_its_sides_are_cut_off() -> None:
    made = resized(HALVES, (20, 20), "crop")
    assert made.getpixel((2, 10)) == (255, 0, 0) and made.getpixel((17, 10)) == (0, 0, 255)
    assert made.tobytes() == HALVES.crop((10, 0, 30, 20)).tobytes()


def test_filled_it_is_whole_and_its_edges_are_drawn_out() -> None:
    made = resized(HALVES, (40, 40), "fill")
    assert made.crop((0, 10, 40, 30)).tobytes() == HALVES.tobytes()
    for y in (0, 39):
        assert made.getpixel((0, y)) == (255, 0, 0) and made.getpixel((39, y)) == (0, 0, 255)


def test_more_on_each_side_has_the_colours_of_the_edges_and_of_the_corners() -> None:
    made = extended(HALVES, 3, 2, 5, 1)
    assert made.size == (48, 23)
    assert made.crop((3, 2, 43, 22)).tobytes() == HALVES.tobytes()
    assert made.getpixel((0, 0)) == (255, 0, 0) and made.getpixel((47, 22)) == (0, 0, 255)
    # What decoding cuts off: the same on both sides, or one more below and to the right.
    assert widened(HALVES, (43, 20)).crop((1, 0, 41, 20)).tobytes() == HALVES.tobytes()


def test_what_is_transparent_lies_on_the_background() -> None:
    glass = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    glass.putpixel((1, 0), (255, 0, 0, 128))
    flat = flattened(glass, "#0000ff")
    assert flat.mode == "RGB"
    assert flat.getpixel((0, 0)) == (0, 0, 255) and flat.getpixel((1, 0)) == (128, 0, 127)
    assert flattened(HALVES, "#0000ff") is HALVES
    assert flattened(Image.new("L", (1, 1), 7), "#0000ff").getpixel((0, 0)) == (7, 7, 7)
