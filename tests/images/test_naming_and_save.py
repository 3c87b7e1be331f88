"""Names of pictures, and the numbers that are on disk already."""

import time
from pathlib import Path, PurePosixPath

import pytest

from modules.errors import StorageError
from modules.images.naming import file_name, highest_number, result_folder, saved_folder
from modules.images.save import save_image


def test_saved_pictures_lie_by_date() -> None:
    noon = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
    assert saved_folder("txt2img", noon) == PurePosixPath("outputs/txt2img-images/2026-11-24")
    assert result_folder("abc") == PurePosixPath("results/abc")


def test_a_name_is_number_and_seed() -> None:
    assert file_name(0, 1234) == "00000-1234.png"
    assert file_name(123456, 5) == "123456-5.png"


def test_the_highest_number_counts_all_files_of_the_folder(tmp_path: Path) -> None:
    assert highest_number(tmp_path / "missing") == -1
    assert highest_number(tmp_path) == -1
    for name in ("00007-1.png", "00012-grid.jpg", "123456-9.png", "notes-99999.txt", "12-5.png"):
        (tmp_path / name).touch()
    assert highest_number(tmp_path) == 123456


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="A file stands where a folder is needed"):
        highest_number(tmp_path / "file")


def test_an_older_picture_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "outputs" / "00000-1.png"
    save_image(b"half", path)
    save_image(b"whole", path)
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]
