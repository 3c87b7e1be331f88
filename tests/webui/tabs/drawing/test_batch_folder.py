"""A folder of the machine gives its pictures to a batch, to those who may read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.intake import Intake
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from webui.tabs.drawing import batch_folder
from webui.tabs.drawing.batch_folder import answer_of, pictures_in

HERE = Actor("owner-1", "127.0.0.1")
GUEST = Actor("owner-2", "192.0.2.7", only_own=True)


@pytest.fixture
def intake(tmp_path: Path, store: JobStore) -> Intake:
    return Intake(Inputs(tmp_path / "inputs"), store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    (place / "below").mkdir(parents=True)
    for name, side in (("b.png", 8), ("a.JPG", 16), ("below/c.png", 24)):
        Image.new("RGB", (side, side)).save(place / name, "JPEG" if name.endswith("JPG") else "PNG")
    (place / "broken.webp").write_bytes(b"no picture")
    (place / "notes.txt").write_text("not asked for")
    return place


def test_its_pictures_are_taken_in_by_name_and_what_is_wrong_with_others_is_told(folder: Path, intake: Intake) -> None:
    told = json.loads(answer_of(f" {folder} ", HERE, intake))
    assert [intake.inputs.find(name).width for name in told["names"]] == [16, 8]
    assert told["told"].startswith("broken.webp: ") and "notes" not in told["told"]


def test_a_guest_reads_no_folder(folder: Path, intake: Intake) -> None:
    told = json.loads(answer_of(str(folder), GUEST, intake))
    assert "log in" in told["problem"]
    assert not list(intake.inputs.folder.glob("*.png"))


@pytest.mark.parametrize("named", ["", "pictures", "../pictures", "/no/such/folder", "a\0b", "/\0"])
def test_what_is_no_folder_is_told(named: str) -> None:
    with pytest.raises(InvalidRequest):
        pictures_in(named)


def test_of_very_many_the_first_are_taken(folder: Path, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_folder, "MOST_AT_ONCE", 1)
    told = json.loads(answer_of(str(folder), HERE, intake))
    assert (len(told["names"]), told["told"]) == (1, "The first 1 of 3 were taken.")
