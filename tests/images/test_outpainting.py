"""Pictures that grow."""

from typing import get_args

import numpy as np
import pytest
from PIL import Image

from modules.images.outpainting import grown, grown_mask, mask_of_sides
from modules.jobs.kinds.starts import Outpaint, OutpaintFill

PICTURE = Image.merge("RGB", [Image.linear_gradient("L").resize((32, 24))] * 3)
SIDES = Outpaint(left=40, right=8, top=0, bottom=5, blend=4)


@pytest.mark.parametrize("fill", get_args(OutpaintFill))
def test_the_picture_stays_as_it_is_and_something_stands_beside_it(fill: OutpaintFill) -> None:
    sides = SIDES.model_copy(update={"fill": fill})
    made = grown(PICTURE, sides, seed=3)
    assert made.size == (80, 29)
    assert made.crop((40, 0, 72, 24)).tobytes() == PICTURE.tobytes()
    assert made.tobytes() == grown(PICTURE, sides, seed=3).tobytes()
    assert np.asarray(made)[:20, :40].std() > 10  # no plain colour: it goes on from the picture
    assert (made.tobytes() != grown(PICTURE, sides, seed=4).tobytes()) == (fill == "noise")


def test_a_mirrored_side_is_the_picture_turned_round_and_blurred_far_out() -> None:
    picture = Image.effect_noise((64, 64), 80).convert("RGB")
    made = np.asarray(grown(picture, Outpaint(right=64, fill="mirror"), seed=0), np.float64)
    turned = np.asarray(picture, np.float64)[:, ::-1]
    assert np.abs(made[:, 64] - turned[:, 0]).mean() < 40
    assert made[:, 120:].std() < made[:, 64:72].std() / 2


def test_new_sides_are_drawn_and_fade_into_the_picture() -> None:
    mask = np.asarray(mask_of_sides(PICTURE.size, SIDES))
    assert mask.shape == (29, 80)
    assert (mask[:, :40] == 255).all() and (mask[:, 72:] == 255).all() and (mask[24:] == 255).all()
    assert mask[10, 40:46].tolist() == [204, 153, 102, 51, 0, 0]
    assert mask[10, 66:72].tolist() == [0, 0, 51, 102, 153, 204]
    assert (mask[0, 46:66] == 0).all()  # no new side above
    assert not mask_of_sides((8, 8), Outpaint()).getbbox()
    assert (np.asarray(mask_of_sides((8, 8), Outpaint(top=2, blend=0)))[:, 0] == [255] * 2 + [0] * 8).all()


def test_a_mask_of_the_picture_lies_where_the_picture_does() -> None:
    mask = grown_mask(Image.new("L", PICTURE.size, 255), SIDES)
    assert mask.getbbox() == (40, 0, 72, 24)
