"""Mend faces: each is found, turned upright, mended by GFPGAN or CodeFormer, and put back where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter
from torch import nn

from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.model_cache import ModelCache, free_memory
from modules.engine.models.weights_file import read_weights
from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.upscaling.face_finder import Face, Points, RetinaFace, find_faces, load_finder
from modules.engine.upscaling.network import describe
from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import Source
from modules.jobs.kinds.extras_values import MendedFaces
from modules.jobs.models.detection.upscalers import CODEFORMER
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.hashes import hash_file
from modules.jobs.models.model_file import ModelFile

Matrix = npt.NDArray[np.float64]

SIDE = 512
# Where eyes, nose and mouth are on the faces of FFHQ, with which restorers were taught, at this side.
_USUAL: Points = np.array(
    [
        (192.98138, 239.94708), (318.90277, 240.1936), (256.63416, 314.01935), (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)  # fmt: skip
# The border of a face that was put back: so much is left out, and so far it fades.
_INSET, _FADING = 28, 14


class FaceMenders:
    """Mends faces, and keeps what it needs for that until memory is short. On the thread that draws."""

    def __init__(self, device: Device, cancel: Cancel, files: FileCatalogue, model_cache: ModelCache) -> None:
        self._device = device
        self._cancel = cancel
        self._files = files
        self._model_cache = model_cache
        self._kept: dict[str, nn.Module] = {}  # by hash
        model_cache.kept_beside.append(self.forget)

    def mend(self, faces: MendedFaces, picture: Image.Image) -> Image.Image:
        """Return a picture with its faces mended, as far as they are to show. One without faces stays as it is.

        Raises:
            Interrupted: the job was stopped.
            ModelError: a file is gone, was changed, or is another network.
        """
        finder = self._get(faces.detector, lambda path, weights: load_finder(path, weights))
        assert isinstance(finder, RetinaFace)
        opaque = picture.convert("RGB")
        found = find_faces(finder, opaque, self._device.torch_name)
        network = self._get(faces.model, _load_restorer) if found else None
        for face in found:
            self._cancel.check()
            assert network is not None
            upright = turned_upright(opaque, face)
            put_back(opaque, self._restored(network, upright, faces), face, faces.visibility)
        if picture.mode == "RGBA":
            opaque.putalpha(picture.getchannel("A"))
        return opaque

    @property
    def keys(self) -> frozenset[str]:
        """Which networks are in memory, by hash."""
        return frozenset(self._kept)

    def forget(self) -> None:
        """Give back the memory of what is kept."""
        if self._kept:
            self._kept.clear()
            free_memory(self._device)

    def _restored(self, network: Any, face: Image.Image, faces: MendedFaces) -> Image.Image:
        shown = torch.from_numpy(np.array(face)).permute(2, 0, 1)[None].float().to(self._device.torch_name)
        with torch.inference_mode():
            # The same noise each time, so that the same picture gives the same bits.
            how = {"weight": faces.weight} if faces.restorer == CODEFORMER else {"randomize_noise": False}
            made = network(shown / 127.5 - 1, **how)[0]
        if not bool(torch.isfinite(made).all()):
            raise ModelError(f"{faces.model.name} gave a face without numbers: use another restorer.")
        pixels = (made[0].float().clamp(-1, 1).add(1).mul(127.5)).round().byte().permute(1, 2, 0).cpu().numpy()
        return Image.fromarray(pixels)

    def _get(self, source: Source, make: Callable[[Path, dict[str, Any]], nn.Module]) -> nn.Module:
        if source.hash not in self._kept:
            file = self._find(source)
            self._model_cache.make_room_beside(file.size_bytes)
            network = wait_for(lambda: _load(file, source, make), self._cancel.check_waiting)
            self._model_cache.place_network(network, ModelKey(file.path, source.hash, "float32"))
            self._kept[source.hash] = network
        return self._kept[source.hash]

    def _find(self, source: Source) -> ModelFile:
        for name in (source.name, source.hash):
            try:
                return self._files.find("face_restorer", name)
            except InvalidRequest:
                continue
        raise ModelError(f"{source.name} is not there any more: put it back into models/GFPGAN, or submit it again.")


def turned_upright(picture: Image.Image, face: Face) -> Image.Image:
    """Return a face so turned and so large that its points are where restorers know them, 512 a side."""
    return picture.transform((SIDE, SIDE), Image.Transform.AFFINE, _data(fit(_USUAL, face.points)), _HOW)


def put_back(picture: Image.Image, mended: Image.Image, face: Face, visibility: float) -> None:
    """Put a face that was turned upright back onto the picture, which is changed; its border fades."""
    back = fit(_USUAL, face.points)
    corners = np.array([(0, 0, 1), (SIDE, 0, 1), (0, SIDE, 1), (SIDE, SIDE, 1)]) @ back.T
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), picture.size)
    if right <= left or bottom <= top:
        return
    there = np.linalg.inv(np.vstack([back, (0, 0, 1)]))[:2]
    there[:, 2] += there[:, :2] @ (left, top)  # from the box's own pixels
    size = (int(right - left), int(bottom - top))
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(round(255 * visibility), (_INSET, _INSET, SIDE - _INSET, SIDE - _INSET))
    mask = mask.filter(ImageFilter.GaussianBlur(_FADING))
    placed = mended.transform(size, Image.Transform.AFFINE, _data(there), _HOW)
    mask = mask.transform(size, Image.Transform.AFFINE, _data(there), Image.Resampling.BILINEAR)
    picture.paste(placed, (int(left), int(top)), mask)


def fit(points: Points, others: Points) -> Matrix:
    """Return the turn, size and shift, (2, 3), that bring points, (n, 2), as near to others as can be."""
    rows = [row for x, y in points for row in ((x, -y, 1, 0), (y, x, 0, 1))]
    (a, b, right, down), *_ = np.linalg.lstsq(np.array(rows), others.reshape(-1), rcond=None)
    return np.array([(a, -b, right), (b, a, down)])


_HOW = Image.Resampling.BICUBIC


def _data(matrix: Matrix) -> tuple[float, ...]:
    """Return a matrix as Pillow takes it: from a place of what is made to one of what there is."""
    return tuple(float(one) for one in matrix.reshape(-1))


def _load(file: ModelFile, source: Source, make: Callable[[Path, dict[str, Any]], nn.Module]) -> nn.Module:
    if (file.sha256 or hash_file(file.path)) != source.hash:
        raise ModelError(f"{source.name} was changed since this job was sent: submit it again.")
    return make(file.path, read_weights(file.path, lambda fraction: None))


def _load_restorer(path: Path, weights: dict[str, Any]) -> nn.Module:
    descriptor = describe(path, weights)
    if descriptor.purpose != "FaceSR":
        raise ModelError(f"{path} is a {descriptor.architecture.name} model, which mends no faces: use GFPGANv1.4.pth.")
    network: nn.Module = descriptor.model
    return network.eval().requires_grad_(False)
