"""Find faces: RetinaFace with a ResNet of 50 layers (Deng et al. 2019), in the file that facexlib and A1111 have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from PIL import Image
from torch import nn

from modules.errors import ModelError

Points = npt.NDArray[np.float64]

# It was taught with pictures of about this size.
_SHORT_SIDE, _LONGEST_SIDE = 640, 2048
_STEPS = (8, 16, 32)
_SIDES = ((16, 32), (64, 128), (256, 512))
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_SURE, _SAME_FACE = 0.97, 0.4
_MEAN_BGR = (104.0, 117.0, 123.0)
_CLOSEST_EYES = 5.0  # pixels; smaller faces hold nothing to mend
_CHANNELS = 256


@dataclass(frozen=True)
class Face:
    """A face on a picture: eyes, nose and corners of the mouth, (5, 2), in pixels."""

    points: Points


def _convolution(before: int, after: int, size: int = 3, active: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(before, after, size, 1, size // 2, bias=False), nn.BatchNorm2d(after)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


class _Pyramid(nn.Module):
    """Lets each of three levels see what the coarser ones saw."""

    def __init__(self) -> None:
        super().__init__()
        for number, before in enumerate((512, 1024, 2048), start=1):
            self.add_module(f"output{number}", _convolution(before, _CHANNELS, 1))
        self.merge1, self.merge2 = _convolution(_CHANNELS, _CHANNELS), _convolution(_CHANNELS, _CHANNELS)

    def forward(self, levels: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        fine, middle, coarse = (getattr(self, f"output{number + 1}")(level) for number, level in enumerate(levels))
        middle = self.merge2(middle + F.interpolate(coarse, size=middle.shape[2:], mode="nearest"))
        fine = self.merge1(fine + F.interpolate(middle, size=fine.shape[2:], mode="nearest"))
        return fine, middle, coarse


class _Context(nn.Module):
    """Looks at three surroundings of each place, as large as 3, 5 and 7."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = _CHANNELS // 2, _CHANNELS // 4
        self.conv3X3 = _convolution(_CHANNELS, half, active=False)
        self.conv5X5_1 = _convolution(_CHANNELS, quarter)
        self.conv5X5_2 = _convolution(quarter, quarter, active=False)
        self.conv7X7_2 = _convolution(quarter, quarter)
        self.conv7x7_3 = _convolution(quarter, quarter, active=False)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        five = self.conv5X5_1(seen)
        return F.relu(torch.cat([self.conv3X3(seen), self.conv5X5_2(five), self.conv7x7_3(self.conv7X7_2(five))], 1))


class _Head(nn.Module):
    """Says so many numbers of each of the two boxes of each place."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(_CHANNELS, 2 * numbers, 1)
        self.numbers = numbers

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.conv1x1(seen)
        return said.permute(0, 2, 3, 1).reshape(-1, self.numbers)


class RetinaFace(nn.Module):
    """Says for each box of each place whether a face is there, where, and where its points are."""

    def __init__(self) -> None:
        super().__init__()
        # Here, since most jobs need none of it.
        from torchvision.models import resnet50
        from torchvision.models._utils import IntermediateLayerGetter

        levels = {"layer2": "1", "layer3": "2", "layer4": "3"}
        self.body = IntermediateLayerGetter(resnet50(weights=None), levels)
        self.fpn = _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.ClassHead = nn.ModuleList(_Head(2) for _ in _STEPS)
        self.BboxHead = nn.ModuleList(_Head(4) for _ in _STEPS)
        self.LandmarkHead = nn.ModuleList(_Head(10) for _ in _STEPS)

    def forward(self, shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return scores (n,), boxes (n, 4), points (n, 10) for a picture, (1, 3, height, width), BGR less the mean."""
        levels = self.fpn(tuple(self.body(shown).values()))
        seen = [look(level) for look, level in zip((self.ssh1, self.ssh2, self.ssh3), levels, strict=True)]

        def said(heads: nn.ModuleList) -> torch.Tensor:
            return torch.cat([head(one) for head, one in zip(heads, seen, strict=True)])

        return said(self.ClassHead).softmax(-1)[:, 1], said(self.BboxHead), said(self.LandmarkHead)


def load_finder(path: Path, weights: Mapping[str, Any]) -> RetinaFace:
    """Return the network with these weights, on the CPU.

    Raises:
        ModelError: they are those of another network.
    """
    finder = RetinaFace()
    try:
        finder.load_state_dict({name.removeprefix("module."): weight for name, weight in weights.items()})
    except (RuntimeError, AttributeError) as error:
        raise ModelError(
            f"{path} is no RetinaFace with a ResNet of 50 layers: use detection_Resnet50_Final.pth of facexlib."
        ) from error
    return finder.eval().requires_grad_(False)


def find_faces(finder: RetinaFace, picture: Image.Image, device: str) -> list[Face]:
    """Return the faces on a picture, in RGB, the surest first."""
    times = min(_SHORT_SIDE / min(picture.size), _LONGEST_SIDE / max(picture.size))
    size = (max(32, round(picture.width * times)), max(32, round(picture.height * times)))
    pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)[:, :, ::-1]
    shown = torch.from_numpy(pixels - np.array(_MEAN_BGR, np.float32)).permute(2, 0, 1)[None].contiguous().to(device)
    with torch.inference_mode():
        scores, offsets, points = (one.float().cpu() for one in finder(shown))
    return read_faces(scores, offsets, points, size, (picture.width / size[0], picture.height / size[1]))


def read_faces(
    scores: torch.Tensor, offsets: torch.Tensor, points: torch.Tensor, size: tuple[int, int], times: tuple[float, float]
) -> list[Face]:
    """Return the faces that the network's numbers tell of, on a picture `times` as large as the one that it saw."""
    from torchvision.ops import nms

    sure = scores > _SURE
    places = _places(size)[sure]
    centres, sides = places[:, :2], places[:, 2:]
    middle = centres + offsets[sure, :2] * _CENTRE_VARIANCE * sides
    half = sides * torch.exp(offsets[sure, 2:] * _SIZE_VARIANCE) / 2
    kept = nms(torch.cat([middle - half, middle + half], 1), scores[sure], _SAME_FACE)
    found = centres[:, None] + points[sure].reshape(-1, 5, 2) * _CENTRE_VARIANCE * sides[:, None]
    faces = [Face(one.numpy().astype(np.float64) * np.array(times)) for one in found[kept]]
    return [face for face in faces if math.dist(*face.points[:2]) > _CLOSEST_EYES]


def _places(size: tuple[int, int]) -> torch.Tensor:
    """Return the boxes that the network looks at: centre and sides, (n, 4), in pixels, in the order of its numbers."""
    places: list[tuple[float, float, float, float]] = []
    for step, sides in zip(_STEPS, _SIDES, strict=True):
        rows, columns = math.ceil(size[1] / step), math.ceil(size[0] / step)
        for row, column in itertools.product(range(rows), range(columns)):
            places += [((column + 0.5) * step, (row + 0.5) * step, side, side) for side in sides]
    return torch.tensor(places)
