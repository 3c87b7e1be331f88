"""Upscalers are listed and found under A1111's names; pickles are among them, and say what they can without a look."""

import pickle
from pathlib import Path

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.detection.detect import detect
from modules.jobs.models.detection.upscalers import scale_in_name
from tests.jobs.made_files import Made, write_file

PICKLE = pickle.dumps({"a": 1}, 2)
NEW = {"conv_last.weight": (3, 64, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}
SCALES: dict[str, tuple[Made, int | None]] = {
    "ESRGAN of 4x": (
        {
            "model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3),
            "model.3.weight": (64, 64, 3, 3), "model.6.weight": (64, 64, 3, 3), "model.8.weight": (64, 64, 3, 3),
            "model.10.weight": (3, 64, 3, 3),
        },
        4,
    ),
    "Real-ESRGAN of 4x": (
        {
            **NEW, "conv_first.weight": (64, 3, 3, 3), "conv_up1.weight": (64, 64, 3, 3),
            "conv_up2.weight": (64, 64, 3, 3),
        },
        4,
    ),
    "Real-ESRGAN of 2x": (
        {
            **NEW, "conv_first.weight": (64, 12, 3, 3), "conv_up1.weight": (64, 64, 3, 3),
            "conv_up2.weight": (64, 64, 3, 3),
        },
        2,
    ),
    "a compact one of 3x": (
        {
            "body.0.weight": (64, 3, 3, 3), "body.1.weight": (64,), "body.2.weight": (64, 64, 3, 3),
            "body.4.weight": (27, 64, 3, 3),
        },
        3,
    ),
    "SwinIR": ({"conv_first.weight": (180, 3, 3, 3)}, None),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ESRGAN/4x-UltraSharp.pth", "RealESRGAN/RealESRGAN_x4plus.pth", "SwinIR/sub/SwinIR_4x.pth"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PICKLE)
    write_file(tmp_path / "upscale_models" / "sharp.safetensors", SCALES["Real-ESRGAN of 2x"][0])
    return tmp_path


def test_they_are_listed_with_none_first_and_a_scale_where_that_is_known(folder: Path) -> None:
    listed = CheckpointCatalogue([folder]).upscalers.list()
    assert [(one.name, one.scale, one.problem) for one in listed] == [
        ("None", None, None),
        ("Lanczos", None, None),
        ("Nearest", None, None),
        ("4x-UltraSharp", 4, None),
        ("RealESRGAN_x4plus", 4, None),
        ("sharp", 2, None),
        ("SwinIR_4x", 4, None),
    ]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("", "None"),
        ("lanczos", "Lanczos"),
        ("4x-ultrasharp", "4x-UltraSharp"),
        ("4x-UltraSharp.pth", "4x-UltraSharp"),
        ("R-ESRGAN 4x+", "RealESRGAN_x4plus"),
        ("SwinIR_4x", "SwinIR_4x"),
        ("sub/SwinIR_4x", "SwinIR_4x"),
    ],
)
def test_each_is_found_by_all_its_names(folder: Path, asked: str, name: str) -> None:
    assert CheckpointCatalogue([folder]).upscalers.find(asked).name == name


def test_by_hash_and_what_is_not_known(folder: Path) -> None:
    catalogue = CheckpointCatalogue([folder])
    file = catalogue.upscalers.find("sharp").file
    assert file is not None
    hashed = catalogue.files.hashed(file)
    assert hashed.sha256 is not None
    found = catalogue.upscalers.find(hashed.sha256)
    assert (found.name, found.title) == ("sharp", f"sharp [{hashed.short_hash}]")
    with pytest.raises(InvalidRequest, match=r"Upscaler 'x' is not known: use one of None, Lanczos, Nearest, 4x-Ultra"):
        catalogue.upscalers.find("x")
    assert catalogue.upscalers.of_source("gone.pth", hashed.sha256).path == file.path
    with pytest.raises(ModelError, match=r"upscaler gone.pth is not there any more"):
        catalogue.upscalers.of_source("gone.pth", "0" * 64)


def test_two_of_one_name_and_one_with_the_name_of_a_plain_one(tmp_path: Path) -> None:
    for name in ("ESRGAN/a.pth", "ESRGAN/sub/a.pth", "ESRGAN/Lanczos.pth"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PICKLE)
    upscalers = CheckpointCatalogue([tmp_path]).upscalers
    named = {one.name: one.file.path for one in upscalers.list() if one.file is not None}
    assert list(named) == ["a", "Lanczos.pth", "sub/a"]
    for name, path in named.items():
        found = upscalers.find(name)
        assert (found.name, found.file and found.file.path) == (name, path)


def test_what_is_wrong_with_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "ESRGAN").mkdir()
    (tmp_path / "ESRGAN" / "page.pth").write_bytes(b"<!DOCTYPE html>")
    (tmp_path / "ESRGAN" / "evil.safetensors").write_bytes(PICKLE)
    (tmp_path / "ESRGAN" / "GFPGANv1.4.safetensors").write_bytes(
        write_file(tmp_path / "x", {"stylegan_decoder.constant_input.weight": (1, 512, 4, 4)}).read_bytes()
    )
    problems = {one.name: one.problem for one in CheckpointCatalogue([tmp_path]).upscalers.list() if one.file}
    assert "is a web page" in str(problems["page"])
    assert "is a pickle, which can run code, so it is not read" in str(problems["evil"])
    assert "is no upscaler, but for faces (GFPGAN): put it into models/GFPGAN." in str(problems["GFPGANv1.4"])


@pytest.mark.parametrize("name", SCALES)
def test_the_scale_is_read_from_the_shapes(tmp_path: Path, name: str) -> None:
    tensors, scale = SCALES[name]
    found = detect(write_file(tmp_path / "a.safetensors", tensors))
    assert (found.role, found.scale) == ("upscaler", scale)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("4x-UltraSharp", 4), ("RealESRGAN_x2plus", 2), ("emoji-2x", 2), ("BSRGAN", None), ("realesr-general-x4v3", 4),
        ("4xLSDIR", 4), ("1x_DeJPEG", 1), ("hex2x4f", None), ("DAT_x3", 3), ("sdxl_vae", None), ("16x_pixel", None),
    ],
)  # fmt: skip
def test_the_scale_is_read_from_the_name(name: str, scale: int | None) -> None:
    assert scale_in_name(name) == scale
