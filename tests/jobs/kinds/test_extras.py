"""What may be asked of extras, what becomes of it, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import Enlarging, Saving, Source
from modules.jobs.kinds.extras import EXTRAS, ExtrasModels, ExtrasRequest
from modules.jobs.kinds.extras_values import ResolvedExtras
from modules.jobs.kinds.registry import read_resolved, validate_request
from modules.jobs.kinds.starts import Input, no_input
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings

NAME = "a" * 64 + ".png"
SAVING = Saving(
    save_images=True, save_partial=False, mark_partial=False, add_model_name_to_info=True, add_model_hash_to_info=True,
    add_version_to_infotext=True,
)  # fmt: skip


def request(**fields: Any) -> ExtrasRequest:
    made = validate_request("extras", {"image": NAME} | fields)
    assert isinstance(made, ExtrasRequest)
    return made


def resolved(**fields: Any) -> ResolvedExtras:
    upscaler = Enlarging(upscaler="4x", model=Source(name="4x.pth", hash="b" * 64))
    picture = Input(name=NAME, width=100, height=50)
    values: dict[str, Any] = {"pictures": (picture,), "enlarging": (upscaler,), "upscale_by": 2.0}
    return ResolvedExtras(kind="extras", version="1", saving=SAVING, **(values | fields))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image": None}, "There is no picture: send image, images, or input_dir."),
        ({"gfpgan_visibility": 1.5}, "Visibility 1.5 is not possible"),
        ({"upscaling_resize": 0}, "Resize 0 is not possible"),
        ({"upscaling_resize": 17}, "Resize 17 is not possible"),
        ({"resize_mode": 2}, "Resize mode 2 is not possible"),
        ({"upscaling_resize_w": 20000}, "Size 20,000 is not possible"),
        ({"imageList": [{"name": "x"}]}, "A picture of the list is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        request(**fields)


def test_a1111s_defaults() -> None:
    one = request()
    assert (one.by, one.upscaler_1, one.upscaling_crop, one.names) == (2.0, "None", True, [NAME])
    assert request(imageList=[{"data": NAME, "name": "x.png"}], image=None).names == [NAME]
    assert request(resize_mode=1).by is None


@pytest.mark.parametrize(
    ("values", "size", "whole"),
    [
        ({}, (200, 100), (200, 100)),
        ({"upscale_by": 1.255}, (125, 62), (125, 62)),
        ({"enlarging": ()}, (100, 50), (100, 50)),
        ({"upscale_by": None, "width": 300, "height": 300}, (300, 300), (600, 300)),
        ({"upscale_by": None, "width": 300, "height": 300, "crop": False}, (600, 300), (600, 300)),
    ],
)
def test_sizes(values: dict[str, Any], size: tuple[int, int], whole: tuple[int, int]) -> None:
    one = resolved(**values)
    assert (one.size_of(0), one.enlarged_size_of(0)) == (size, whole)


def test_the_row_gives_it_back() -> None:
    one = resolved()
    assert read_resolved("extras", one.model_dump(mode="json")) == one


def test_the_infotext_is_a1111s() -> None:
    assert EXTRAS.infotext(resolved(), 0) == {"Postprocess upscale by": 2.0, "Postprocess upscaler": "4x"}
    second = Enlarging(upscaler="Lanczos")
    pairs = EXTRAS.infotext(
        resolved(upscale_by=None, width=64, height=32, enlarging=(second, second), second_visibility=0.5), 0
    )
    assert pairs == {
        "Postprocess upscale to": "64x32",
        "Postprocess crop to": "64x32",
        "Postprocess upscaler": "Lanczos",
        "Postprocess upscaler 2": "Lanczos",
        "Postprocess upscaler 2 visibility": 0.5,
    }


def test_no_event_holds_a_picture_or_a_path_of_this_machine() -> None:
    sent = request(input_dir="/home/me").model_dump(mode="json")
    assert "input_dir" not in EXTRAS.told_request(sent)
    assert EXTRAS.told_request(sent)["image"] == NAME
    assert NAME not in str(EXTRAS.told(resolved()))


def test_what_would_become_too_large_is_refused_before_it_is_tried() -> None:
    class Pictures:
        def find(self, name: str) -> Input:
            return Input(name=name, width=5000, height=4000)

        def open(self, picture: Input) -> Image.Image:
            raise LookupError(f"{picture.name} is not to be opened for that")

    request(upscaler_1="4x", upscaling_resize=2).check_inputs(Pictures())
    with pytest.raises(InvalidRequest, match=r"of 5000x4000 would become 20000x16000, and at most 16,384 a side"):
        request(upscaler_1="4x", upscaling_resize=4).check_inputs(Pictures())
    request(upscaling_resize=4).check_inputs(Pictures())  # No upscaler: nothing becomes larger.


def test_files_are_chosen_when_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "ESRGAN").mkdir()
    (tmp_path / "ESRGAN" / "4x.pth").write_bytes(b"\x80\x02}.")
    catalogue = CheckpointCatalogue([tmp_path])
    choice = request(upscaler_1="4X", upscaler_2="4x").chosen(catalogue, Settings())
    assert [(one.name, one.file and one.file.name) for one in choice.upscalers] == [("4x", "4x.pth")]
    with pytest.raises(InvalidRequest, match="Upscaler 'x' is not known") as refused:
        request(upscaler_1="x").chosen(catalogue, Settings())
    assert refused.value.field == "upscaler_1"
    with pytest.raises(InvalidRequest, match=r"GFPGAN cannot be used: its file is not there"):
        request(gfpgan_visibility=1).chosen(catalogue, Settings())


def test_a_folder_is_listed_when_it_is_sent(tmp_path: Path) -> None:
    catalogue = CheckpointCatalogue([tmp_path / "models"])
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "sub").mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / "b.jpg", exif=exif)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "c.png").write_bytes(b"text")
    choice = request(input_dir=str(tmp_path)).chosen(catalogue, Settings())
    assert [(one.name, one.width, one.height) for one in choice.folder] == [("a.png", 8, 8), ("b.jpg", 20, 30)]
    made = request(input_dir=str(tmp_path)).resolve(ExtrasModels(folder=choice.folder), Settings(), no_input, 1)
    assert made.image_count == 2
    for folder, words in {"sub": "has no picture", "gone": "cannot be read"}.items():
        with pytest.raises(InvalidRequest, match=words):
            request(input_dir=str(tmp_path / folder)).chosen(catalogue, Settings())
    with pytest.raises(InvalidRequest, match="is no whole path"):
        request(input_dir="here").chosen(catalogue, Settings())
