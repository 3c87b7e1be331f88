"""Faces are read from the network's numbers, turned upright and put back where they were."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from modules.engine.models.devices import Device
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.engine.upscaling import faces
from modules.engine.upscaling.face_finder import Face, RetinaFace, _places, load_finder, read_faces
from modules.engine.upscaling.faces import FaceMenders
from modules.errors import ModelError
from modules.jobs.kinds.base import Source
from modules.jobs.kinds.extras_values import MendedFaces
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.shared_state import State


@pytest.fixture(scope="module")
def finder() -> RetinaFace:
    torch.manual_seed(0)
    return RetinaFace().eval()


def test_its_tensors_have_the_names_of_facexlibs_file(finder: RetinaFace, tmp_path: Path) -> None:
    state = finder.state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    for name, shape in {
        "body.conv1.weight": (64, 3, 7, 7),
        "body.layer4.2.conv3.weight": (2048, 512, 1, 1),
        "fpn.output1.0.weight": (256, 512, 1, 1),
        "fpn.output3.1.running_mean": (256,),
        "fpn.merge2.0.weight": (256, 256, 3, 3),
        "ssh1.conv3X3.0.weight": (128, 256, 3, 3),
        "ssh3.conv7x7_3.1.bias": (64,),
        "ClassHead.0.conv1x1.weight": (4, 256, 1, 1),
        "BboxHead.2.conv1x1.bias": (8,),
        "LandmarkHead.1.conv1x1.weight": (20, 256, 1, 1),
    }.items():
        assert shapes[name] == shape
    assert load_finder(tmp_path, {f"module.{name}": weight for name, weight in state.items()}) is not None
    with pytest.raises(ModelError, match="is no RetinaFace with a ResNet of 50 layers: use detection_Resnet50_Final"):
        load_finder(tmp_path, {"a": torch.zeros(1)})


def test_it_says_as_much_as_there_are_places(finder: RetinaFace) -> None:
    with torch.inference_mode():
        scores, boxes, points = finder(torch.zeros(1, 3, 96, 64))
    count = len(_places((64, 96)))
    assert (scores.shape, boxes.shape, points.shape) == ((count,), (count, 4), (count, 10))


def test_faces_are_where_the_numbers_say_once_each() -> None:
    places = _places((64, 64))
    scores, boxes, points = torch.zeros(len(places)), torch.zeros(len(places), 4), torch.zeros(len(places), 10)
    # Of one face two boxes are sure, of which one is kept.
    one, other = 10, 11
    scores[one], scores[other] = 0.99, 0.98
    boxes[other, :2] = (places[one, :2] - places[other, :2]) / places[other, 2:] / 0.1
    boxes[other, 2:] = torch.log(places[one, 2:] / places[other, 2:]) / 0.2
    points[one] = torch.tensor([-4, -4, 4, -4, 0, 0, -3, 4, 3, 4], dtype=torch.float32)
    (face,) = read_faces(scores, boxes, points, (64, 64), (2.0, 3.0))
    centre, side = places[one, :2].numpy(), places[one, 2].item()
    assert np.allclose(face.points[2], centre * (2, 3))
    assert np.allclose(face.points[0], (centre - 0.4 * side) * (2, 3))


def test_a_face_is_turned_upright_and_comes_back_to_its_place() -> None:
    picture = Image.effect_noise((300, 260), 60).convert("RGB").resize((300, 260))
    angle = 0.4
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))]) * 0.3
    points = faces._USUAL @ turn.T + (110, 20)
    draw = ImageDraw.Draw(picture)
    for (x, y), colour in zip(points, ("red", "lime", "blue", "cyan", "yellow"), strict=True):
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour)
    upright = faces.turned_upright(picture, Face(points))
    assert upright.size == (512, 512)
    for (x, y), seen in zip(faces._USUAL, ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=False):
        assert np.abs(np.array(upright.getpixel((round(x), round(y)))) - seen).max() < 40
    before = picture.copy()
    faces.put_back(picture, Image.new("RGB", (512, 512), "black"), Face(points), 1.0)
    x, y = (faces._USUAL.mean(axis=0) @ turn.T + (110, 20)).round().astype(int)
    assert picture.getpixel((int(x), int(y))) == (0, 0, 0)
    assert picture.getpixel((2, 2)) == before.getpixel((2, 2))
    half = before.copy()
    faces.put_back(half, Image.new("RGB", (512, 512), "black"), Face(points), 0.5)
    expected = np.array(before.getpixel((int(x), int(y)))) / 2
    assert np.abs(np.array(half.getpixel((int(x), int(y)))) - expected).max() <= 2


def test_a_face_outside_of_the_picture_changes_nothing() -> None:
    picture = Image.new("RGB", (64, 64), "white")
    faces.put_back(picture, Image.new("RGB", (512, 512)), Face(faces._USUAL + 5000), 1.0)
    assert picture.tobytes() == Image.new("RGB", (64, 64), "white").tobytes()


def test_faces_are_mended_as_far_as_they_are_to_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    turn = np.eye(2) * 0.2
    face = Face(faces._USUAL @ turn.T + (20, 10))
    cancel = Cancel(State())
    catalogue = CheckpointCatalogue([tmp_path])
    menders = FaceMenders(CPU, cancel, catalogue.files, ModelCache(CPU, cancel))
    asked: list[dict[str, object]] = []

    def restorer(shown: torch.Tensor, **how: object) -> tuple[torch.Tensor]:
        asked.append(how)
        assert shown.shape == (1, 3, 512, 512) and shown.min() >= -1 and shown.max() <= 1
        return (torch.ones_like(shown),)

    monkeypatch.setattr(menders, "_get", lambda source, make: finder_or(source, restorer))
    monkeypatch.setattr(faces, "find_faces", lambda finder, picture, device: [face])
    source = Source(name="a.pth", hash="a")
    picture = Image.new("RGBA", (160, 140), (10, 20, 30, 200))
    for name, how in {"GFPGAN": {"randomize_noise": False}, "CodeFormer": {"weight": 0.25}}.items():
        wish = MendedFaces(restorer=name, model=source, detector=DETECTOR, visibility=0.5, weight=0.25)
        mended = menders.mend(wish, picture)
        assert asked.pop() == how
        assert mended.mode == "RGBA" and mended.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
        x, y = (faces._USUAL.mean(axis=0) @ turn.T + (20, 10)).round().astype(int)
        seen = mended.getpixel((int(x), int(y)))
        assert isinstance(seen, tuple)
        assert np.abs(np.array(seen[:3]) - (132, 137, 142)).max() <= 2
        assert mended.getpixel((0, 0)) == (10, 20, 30, 200)


DETECTOR = Source(name="d.pth", hash="d")
CPU = Device("cpu", "CPU")


def finder_or(source: Source, restorer: object) -> object:
    return RetinaFace.__new__(RetinaFace) if source == DETECTOR else restorer
