"""Pictures as files of other forms than PNG, and grids."""

from __future__ import annotations

import io
import weakref
from collections.abc import Iterator

import pytest
from PIL import Image

from modules.images.grids import grid_size, lay_out, rows_and_columns, wanted
from modules.images.infotext import write
from modules.images.large_copies import copy_of
from modules.images.naming import grid_name, grid_names
from modules.images.picture_files import encode_drawn, encode_mended
from modules.images.picture_info import read_parameters
from modules.images.png import encode_png
from modules.jobs.kinds.files import FileForm, Form, Grid, LargeCopy, file_form, grid, in_file, large_copy, naming
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.options import Settings
from tests.images.test_png import picture
from tests.jobs.made_jobs import resolved_job as resolved

TRAP = "a sign\nNegative prompt: of a 🦄 shop"


@pytest.mark.parametrize("form", ["jpg", "webp", "avif"])
def test_another_form_holds_the_same_and_comes_back_without_a_loss(form: Form) -> None:
    made = resolved(prompt=TRAP, seed=2**60)
    infotext, values = write(made, 0), TXT2IMG.picture(made, 0)
    file = encode_drawn(picture(), infotext, values, None, FileForm(form=form))
    assert file.suffix == f".{form}"
    assert file == encode_drawn(picture(), infotext, values, None, FileForm(form=form)), (
        "the bytes follow from all this"
    )
    found = read_parameters(file.data)
    assert found.info == infotext
    assert (found.parameters["prompt"], found.parameters["seed"]) == (TRAP, 2**60)
    with Image.open(io.BytesIO(file.data)) as opened:
        assert opened.size == picture().size
    bare = encode_drawn(picture(), infotext, values, None, FileForm(form=form, texts=False))
    assert read_parameters(bare.data).items == {} and bare.suffix == f".{form}"


def test_quality_and_lossless_change_the_bytes() -> None:
    def of(form: Form, quality: int = 80, lossless: bool = False) -> bytes:
        return encode_drawn(picture(), "", {}, None, FileForm(form=form, quality=quality, lossless=lossless)).data

    assert of("jpg", 10) != of("jpg", 90)
    with Image.open(io.BytesIO(of("webp", lossless=True))) as exact:
        assert exact.convert("RGB").tobytes() == picture().tobytes()


def test_what_a_form_cannot_hold_is_a_png() -> None:
    wide = Image.new("RGB", (16_384, 1))
    assert encode_drawn(wide, "a", {}, None, FileForm(form="webp")).suffix == ".png"
    assert encode_drawn(wide, "a", {}, None, FileForm(form="jpg")).suffix == ".jpg"
    long = encode_drawn(picture(), "x" * 40_000, {}, None, FileForm(form="jpg"))
    assert long.suffix == ".png" and read_parameters(long.data).info == "x" * 40_000
    assert encode_drawn(picture(), "x" * 40_000, {}, None, FileForm(form="webp")).suffix == ".webp"


def test_a_png_is_what_it_was() -> None:
    made = resolved()
    values = TXT2IMG.picture(made, 0)
    assert encode_drawn(picture(), "a", values, (5, 20)) == (encode_png(picture(), "a", values, (5, 20)), ".png")
    assert not {"samples_format", "jpeg_quality"} & set(values)
    assert in_file(FileForm(form="webp", quality=70, lossless=True)) == {
        "samples_format": "webp", "jpeg_quality": 70, "webp_lossless": True,
    }  # fmt: skip
    assert read_parameters(encode_drawn(picture(), "a", values, None, FileForm(texts=False)).data).items == {}


def test_what_is_transparent_is_white_in_a_jpeg() -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    file = encode_mended(clear, "a", "b", "a\nb", {}, FileForm(form="jpg"))
    with Image.open(io.BytesIO(file.data)) as opened:
        assert opened.getpixel((8, 8)) == (255, 255, 255)
    assert read_parameters(file.data).info == "a\nb"


