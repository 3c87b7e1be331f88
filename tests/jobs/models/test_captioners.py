"""Folders that tell what is on a picture are found, and what is missing is said."""

import json
from pathlib import Path

import pytest

from modules.errors import InvalidRequest
from modules.jobs.models.catalogue import CheckpointCatalogue


def make(folder: Path, config: object = None, weights: str = "model.safetensors") -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "blip"} if config is None else config))
    (folder / weights).write_bytes(b"x")


def test_they_are_found_in_each_of_their_folders(tmp_path: Path) -> None:
    make(tmp_path / "a" / "interrogate" / "BLIP-base")
    make(tmp_path / "b" / "models" / "image-to-text" / "git", weights="pytorch_model.bin")
    make(tmp_path / "b" / "interrogate")
    (tmp_path / "a" / "interrogate" / "empty").mkdir()
    captioners = CheckpointCatalogue([tmp_path / "a", tmp_path / "b"]).captioners
    assert [(one.name, one.problem) for one in captioners.list()] == [
        ("BLIP-base", None), ("git", None), ("interrogate", None),
    ]  # fmt: skip
    for asked, name in {"clip": "BLIP-base", "": "BLIP-base", "GIT": "git"}.items():
        assert captioners.find(asked).name == name
    with pytest.raises(InvalidRequest, match=r"Model 'x' not found: use one of clip, BLIP-base, git, interrogate, or"):
        captioners.find("x")


def test_what_is_wrong_with_one_is_said(tmp_path: Path) -> None:
    root = tmp_path / "interrogate"
    make(root / "untyped", {})
    make(root / "listed", [])
    make(root / "light", weights="readme.txt")
    problems = {one.name: one.problem or "" for one in CheckpointCatalogue([tmp_path]).captioners.list()}
    assert "does not say what the model is (model_type)" in problems["untyped"]
    assert "holds no JSON object" in problems["listed"]
    assert "no weights (*.safetensors) are in" in problems["light"]


def test_where_there_is_none_the_remedy_is_said(tmp_path: Path) -> None:
    captioners = CheckpointCatalogue([tmp_path]).captioners
    for asked in ("clip", "deepdanbooru"):
        with pytest.raises(InvalidRequest, match="put the folder of an image-to-text model of transformers, such as"):
            captioners.find(asked)
