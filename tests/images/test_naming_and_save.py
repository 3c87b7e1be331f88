"""Names of pictures, and the numbers that are on disk already."""

import os
import time
from pathlib import Path, PurePosixPath

import pytest

from modules.errors import StorageError
from modules.images.naming import FileName, highest_copy, highest_number, result_folder, saved_folder
from modules.images.save import save_image


def test_saved_pictures_lie_by_date() -> None:
    noon = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
    assert saved_folder("txt2img", noon) == PurePosixPath("outputs/txt2img-images/2026-11-24")
    assert result_folder("abc") == PurePosixPath("results/abc")


def test_a_name_is_number_and_seed() -> None:
    folder = PurePosixPath("outputs/day")
    assert FileName(folder, "1234").with_number(0) == "outputs/day/00000-1234.png"
    assert FileName(folder, "5", ".jpg").with_number(123456) == "outputs/day/123456-5.jpg"
    assert FileName(folder, "", numbered=False).with_number(3) == "outputs/day/00003.png"
    assert FileName(folder, "cat", ".webp", numbered=False).with_number(0) == "outputs/day/cat.webp"
    assert FileName(folder, "cat", ".webp", numbered=False).with_number(2) == "outputs/day/cat-2.webp"


def test_a_name_that_is_there_in_any_form_is_taken(tmp_path: Path) -> None:
    assert highest_copy(tmp_path, "cat") == -1
    for name in ("catty.png", "cat-x.png", "Cat.jpg"):
        (tmp_path / name).touch()
    assert highest_copy(tmp_path, "cat") == 0
    (tmp_path / "cat-12.webp").touch()
    assert highest_copy(tmp_path, "cat") == 12


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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("mode", "wanted"), [(0o700, 0o600), (0o755, 0o644), (0o750, 0o640)])
def test_a_picture_is_as_open_as_its_folder(tmp_path: Path, mode: int, wanted: int) -> None:
    """Pictures in a folder that is shared on purpose can be read by those it is shared with, whatever the umask."""
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    outputs.chmod(mode)
    before = os.umask(0o077)
    try:
        save_image(b"picture", outputs / "day" / "0.png")
    finally:
        os.umask(before)
    assert (outputs / "day").stat().st_mode & 0o777 == mode
    assert (outputs / "day" / "0.png").stat().st_mode & 0o777 == wanted