@pytest.mark.parametrize(
    ("size", "form", "over_bytes", "becomes"),
    [
        ((64, 32), "png", 10, (64, 32)),  # the file is large
        ((64, 32), "png", 100_000, None),
        ((200, 50), "png", 100_000, (100, 25)),  # the picture is
        ((50, 200), "webp", 100_000, (25, 100)),
        ((200, 50), "jpg", 10, None),  # it would be called as the picture is
    ],
)
def test_a_large_picture_gets_a_jpeg_that_is_no_larger_than_wanted(
    size: tuple[int, int], form: Form, over_bytes: int, becomes: tuple[int, int] | None
) -> None:
    file = encode_drawn(picture().resize(size), "a cat", {}, None, FileForm(form=form))
    wanted = LargeCopy(over_bytes=over_bytes, side=100, form=FileForm(form="jpg"))
    made = copy_of(file, "a cat", wanted)
    assert (made is None) == (becomes is None)
    if made is not None:
        with Image.open(io.BytesIO(made)) as opened:
            assert (opened.format, opened.size) == ("JPEG", becomes)
        assert read_parameters(made).info == "a cat"
        long = copy_of(file, "x" * 40_000, wanted)  # more than a JPEG holds
        assert long is not None and read_parameters(long).info == ""
    assert copy_of(file, "a cat", None) is None


def test_settings_become_what_a_job_keeps() -> None:
    usual = Settings()
    assert (file_form(usual), naming(usual, "txt2img").folder, grid(usual, "txt2img")) == (FileForm(), None, None)
    assert large_copy(usual) is None
    assert large_copy(Settings(export_for_4chan=True, jpeg_quality=55, enable_pnginfo=False)) == LargeCopy(
        over_bytes=4 << 20, side=4000, form=FileForm(form="jpg", quality=55, texts=False)
    )
    chosen = Settings(
        samples_format="webp", webp_lossless=True, jpeg_quality=55, save_to_dirs=False, grid_save=True,
        grid_format="jpg", outdir_img2img_samples="outputs/mine",
    )  # fmt: skip
    assert file_form(chosen) == FileForm(form="webp", quality=55, lossless=True)
    assert (naming(chosen, "img2img").folder, naming(chosen, "img2img").folders) == ("outputs/mine", "")
    made = grid(chosen, "img2img")
    assert made is not None and made.form == FileForm(form="jpg", quality=55)


@pytest.mark.parametrize(
    ("count", "layout", "batch", "shape"),
    [
        (1, -1, 1, (1, 1)),
        (4, -1, 1, (2, 2)),
        (5, -1, 1, (2, 3)),
        (6, 0, 3, (3, 2)),
        (7, 3, 1, (3, 3)),
        (2, 50, 1, (2, 1)),
    ],
)
def test_a_grid_has_rows_as_a1111_counts_them(count: int, layout: int, batch: int, shape: tuple[int, int]) -> None:
    assert rows_and_columns(count, Grid(rows=layout), batch) == shape
    assert rows_and_columns(7, Grid(no_empty_spots=True), 1) == (1, 7)
    assert (wanted(1, Grid()), wanted(1, Grid(only_if_multiple=False)), wanted(9, None)) == (False, True, False)


def test_a_grid_shows_the_pictures_in_their_order_and_holds_no_more_than_two_of_them() -> None:
    opened: list[weakref.ref[Image.Image]] = []

    def pictures() -> Iterator[Image.Image]:
        for colour in ("red", "lime", "blue"):
            picture = Image.new("RGB", (8, 4), colour)
            opened.append(weakref.ref(picture))
            yield picture
            del picture
            assert sum(one() is not None for one in opened) == 1

    sheet = lay_out(pictures(), [(8, 4)] * 3, Grid(rows=2), 1)
    assert sheet.size == grid_size([(8, 4)] * 3, Grid(rows=2), 1) == (16, 8)
    places = [(0, 0), (8, 0), (0, 4), (8, 4)]
    assert [sheet.getpixel(place) for place in places] == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)]


def test_a_grid_is_called_by_its_first_picture() -> None:
    saving = {"naming": {"folder": None}, "grid": {"form": {"form": "jpg"}, "folder": "outputs/grids"}}
    first = "outputs/txt2img-images/2026-11-24/00012-5.png"
    assert grid_name("txt2img", saving, first, ".jpg") == "outputs/grids/2026-11-24/grid-00012-5.jpg"
    assert grid_names("txt2img", {"grid": {}}, first) == ("outputs/txt2img-grids/2026-11-24/grid-00012-5.png",)
    assert grid_name("txt2img", {}, "outputs/elsewhere/day/1.png", ".png") == "outputs/txt2img-grids/day/grid-1.png"
