"""Models that say what is on a picture: folders of transformers in `models/interrogate` or `models/image-to-text`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.foreign_bytes import say
from modules.jobs.models.places import Places
from modules.jobs.models.shelf import readable
from modules.jobs.models.untrusted_file import is_regular, read_object

# What A1111's clients call the usual one.
CLIP = "clip"
_FOLDERS = ("interrogate", "image-to-text", "image_to_text")
_MODELS = "models"
_CONFIG = "config.json"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_REMEDY = (
    "put the folder of an image-to-text model of transformers, such as Salesforce/blip-image-captioning-base, into "
    "models/interrogate"
)


@dataclass(frozen=True)
class Captioner:
    """A model that makes a text of a picture. `problem` says why it cannot be used, and what to do."""

    name: str
    path: Path
    problem: str | None = None

    def check_usable(self) -> None:
        """Check that nothing is wrong with it.

        Raises:
            ModelError: something is; the message has the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"{self.name} cannot be used: {self.problem}")


class Captioners:
    """The captioners in the models folders, as they lie there now. Safe to use from any thread."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def list(self) -> tuple[Captioner, ...]:
        """Return all by name; those with a problem are among them."""
        found: dict[str, Captioner] = {}
        for path in _lying_in(self._places.roots):
            name = readable(path.name)
            found.setdefault(name, Captioner(name, path, _find_problem(path)))
        return tuple(found[name] for name in sorted(found, key=str.casefold))

    def find(self, name: str) -> Captioner:
        """Return the captioner of this name; "" and "clip" are the first that can be used.

        Raises:
            InvalidRequest: there is none; the message says where one belongs.
        """
        known = self.list()
        usable = [one for one in known if one.problem is None]
        wanted = name.strip().casefold()
        found = next((one for one in known if one.name.casefold() == wanted), None)
        if found is None and wanted in ("", CLIP):
            found = next(iter(usable or known), None)
            if found is None:
                raise InvalidRequest(f"Nothing here tells what is on a picture: {_REMEDY}.", "model")
        if found is None:
            names = (
                f"use one of {', '.join([CLIP, *(one.name for one in usable)])}, or {_REMEDY}" if usable else _REMEDY
            )
            raise InvalidRequest(f"Model {name!r} not found: {names}.", "model")
        return found


def _lying_in(roots: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the folders of models under each root."""
    for root in roots:
        for parent in (root, root / _MODELS):
            for name in _FOLDERS:
                folder = parent / name
                try:
                    inside = sorted(folder.iterdir())
                except OSError:
                    continue
                if (folder / _CONFIG).exists():
                    yield folder
                yield from (one for one in inside if (one / _CONFIG).exists())


def _find_problem(path: Path) -> str | None:
    """Return why a folder cannot be used. Only its configuration is read."""
    try:
        config: Mapping[str, object] = read_object(path / _CONFIG)
    except OSError as error:
        return f"{path / _CONFIG} cannot be read ({error.strerror or error}): give your user read access to it."
    except ValueError as error:
        return f"{path / _CONFIG} {say(error)}."
    if not isinstance(config.get("model_type"), str):
        return f"{path / _CONFIG} does not say what the model is (model_type): {_REMEDY}."
    if not any(is_regular(file) for pattern in _WEIGHTS for file in path.glob(pattern)):
        return f"no weights (*.safetensors) are in {path}: fetch the model again."
    return None
