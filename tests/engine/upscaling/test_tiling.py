"""Tiles cover a picture, share what they must, and are put together without a trace of where they met."""

import itertools

import numpy as np
import pytest

from modules.engine.upscaling.tiling import Mosaic, Tiling, lay_out


@pytest.mark.parametrize("side", [1, 7, 191, 192, 193, 376, 377, 1024, 2001])
@pytest.mark.parametrize(("tiling", "multiple"), [(Tiling(), 1), (Tiling(64, 16), 8), (Tiling(8, 100), 1)])
def test_tiles_cover_a_side_and_share_what_they_must(side: int, tiling: Tiling, multiple: int) -> None:
    spans = lay_out(side, 1, tiling, multiple).columns
    assert (spans[0].start, spans[-1].end) == (0, side)
    assert len({span.length for span in spans}) == 1
    assert spans[0].length <= tiling.side + multiple
    overlap = min(tiling.overlap, tiling.side // 2)
    for before, after in itertools.pairwise(spans):
        assert before.end - after.start >= overlap
        assert after.start > before.start
    if len(spans) > 1:
        assert spans[0].length % multiple == 0 or spans[0].length == side


def test_no_more_tiles_than_are_needed_and_none_larger_than_it_must_be() -> None:
    spans = lay_out(1024, 1024, Tiling(192, 8)).columns
    assert (len(spans), spans[0].length) == (6, 178)
    assert len(lay_out(1024, 1024, Tiling(0, 8))) == 1


@pytest.mark.parametrize("size", [(50, 30), (16, 100), (7, 5)])
def test_tiles_of_one_picture_give_it_back(size: tuple[int, int]) -> None:
    whole = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    layout = lay_out(*size, Tiling(16, 4))
    mosaic = Mosaic(layout, 3)
    large = whole.repeat(3, axis=0).repeat(3, axis=1)
    for column, row in layout:
        across, down = column.times(3), row.times(3)
        mosaic.add(large[down.start : down.end, across.start : across.end].astype(np.float32))
    assert (mosaic.picture == large).all()


def test_where_two_tiles_meet_the_one_fades_into_the_other() -> None:
    layout = lay_out(28, 28, Tiling(16, 4))
    assert len(layout) == 4
    mosaic = Mosaic(layout, 2)
    for value in (0, 200, 100, 240):
        mosaic.add(np.full((32, 32, 3), value, np.float32))
    across, down = mosaic.picture[0, :, 0].astype(int), mosaic.picture[:, 0, 0].astype(int)
    assert (across[:24] == 0).all() and (across[32:] == 200).all()
    assert (np.diff(across) <= 26).all() and (np.diff(across) >= 0).all()
    assert (down[:24] == 0).all() and (down[32:] == 100).all()
    assert (np.diff(down) <= 13).all()
    assert mosaic.picture[-1, -1, 0] == 240
