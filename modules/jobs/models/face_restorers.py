"""What mends faces: A1111's two restorers, each of which needs its own file and one that finds the faces."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.detection.upscalers import CODEFORMER, GFPGAN, RETINAFACE
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.model_file import ModelFile

# The architecture of CodeFormer, whose licence forbids use for money, is in a package of its own.
PACKAGE_OF_CODEFORMER = "spandrel_extra_arches"
_DETECTOR = "detection_Resnet50_Final.pth"
_FOLDERS = {GFPGAN: "models/GFPGAN", CODEFORMER: "models/Codeformer"}


@dataclass(frozen=True)
class FaceRestorer:
    """A restorer of faces: `file` mends what `detector` found. `problem` says what is missing, and what to do."""

    name: str
    file: ModelFile | None = None
    detector: ModelFile | None = None
    problem: str | None = None

    def check_usable(self) -> None:
        """Check that nothing is missing.

        Raises:
            ModelError: something is; the message has the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"{self.name} cannot be used: {self.problem}")


class FaceRestorers:
    """GFPGAN and CodeFormer, as far as they are there. Safe to use from any thread."""

    def __init__(self, files: FileCatalogue) -> None:
        self._files = files

    def list(self) -> tuple[FaceRestorer, ...]:
        """Return both, with what is missing as their problem."""
        self._files.refresh_if_due("face_restorer")
        files = self._files.list("face_restorer")
        detector = _newest(files, RETINAFACE)
        return tuple(_restorer(name, _newest(files, name), detector) for name in (CODEFORMER, GFPGAN))

    def find(self, name: str) -> FaceRestorer:
        """Return the restorer of this name, large or small letters.

        Raises:
            InvalidRequest: there is none of that name.
        """
        for one in self.list():
            if one.name.casefold() == name.strip().casefold():
                return one
        raise InvalidRequest(f"Face restorer {name!r} is not known: use {CODEFORMER} or {GFPGAN}.")


def _newest(files: tuple[ModelFile, ...], does: str) -> ModelFile | None:
    """Return the file that does this; of several the last by name, which is the newest version, else one that works."""
    doing = [file for file in files if file.does == does]
    usable = [file for file in doing if file.problem is None]
    return next(reversed(usable or doing), None)


def _restorer(name: str, file: ModelFile | None, detector: ModelFile | None) -> FaceRestorer:
    problem = None
    if file is None:
        problem = f"its file is not there: put it into {_FOLDERS[name]}."
    elif file.problem is not None:
        problem = file.problem
    elif name == CODEFORMER and importlib.util.find_spec(PACKAGE_OF_CODEFORMER) is None:
        problem = f"the package {PACKAGE_OF_CODEFORMER} is not installed: pip install {PACKAGE_OF_CODEFORMER}."
    elif detector is None:
        problem = f"nothing finds faces for it: put {_DETECTOR} of facexlib into {_FOLDERS[GFPGAN]}."
    elif detector.problem is not None:
        problem = detector.problem
    return FaceRestorer(name, file, detector, problem)
