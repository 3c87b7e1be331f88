"""Sheets of grids: pictures at their places, texts that fit beside them, and never too many pixels."""

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from modules.images import legends
from modules.images.legends import SMALLEST, Ruler, legend
from modules.images.sheets import SheetCell, compose, opened_in
from modules.jobs.kinds.grid.layout import Axis, Layout, Place

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "brown", "black")
X, Y = Axis(label="Steps", values=("Steps: 2", "Steps: 3")), Axis(label="CFG Scale", values=("CFG Scale: 1", ""))


def picture(index: int) -> Image.Image | None:
    return None if index == 3 else Image.new("RGB", (64, 48), COLOURS[index])


def cells(*places: Place) -> list[SheetCell]:
    return [SheetCell(place, (index,), ((64, 48),)) for index, place in enumerate(places)]


FOUR = cells((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0))


def colours_in(sheet: Image.Image, box: tuple[int, int, int, int]) -> set[object]:
    return {colour for _, colour in sheet.crop(box).getcolors(1_000_000) or ()}


def test_pictures_stand_at_their_places_and_what_is_not_there_is_grey() -> None:
    layout = Layout(script="", x=X, y=Y, legend=False, margin=10)
    sheet = compose(layout, FOUR, picture)
    assert sheet.size == (2 * 64 + 10, 2 * 48 + 10)
    for corner, colour in (((0, 0), "red"), ((0, 58), "green"), ((74, 0), "blue"), ((74, 58), "#dddddd")):
        box = (*corner, corner[0] + 64, corner[1] + 48)
        assert colours_in(sheet, box) == {Image.new("RGB", (1, 1), colour).getpixel((0, 0))}
    assert colours_in(sheet, (64, 0, 74, 106)) == {(255, 255, 255)}


def test_what_varies_is_written_above_and_beside_and_each_z_has_its_own() -> None:
    def written(layout: Layout, z: int | None = None) -> Image.Image:
        return compose(layout, cells((0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)), picture, z)

    plain = Layout(script="", x=X, z=Axis(label="Sampler", values=("Euler", "Heun")))
    whole, second = written(plain), written(plain, 1)
    assert whole.width == 2 * 64 and second.height * 2 == whole.height  # nothing stands left of them
    assert not ImageChops.difference(whole.crop((0, second.height, *whole.size)), second).getbbox()
    title, above = second.crop((0, 0, 128, 20)), second.crop((0, 20, 64, 40))
    assert all(len(one.getcolors(1000) or ()) > 2 for one in (title, above))
    beside = compose(Layout(script="", x=X, y=Y), FOUR, picture)
    assert beside.width > 2 * 64 and beside.height > 2 * 48
    with pytest.raises(IndexError):
        written(plain, 2)


def test_a_cell_of_several_pictures_shows_all_and_smaller_ones_stand_in_the_middle() -> None:
    several = SheetCell((0, 0, 0), (0, 1, 2), ((64, 48),) * 3)
    alone = SheetCell((1, 0, 0), (4,), ((64, 48),))
    sheet = compose(Layout(script="", x=X, legend=False), [several, alone], picture)
    assert sheet.size == (4 * 64, 2 * 48)
    centres = ((32, 24), (96, 24), (32, 72), (192, 48))
    expected = [Image.new("RGB", (1, 1), COLOURS[index]).getpixel((0, 0)) for index in (0, 1, 2, 4)]
    assert [sheet.getpixel(one) for one in centres] == expected
    assert sheet.getpixel((130, 5)) == (255, 255, 255)


@pytest.mark.parametrize("most", [9_000, 900])
def test_a_sheet_never_has_more_pixels_than_it_may(most: int) -> None:
    sheet = compose(Layout(script="", x=X, y=Y), FOUR, picture, most_pixels=most)
    assert most / 3 < sheet.width * sheet.height <= most


def test_a_long_row_is_no_longer_than_programs_show() -> None:
    many = Layout(script="", x=Axis(values=tuple(map(str, range(1000)))))
    one = Image.new("RGB", (8, 8))
    sheet = compose(many, [SheetCell((0, 0, 0), (0,), ((2048, 8),))], lambda index: one)
    assert sheet.width <= 32_767


def test_pictures_are_opened_by_their_names_and_one_that_was_deleted_is_not_there(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), "red").save(tmp_path / "a.png")
    opened = opened_in(tmp_path, {0: "a.png", 1: "gone.png"})
    found = opened(0)
    assert found is not None and found.size == (2, 2)
    found.close()
    assert (opened(1), opened(2)) == (None, None)


def lines(text: str, width: int, height: int) -> Sequence[str]:
    made = legend(text, 40, width, height)
    assert made.width <= width and made.height <= height
    return made.lines


def test_texts_are_broken_and_made_smaller_until_they_fit() -> None:
    assert legend("", 40, 100, 100).height == 0
    assert lines("Steps: 20", 512, 512) == ("Steps: 20",)
    assert len(lines("a heart with an umbrella in the rain", 300, 512)) > 1
    assert lines("sd_xl_base_1.0.safetensors", 400, 512) == ("sd_xl_base_1.0.safetensors",)  # smaller, but whole
    pieces = lines("a_checkpoint_of_somebody-with_a_very_long_name.safetensors", 200, 512)
    assert "".join(pieces) == "a_checkpoint_of_somebody-with_a_very_long_name.safetensors"
    assert all(piece[-1] in "_-." for piece in pieces[:-1])  # broken where a name has a joint
    cut = legend("word " * 200, 40, 64, 64)
    assert (cut.size, cut.lines[-1][-1]) == (SMALLEST, "…") and cut.height <= 64


def test_a_letter_is_measured_once_however_many_legends_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand prompts beside a thousand small pictures are broken and made smaller many times each."""
    asked: list[str] = []

    class Counted(Ruler):
        def _measured(self, letter: str) -> float:
            asked.append(letter)
            return 8.0

    monkeypatch.setattr(legends, "ruler_of", functools.cache(lambda size, files: Counted(size, files)))
    prompts = tuple(f"a cat, number {number}, in a long sentence" for number in range(200))
    layout = Layout(script="", y=Axis(values=prompts))
    compose(layout, [SheetCell((0, 0, 0), (3,), ((64, 64),))], picture)
    sizes = 3  # of letters, from 10 pixels down
    assert 0 < len(asked) <= sizes * len(set("".join(prompts)))


def test_a_font_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    usual = legend("Steps: 20", 40, 512, 512)
    assert legend("Steps: 20", 40, 512, 512, str(tmp_path / "broken.ttf")).width == usual.width
