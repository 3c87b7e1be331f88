"""A look into a folder with models finds each once, at any depth, and never hangs, loops or raises."""

import os
import sys
from pathlib import Path

import pytest

from modules.jobs.models.scan import scan
from tests.jobs.made_models import make_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these links nor pipes")
SUFFIXES = (".safetensors", ".ckpt")


def make_files(place: Path, *names: str) -> None:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"x")


def names_in(place: Path, folders: bool = False) -> list[str]:
    return sorted(one.name for one in scan(place, SUFFIXES, folders).found)


def test_files_are_found_at_any_depth_by_their_suffix(tmp_path: Path) -> None:
    make_files(tmp_path, "a.safetensors", "b.CKPT", "x/y/z/c.safetensors", "x/note.txt", ".hidden/d.ckpt", ".e.ckpt")
    (tmp_path / "folder.ckpt").mkdir()
    assert names_in(tmp_path) == ["a.safetensors", "b.CKPT", "x/y/z/c.safetensors"]


def test_folders_that_are_a_model_are_found_whole(tmp_path: Path) -> None:
    make_model(tmp_path / "whole")
    make_model(tmp_path / "styles" / "ink")
    (make_model(tmp_path / "half") / "model_index.json").unlink()
    make_files(tmp_path, "sd/vae/a.safetensors", "sd/unet/b.safetensors")
    (tmp_path / "empty" / "inside").mkdir(parents=True)
    found = ["empty", "half", "sd/unet/b.safetensors", "sd/vae/a.safetensors", "styles/ink", "whole"]
    assert names_in(tmp_path, folders=True) == found


def test_a_cache_of_the_hub_shows_the_newest_state_of_each_repository(tmp_path: Path) -> None:
    repository = tmp_path / "models--some--model"
    for revision in ("1111", "2222"):
        make_model(repository / "snapshots" / revision)
    (repository / "blobs").mkdir()
    (repository / "refs").mkdir()
    os.utime(repository / "snapshots" / "2222", (9e9, 9e9))
    (tmp_path / "models--no--state" / "snapshots").mkdir(parents=True)
    for main, shown in ((None, "2222"), ("1111", "1111"), ("../../..", "2222"), ("gone", "2222")):
        if main is not None:
            (repository / "refs" / "main").write_text(main)
        (found,) = scan(tmp_path, SUFFIXES, folders=True).found
        assert (found.name, found.path) == ("some/model", repository / "snapshots" / shown)


def test_what_two_ways_lead_to_is_found_once_where_it_is(tmp_path: Path) -> None:
    place, outside = tmp_path / "place", tmp_path / "outside"
    make_files(place, "z/real.safetensors")
    make_files(outside, "other.safetensors")
    (place / "a-link.safetensors").symlink_to(place / "z" / "real.safetensors")
    (place / "a-folder").symlink_to(place / "z")
    (place / "loop").symlink_to(place)
    (place / "z" / "up").symlink_to(tmp_path)
    (place / "more").symlink_to(outside)
    (place / "nowhere.ckpt").symlink_to(place / "missing")
    (place / "itself.ckpt").symlink_to(place / "itself.ckpt")
    assert names_in(place) == ["itself.ckpt", "more/other.safetensors", "z/real.safetensors"]


def test_pipes_odd_names_and_closed_folders_harm_nobody(tmp_path: Path) -> None:
    names = ['"quoted".ckpt', "<b>.ckpt", "a:b.ckpt", "...ckpt.ckpt", "new\nline.ckpt", os.fsdecode(b"\xff.ckpt")]
    make_files(tmp_path, *names)
    os.mkfifo(tmp_path / "pipe.safetensors")
    closed = tmp_path / "closed"
    make_files(closed, "in.ckpt")
    found = scan(tmp_path, SUFFIXES).found
    assert {one.name for one in found} == {*names[:3], *names[4:], "pipe.safetensors", "closed/in.ckpt"}
    closed.chmod(0)
    try:
        found = scan(tmp_path, SUFFIXES, folders=True).found
    finally:
        closed.chmod(0o755)
    assert "closed" in {one.name.partition("/")[0] for one in found}


def test_the_state_of_the_listed_folders_tells_of_what_came_and_went(tmp_path: Path) -> None:
    make_files(tmp_path, "x/y/a.ckpt")
    before = scan(tmp_path, SUFFIXES).folders
    assert scan(tmp_path, SUFFIXES).folders == before
    os.utime(tmp_path / "x" / "y", ns=(1, 1))
    make_files(tmp_path, "x/y/b.ckpt")
    assert scan(tmp_path, SUFFIXES).folders != before
