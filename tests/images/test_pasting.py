"""What was drawn, back onto the picture."""

import numpy as np
from PIL import Image

from modules.images.masks import blurred
from modules.images.pasting import pasted, with_colours_of

WHOLE = Image.effect_noise((120, 80), 90).convert("RGB")
MASK = Image.new("L", WHOLE.size)
MASK.paste(255, (40, 25, 70, 55))


def test_outside_of_the_blurred_mask_every_pixel_is_as_it_was() -> None:
    soft = blurred(MASK, 4, 4)
    made = pasted(WHOLE, Image.new("RGB", (64, 64), "red"), soft, (20, 10, 80, 70))
    outside = np.asarray(soft) == 0
    assert outside.sum() > 1000 and (np.asarray(made)[outside] == np.asarray(WHOLE)[outside]).all()
    inside = np.asarray(soft) == 255
    assert inside.any() and (np.asarray(made)[inside] == (255, 0, 0)).all()


def test_a_region_comes_back_in_its_own_size_and_place() -> None:
    drawn = Image.new("RGB", (128, 64), "blue")
    drawn.paste("lime", (64, 0, 128, 64))
    made = pasted(WHOLE, drawn, Image.new("L", WHOLE.size, 255), (10, 20, 50, 40))
    assert made.getpixel((11, 21)) == (0, 0, 255) and made.getpixel((48, 38)) == (0, 255, 0)
    assert made.getpixel((9, 30)) == WHOLE.getpixel((9, 30))


def test_colours_become_those_of_another_picture_and_lightness_stays() -> None:
    noise = np.asarray(Image.effect_noise((64, 64), 20), np.float64)
    warm = Image.fromarray((noise[..., None] * [1, 0.8, 0.6]).astype(np.uint8))
    grey = Image.linear_gradient("L").resize((64, 64)).convert("RGB").point(lambda value: 60 + value // 3)
    made = with_colours_of(grey, warm)
    red, green, blue = np.asarray(made, np.float64).reshape(-1, 3).mean(axis=0)
    assert red > green > blue
    difference = np.asarray(made.convert("L"), np.float64) - np.asarray(grey.convert("L"), np.float64)
    assert abs(difference).mean() < 8
    same = np.asarray(with_colours_of(warm, warm), np.float64) - np.asarray(warm, np.float64)
    assert abs(same).max() <= 2
