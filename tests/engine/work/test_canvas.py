"""What is drawn of a picture that a job begins with, and how it gets back onto it."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from modules.engine.work.canvas import canvas_of, picture_of
from modules.errors import InvalidRequest
from modules.images.masks import blurred
from modules.jobs.kinds.starts import Input, Mask, Outpaint, Start

PICTURE = Image.effect_noise((120, 80), 90).convert("RGB")
BRUSHED = Image.new("RGB", PICTURE.size)
BRUSHED.paste("white", (60, 20, 90, 50))
RED = Image.new("RGB", (64, 64), "red")
PICTURES = {
    "picture": PICTURE,
    "mask": BRUSHED,
    "black": Image.new("RGB", PICTURE.size),
    "white": Image.new("RGB", PICTURE.size, "white"),
    "small mask": BRUSHED.resize((60, 40)),
    "glass": Image.new("RGBA", (8, 8), (0, 0, 0, 0)),
}


def given(name: str) -> Input:
    return Input(name=name, width=PICTURES[name].width, height=PICTURES[name].height)


def opened(one: Input) -> Image.Image:
    return PICTURES[one.name]


def canvas(size: tuple[int, int] = (120, 80), mask: dict[str, Any] | None = None, **more: Any) -> Any:
    told = None if mask is None else Mask(**{"picture": given("mask"), **mask})
    return canvas_of(Start(pictures=(given("picture"),), mask=told, **more), 0, size, 7, opened)


def same_where(one: Image.Image, other: Image.Image, where: Image.Image) -> bool:
    """Tell whether two pictures have the same bits where a mask is black."""
    return bool((np.asarray(one)[np.asarray(where) == 0] == np.asarray(other)[np.asarray(where) == 0]).all())


def test_without_a_mask_the_picture_is_resized_and_what_is_drawn_is_what_comes_out() -> None:
    one = canvas((64, 64), resize_mode="crop")
    assert one.drawn.size == (64, 64) and one.finished(RED) is RED
    assert canvas((64, 64), resize_mode="latent").drawn is PICTURE


@pytest.mark.parametrize("blur", [0, 4])
def test_outside_of_the_blurred_mask_the_whole_picture_is_as_it_was(blur: int) -> None:
    one = canvas(mask={"blur_x": blur, "blur_y": blur})
    made = one.finished(Image.new("RGB", (120, 80), "red"))
    soft = blurred(BRUSHED.convert("L"), blur, blur)
    assert same_where(made, PICTURE, soft)
    assert made.getpixel((75, 35)) == (255, 0, 0)


@pytest.mark.parametrize("blur", [0, 4])
def test_a_region_is_drawn_in_the_size_of_the_pass_and_put_back(blur: int) -> None:
    one = canvas((64, 64), {"blur_x": blur, "blur_y": blur, "padding": 8})
    assert one.drawn.size == one.mask.size == (64, 64)
    # The mask with what its blur reaches, eight pixels around it, and a square of that.
    reach = int(2.5 * blur + 0.5)
    left, top, right, bottom = one.box
    assert (left, right) == (52 - reach, 98 + reach) and bottom - top == right - left and top == max(12 - reach, 0)
    made = one.finished(RED)
    assert made.size == PICTURE.size
    assert same_where(made, PICTURE, blurred(BRUSHED.convert("L"), blur, blur))
    assert made.getpixel((75, 35)) == (255, 0, 0)


def test_a_mask_of_another_size_lies_on_the_whole_picture() -> None:
    one, own = canvas(mask={"picture": given("small mask"), "blur_x": 0, "blur_y": 0}), canvas(mask={})
    assert one.mask.size == own.mask.size
    left, top, right, bottom = one.mask.getbbox()
    assert abs(left - 60) <= 2 and abs(top - 20) <= 2 and abs(right - 90) <= 2 and abs(bottom - 50) <= 2


def test_a_mask_that_covers_nothing_is_told_and_one_that_covers_all_has_all_drawn() -> None:
    for padding in (None, 32):
        with pytest.raises(InvalidRequest, match="The mask covers nothing"):
            canvas(mask={"picture": given("black"), "padding": padding})
        with pytest.raises(InvalidRequest, match="The mask covers nothing"):
            canvas(mask={"picture": given("white"), "inverted": True, "padding": padding})
        one = canvas((64, 64), {"picture": given("white"), "padding": padding}, resize_mode="stretch")
        assert set(np.unique(np.asarray(one.mask))) == {255}
    assert same_where(
        canvas(mask={"inverted": True}).finished(Image.new("RGB", (120, 80), "red")),
        PICTURE,
        blurred(Image.eval(BRUSHED.convert("L"), lambda value: 255 - value), 4, 4),
    )


def test_a_picture_whose_latents_are_made_to_fit_is_so_under_a_mask_too() -> None:
    one = canvas((64, 64), {"content": "fill"}, resize_mode="latent")
    assert one.drawn.size == PICTURE.size and one.mask.size == one.finished(RED).size == (64, 64)
    assert same_where(one.drawn, PICTURE, blurred(BRUSHED.convert("L"), 4, 4))
    assert canvas((64, 64), {"padding": 8}, resize_mode="latent").drawn.size == (64, 64), "a region is cut out of it"


def test_what_is_masked_is_filled_where_it_is_not_to_be_seen() -> None:
    kept, gone = canvas(mask={"content": "original"}), canvas(mask={"content": "fill"})
    assert kept.drawn is PICTURE
    inside = (70, 30, 80, 40)
    assert gone.drawn.crop(inside).tobytes() != PICTURE.crop(inside).tobytes()
    assert np.asarray(gone.drawn.crop(inside)).std() < np.asarray(PICTURE.crop(inside)).std() / 4
    assert gone.finished(gone.drawn).crop((0, 0, 40, 80)).tobytes() == PICTURE.crop((0, 0, 40, 80)).tobytes()


def test_a_picture_grows_and_keeps_what_it_was() -> None:
    one = canvas((160, 80), outpaint=Outpaint(left=40, blend=8))
    drawn = Image.new("RGB", (160, 80), "red")
    made = one.finished(drawn)
    assert made.size == (160, 80)
    assert made.crop((48, 0, 160, 80)).tobytes() == PICTURE.crop((8, 0, 120, 80)).tobytes()
    assert made.crop((0, 0, 40, 80)).tobytes() == drawn.crop((0, 0, 40, 80)).tobytes()
    # Of what fades out all is drawn anew, so that there is something to fade.
    assert set(np.unique(np.asarray(one.mask)[:, :48])) == {255} and not np.asarray(one.mask)[:, 48:].any()
    # With a mask of its own too, of the picture as it was.
    both = canvas((160, 80), {"blur_x": 0, "blur_y": 0}, outpaint=Outpaint(left=40, blend=0)).finished(drawn)
    assert both.getpixel((40 + 75, 35)) == (255, 0, 0) and both.getpixel((39, 0)) == (255, 0, 0)
    assert both.getpixel((41, 0)) == PICTURE.getpixel((1, 0))


def test_only_the_new_side_is_drawn_where_a_region_is() -> None:
    one = canvas((64, 64), {"picture": given("black"), "padding": 0}, outpaint=Outpaint(right=40, blend=8))
    assert one.box == (112, 0, 160, 80) or one.box[2] == 160
    made = one.finished(RED)
    assert made.size == (160, 80) and made.crop((0, 0, 100, 80)).tobytes() == PICTURE.crop((0, 0, 100, 80)).tobytes()


def test_a_finished_picture_gets_the_colours_of_the_one_it_began_with() -> None:
    tinted = np.asarray(canvas(color_correction=True).finished(Image.new("RGB", (120, 80), (200, 90, 90))), np.float64)
    red, _green, blue = tinted.reshape(-1, 3).mean(axis=0)
    assert abs(red - blue) < 20  # grey noise, as it began


def test_pictures_lie_on_their_background() -> None:
    start = Start(pictures=(given("picture"), given("glass")), background="#00ff00")
    assert picture_of(start, 3, opened).getpixel((0, 0)) == (0, 255, 0)
    assert picture_of(start, 2, opened) is PICTURE
