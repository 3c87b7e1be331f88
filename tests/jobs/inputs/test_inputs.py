"""The folder of inputs: a name for each picture, kept as long as it is needed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from modules.errors import InputGone, InvalidRequest, StorageError
from modules.jobs.inputs.inputs import NAME, Inputs
from modules.jobs.kinds.starts import Input
from tests.jobs.inputs.test_decoding import file_of, header_of_png

A_DAY = 86_400.0


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path / "data" / "inputs")


def red(size: tuple[int, int] = (4, 3), mode: str = "RGB") -> bytes:
    return file_of(Image.new(mode, size, "red"))


def names(inputs: Inputs) -> set[str]:
    return {path.name for path in inputs.folder.iterdir()}


def age(inputs: Inputs, name: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(inputs.folder / name, (then, then))


def test_a_picture_has_the_name_of_its_bytes_and_is_one_file_however_often_it_comes(inputs: Inputs) -> None:
    first = inputs.take_in(red())
    assert NAME.fullmatch(first.name)
    assert (first.width, first.height) == (4, 3)
    assert inputs.take_in(file_of(Image.new("RGB", (4, 3), "red"), "BMP")) == first
    assert inputs.find(first.name) == first
    assert names(inputs) == {first.name}
    with inputs.open(first) as picture:
        assert (picture.mode, picture.getpixel((3, 2))) == ("RGB", (255, 0, 0))


def test_an_output_keeps_its_bytes_and_the_input_outlives_what_is_done_to_it(inputs: Inputs, tmp_path: Path) -> None:
    output = tmp_path / "00001-7.png"
    output.write_bytes(red())
    before = output.stat()
    adopted = inputs.adopt(output)
    assert inputs.read(adopted.name) == red()
    output.write_bytes(b"painted over")
    assert inputs.read(adopted.name) == red()
    assert before.st_ino != inputs.path_of(adopted.name).stat().st_ino
    output.unlink()
    with pytest.raises(InputGone, match=r"00001-7\.png is gone: it was deleted"):
        inputs.adopt(output)
    assert inputs.find(adopted.name) == adopted


def test_how_a_picture_was_made_stays_with_it(inputs: Inputs) -> None:
    infotext = "a h\u00e4rt \u2764\nNegative prompt: blue\nSteps: 5, Sampler: Euler, Seed: 7"
    comment = b"UNICODE\0" + infotext.encode("utf-16-be")
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    exif[ExifTags.Base.Make] = "a camera"
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", infotext)
    chunks.add_text("workflow", "a secret of the studio")
    image = Image.new("RGB", (4, 3), "red")
    found = [
        inputs.take_in(file_of(image, pnginfo=chunks)),
        inputs.take_in(file_of(image, "WEBP", exif=exif, lossless=True)),
    ]
    assert found[0] == found[1] != inputs.take_in(red())
    assert inputs.infotext(found[0].name) == infotext
    assert inputs.infotext(inputs.take_in(red()).name) == ""
    kept = inputs.read(found[0].name)
    assert b"camera" not in kept and b"secret" not in kept


def test_an_output_that_somebody_made_something_else_is_taken_as_if_it_were_sent(
    inputs: Inputs, tmp_path: Path
) -> None:
    output = tmp_path / "0.png"
    output.write_bytes(file_of(Image.new("P", (2, 2))))
    assert inputs.open(inputs.adopt(output)).mode == "RGB"
    for data in (b"a text", header_of_png(8193, 8192)):
        output.write_bytes(data)
        with pytest.raises(InvalidRequest):
            inputs.adopt(output)


@pytest.mark.parametrize(
    "name", ["", "../jobs.sqlite", "a" * 64, "A" * 64 + ".png", "/etc/passwd", "a" * 64 + ".png\n", 7]
)
def test_only_names_of_inputs_lead_to_files(inputs: Inputs, name: str) -> None:
    for ask in (inputs.find, inputs.read, inputs.path_of):
        with pytest.raises(InvalidRequest, match="is no name of an input: POST"):
            ask(name)


def test_one_that_is_gone_or_was_changed_is_told(inputs: Inputs) -> None:
    kept = inputs.take_in(red())
    path = inputs.path_of(kept.name)
    path.write_bytes(red((5, 5)))
    with pytest.raises(InputGone, match="was changed on the disk"):
        inputs.open(kept)
    path.write_bytes(b"")
    with pytest.raises(InputGone):
        inputs.find(kept.name)
    assert inputs.take_in(red()) == kept  # and is whole again when it is sent again
    inputs.open(kept)
    path.unlink()
    for ask in (inputs.find, inputs.read):
        with pytest.raises(InputGone, match=r"is gone.*Choose it again"):
            ask(kept.name)
    with pytest.raises(InputGone):
        inputs.open(Input(name=kept.name, width=4, height=3))


def test_a_day_after_anybody_asked_for_it_one_that_no_job_needs_goes(inputs: Inputs) -> None:
    needed, asked_for, left, new = (inputs.take_in(red((side, side))).name for side in range(1, 5))
    for name in (needed, asked_for, left):
        age(inputs, name, A_DAY + 60)
    half = inputs.folder / f".{left}.1-ab.tmp"
    half.write_bytes(b"half")
    age(inputs, half.name, A_DAY + 60)
    inputs.find(asked_for)
    assert inputs.sweep(lambda: {needed}, time.time() - A_DAY) == 2
    assert names(inputs) == {needed, asked_for, new}


def test_jobs_are_asked_only_if_something_is_old(inputs: Inputs) -> None:
    def nobody() -> set[str]:
        raise AssertionError("it costs a look at every job")

    assert inputs.sweep(nobody, time.time()) == 0  # there is no folder yet
    inputs.take_in(red())
    assert inputs.sweep(nobody, time.time() - A_DAY) == 0


def test_one_that_is_named_while_the_old_are_looked_for_stays(inputs: Inputs) -> None:
    name = inputs.take_in(red()).name
    age(inputs, name, A_DAY + 60)

    def needed() -> set[str]:
        inputs.find(name)  # a request that is checked at this moment; its job is not stored yet
        return set()

    assert inputs.sweep(needed, time.time() - A_DAY) == 0
    assert names(inputs) == {name}


def test_many_at_once_are_one_whole_file(inputs: Inputs) -> None:
    data = red((64, 64))
    found: list[Input] = []
    threads = [threading.Thread(target=lambda: found.append(inputs.take_in(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert names(inputs) == {found[0].name}
    inputs.open(found[0])


def test_what_the_disk_refuses_is_told(inputs: Inputs) -> None:
    inputs.folder.parent.mkdir()
    inputs.folder.write_bytes(b"a file stands there")
    with pytest.raises(StorageError, match="A file stands where a folder is needed"):
        inputs.take_in(red())
