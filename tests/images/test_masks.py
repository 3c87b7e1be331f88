"""Masks, as A1111 has them."""

import numpy as np
import pytest
from PIL import Image

from modules.images.masks import blurred, drawn_mask, filled, latent_mask, region_of


def square(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


MASK = square((200, 100), (60, 40, 80, 60))


def test_a_mask_is_told_by_grey_or_by_what_is_opaque() -> None:
    grey = Image.new("RGB", (2, 1), (100, 100, 100))
    grey.putpixel((1, 0), (200, 200, 200))
    assert drawn_mask(grey).tobytes() == b"\x00\xff"
    assert drawn_mask(grey, inverted=True).tobytes() == b"\xff\x00"
    assert drawn_mask(grey, rounded=False).tobytes() == bytes([100, 200])
    glass = grey.convert("RGBA")
    assert drawn_mask(glass).tobytes() == b"\x00\xff"
    glass.putpixel((0, 0), (0, 0, 0, 130))
    glass.putpixel((1, 0), (255, 255, 255, 0))
    assert drawn_mask(glass).tobytes() == b"\xff\x00"


def test_the_blur_is_a_gauss_that_reaches_no_farther_than_it_should() -> None:
    soft = np.asarray(blurred(MASK, 4, 4))
    # int(2.5 * 4 + 0.5): 10 pixels.
    assert soft[50, 50] > 0 and soft[50, 49] == 0 and soft[30, 70] > 0 and soft[29, 70] == 0
    assert soft[50, 60] + soft[50, 59] == pytest.approx(255, abs=2)
    assert soft[50, 70] == pytest.approx(255, abs=4)
    # By the formula, in one direction.
    line = np.asarray(blurred(square((41, 1), (20, 0, 21, 1)), 2.0, 0))[0]
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 2.0) ** 2)
    assert line[15:26].tolist() == np.rint(255 * weights / weights.sum()).tolist()
    assert blurred(MASK, 0, 0).tobytes() == MASK.tobytes()
    assert np.asarray(blurred(MASK, 0, 3))[50, 59] == 0


def test_a_small_mask_is_blurred_as_if_all_of_it_were_looked_at() -> None:
    corner = Image.new("L", MASK.size, 1)  # Nothing is black: so all is looked at.
    corner.paste(255, (60, 40, 80, 60))
    corner.paste(255, (0, 90, 20, 100))
    spots = square(MASK.size, (60, 40, 80, 60))
    spots.paste(255, (0, 90, 20, 100))
    difference = np.asarray(blurred(corner, 5, 3), int) - np.asarray(blurred(spots, 5, 3), int)
    assert difference.min() >= 0 and difference.max() <= 2


def test_a_blur_wider_than_the_mask_goes_on_mirrored() -> None:
    assert set(blurred(Image.new("L", (5, 3), 255), 40, 40).tobytes()) == {255}
    assert blurred(Image.new("L", (1, 1), 255), 4, 4).tobytes() == b"\xff"


@pytest.mark.parametrize(
    ("mask", "padding", "drawn", "region"),
    [
        (MASK, 0, (64, 64), (60, 40, 80, 60)),
        (MASK, 10, (64, 64), (50, 30, 90, 70)),
        # Wider, to the ratio of what is drawn; moved into the picture; and no larger than that.
        (MASK, 0, (128, 64), (50, 40, 90, 60)),
        (square((200, 100), (0, 40, 20, 60)), 0, (128, 64), (0, 40, 40, 60)),
        (square((200, 100), (180, 80, 200, 100)), 4, (64, 128), (176, 52, 200, 100)),
        (square((200, 100), (0, 0, 150, 90)), 0, (64, 64), (0, 0, 150, 100)),
        (Image.new("L", (200, 100), 255), 32, (64, 64), (0, 0, 200, 100)),
    ],
)
def test_the_region_that_is_drawn_covers_the_mask_in_the_ratio_of_what_is_drawn(
    mask: Image.Image, padding: int, drawn: tuple[int, int], region: tuple[int, int, int, int]
) -> None:
    assert region_of(mask, padding, drawn) == region


def test_an_empty_mask_has_no_region() -> None:
    assert region_of(Image.new("L", (20, 10)), 32, (64, 64)) is None


def test_latents_are_drawn_anew_or_kept_or_something_between() -> None:
    mask = square((64, 64), (0, 0, 30, 64))
    hard, soft = latent_mask(mask, (8, 8), rounded=True), latent_mask(mask, (8, 8), rounded=False)
    assert hard.shape == (8, 8) and set(np.unique(hard)) == {0.0, 1.0}
    assert hard[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert 0 < soft[0, 3] < 1 and soft[0, 6] == 0
    # What is smaller than half a latent is drawn too, and nothing where nothing is masked.
    assert latent_mask(square((64, 64), (22, 22, 26, 26)), (4, 4), rounded=True).tolist()[1] == [0, 1, 0, 0]
    assert not latent_mask(Image.new("L", (64, 64)), (4, 4), rounded=True).any()


def test_what_is_masked_is_filled_with_the_colours_beside_it() -> None:
    picture = Image.new("RGB", (96, 96), "red")
    picture.paste("blue", (48, 0, 96, 96))
    picture.paste("lime", (30, 30, 66, 66))
    made = filled(picture, square((96, 96), (30, 30, 66, 66)))
    kept, red, blue = (made.getpixel(place) for place in ((2, 2), (34, 48), (62, 48)))
    assert kept == (255, 0, 0)
    assert all(isinstance(colour, tuple) and colour[1] < 8 for colour in (red, blue))  # nothing of what was there
    assert isinstance(red, tuple) and isinstance(blue, tuple) and red[0] > red[2] and blue[2] > blue[0]
    assert filled(picture, Image.new("L", (96, 96), 255)).size == (96, 96)
