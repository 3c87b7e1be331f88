"""Soft inpainting's last part: what differs from the picture shows."""

from typing import Any

import numpy as np

from modules.images.soft_compositing import _percentiles, mask_by_difference
from modules.jobs.kinds.starts import SoftMask

# A1111's own values.
SOFT = SoftMask(
    schedule_bias=1, preservation_strength=0.5, transition_contrast=4, mask_influence=0, difference_threshold=0.5,
    difference_contrast=2,
)  # fmt: skip


def shown(difference: Any, mask: Any = 1.0, **more: float) -> np.ndarray:
    values = np.full((8, 8), difference) if np.isscalar(difference) else difference
    masks = np.full((8, 8), mask) if np.isscalar(mask) else mask
    made = mask_by_difference(values.astype(float), masks.astype(float), SOFT.model_copy(update=more), (64, 64))
    return np.asarray(made)


def test_what_is_alike_is_not_drawn_over_and_what_differs_much_is() -> None:
    assert not shown(0.0).any()
    assert shown(100.0).min() >= 254
    # At the threshold the picture is half to be seen.
    assert abs(int(shown(0.5)[32, 32]) - 127) <= 1
    assert shown(0.3)[32, 32] < 127 < shown(0.8)[32, 32]
    # The more contrast, the harder the change between both.
    assert shown(0.3, difference_contrast=8)[32, 32] < shown(0.3)[32, 32]


def test_the_mask_may_count_too() -> None:
    assert shown(0.5, mask=1.0, mask_influence=1)[32, 32] == 255
    assert shown(0.5, mask=0.0, mask_influence=1)[32, 32] == 0
    assert shown(0.0, mask=1.0, mask_influence=1)[32, 32] == 0


def test_holes_are_closed_and_what_is_far_away_stays_as_it_is() -> None:
    half = np.zeros((8, 8))
    half[:, 5:] = 50.0
    half[3, 7] = 0.0
    made = shown(half)
    assert made[32, 2] <= 2 and made[32, 50] >= 254 and made[28, 60] >= 254


def test_percentiles_are_those_of_what_is_around() -> None:
    values = np.arange(25.0).reshape(5, 5)
    low, high = _percentiles(values, 0.0, 0.1), _percentiles(values, 0.9, 1.0)
    assert (low <= values + 1e-9).all() and (high >= values - 1e-9).all()
    assert np.allclose(_percentiles(np.full((3, 3), 2.0), 0.25, 0.75), 2.0)
    assert abs(_percentiles(values, 0.25, 0.75)[2, 2] - 12) < 1e-9  # all that is around is even
