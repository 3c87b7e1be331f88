"""What mends faces is offered only where all that it needs is there; else it is said what is missing."""

import importlib.util
from pathlib import Path

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models import face_restorers
from modules.jobs.models.catalogue import CheckpointCatalogue

PICKLE = b"\x80\x02}."


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PICKLE)


def test_gfpgan_needs_its_file_and_one_that_finds_faces(tmp_path: Path) -> None:
    restorers = CheckpointCatalogue([tmp_path]).face_restorers
    assert [one.name for one in restorers.list()] == ["CodeFormer", "GFPGAN"]
    assert "its file is not there: put it into models/GFPGAN" in str(restorers.find("gfpgan").problem)
    put(tmp_path, "GFPGAN/GFPGANv1.3.pth", "GFPGAN/GFPGANv1.4.pth", "GFPGAN/parsing_parsenet.pth")
    restorers = CheckpointCatalogue([tmp_path]).face_restorers
    with pytest.raises(ModelError, match=r"put detection_Resnet50_Final.pth of facexlib into models/GFPGAN"):
        restorers.find("GFPGAN").check_usable()
    put(tmp_path, "facedetection/detection_Resnet50_Final.pth")
    found = CheckpointCatalogue([tmp_path]).face_restorers.find("GFPGAN")
    found.check_usable()
    assert found.file is not None and found.detector is not None
    assert (found.file.name, found.detector.name) == ("GFPGANv1.4.pth", "detection_Resnet50_Final.pth")
    with pytest.raises(InvalidRequest, match="Face restorer 'x' is not known: use CodeFormer or GFPGAN"):
        restorers.find("x")


def test_codeformer_needs_a_package_that_is_not_brought_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "Codeformer/codeformer-v0.1.0.pth", "GFPGAN/detection_Resnet50_Final.pth")
    there: list[object] = []
    find = importlib.util.find_spec
    package = face_restorers.PACKAGE_OF_CODEFORMER
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: (there or [None])[0] if name == package else find(name, *more)
    )
    restorers = CheckpointCatalogue([tmp_path]).face_restorers
    assert f"pip install {package}" in str(restorers.find("CodeFormer").problem)
    there.append(object())
    assert restorers.find("CodeFormer").problem is None
