"""The models that are there to draw with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from modules.errors import InvalidRequest, ModelError
from modules.jobs import diffusers_folder
from modules.jobs.model_hash import HashCache, hash_folder
from modules.jobs.untrusted_file import read_object

logger = logging.getLogger(__name__)

SHORT_HASH_LENGTH = 10
_LISTED_AT_MOST = 12
_FALLBACK_SIDE = 512
_LONGEST_REASON = 200
_HASH_AT_ONCE_BYTES = 256_000_000  # below this hashing takes a fraction of a second, so that the title never changes


class ModelDefaults(BaseModel):
    """What a model draws with when a request leaves it open; `defaults.json` in its folder may say it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: int = 20
    cfg_scale: float = 7.0
    sampler_name: str = "Euler"
    scheduler: str = "Automatic"


@dataclass(frozen=True)
class Checkpoint:
    """A model. `problem` names what it lacks, None when it can be used; sizes are in pixels."""

    name: str
    path: Path
    kind: Literal["folder", "file"]
    native_width: int
    native_height: int
    sha256: str | None
    defaults: ModelDefaults
    tokenizer_file: Path | None
    problem: str | None

    @property
    def short_hash(self) -> str | None:
        """The ten hexadecimal digits that infotext and titles show."""
        return self.sha256[:SHORT_HASH_LENGTH] if self.sha256 else None

    @property
    def title(self) -> str:
        """The name as REST clients know it, with the hash once that is known."""
        return f"{self.name} [{self.short_hash}]" if self.short_hash else self.name

    def check_usable(self) -> None:
        """Check that nothing is missing.

        Raises:
            ModelError: something is; the message names the file and the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"Checkpoint {self.name} cannot be used: {self.problem}")


class CheckpointCatalogue:
    """The models of several models folders, `<folder>/Stable-diffusion/*`. Safe to use from several threads.

    `hash_cache` is a file that remembers hashes between starts; None remembers them for the life of the object.
    """

    def __init__(self, folders: Sequence[Path], hash_cache: Path | None = None) -> None:
        self._folders = tuple(folders)
        self._hashes = HashCache(hash_cache)
        self._lock = threading.Lock()
        self._found: tuple[Checkpoint, ...] | None = None

    def list(self) -> tuple[Checkpoint, ...]:
        """Return all models by name; those with a problem are among them."""
        with self._lock:
            if self._found is None:
                self._found = self._scan()
            return self._found

    def refresh(self) -> None:
        """Look at the folders again."""
        found = self._scan()
        with self._lock:
            self._found = found

    def find(self, name: str) -> Checkpoint:
        """Return the model with this name, title or hash, looking at the folders again when it is not known.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        found = self._match(name)
        if found is None:
            self.refresh()
            found = self._match(name)
        if found is None:
            names = [checkpoint.name for checkpoint in self.list()]
            more = len(names) - _LISTED_AT_MOST
            listed = ", ".join(names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
            remedy = f"use one of {listed}" if names else "put a model into models/Stable-diffusion"
            raise InvalidRequest(f"Checkpoint {name!r} is not known: {remedy}.", field="sd_model_checkpoint")
        return found

    def hashed(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the model with its hash, reading its weights if nobody did so before (seconds for a large one).

        Raises:
            ModelError: the weights cannot be read.
        """
        if checkpoint.sha256 is not None:
            return checkpoint
        files = diffusers_folder.weight_files(checkpoint.path)
        try:
            digest = self._hashes.get(files) or self._hashes.put(files, hash_folder(checkpoint.path, files))
        except OSError as error:
            reason = error.strerror or error
            raise ModelError(f"The weights of {checkpoint.name} cannot be read ({reason}): {error.filename}") from error
        complete = replace(checkpoint, sha256=digest)
        with self._lock:
            found = self._found or ()
            self._found = tuple(complete if one.path == complete.path else one for one in found) or None
        return complete

    def _match(self, name: str) -> Checkpoint | None:
        wanted = name.strip()
        for checkpoint in self.list():
            if wanted in (checkpoint.name, checkpoint.title, checkpoint.short_hash, checkpoint.sha256):
                return checkpoint
        # The title of before the hash was known, or of other weights under the same name.
        bare = wanted.rsplit(" [", 1)[0].casefold()
        return next((one for one in self.list() if one.name.casefold() == bare), None)

    def _scan(self) -> tuple[Checkpoint, ...]:
        found: dict[str, Checkpoint] = {}
        seen: set[Path] = set()
        for folder in self._folders:
            for path in _entries(folder / "Stable-diffusion"):
                whole = _resolved(path)
                if whole in seen:
                    continue
                seen.add(whole)
                name = _readable(path.name)
                name = name if name not in found else f"{_readable(folder.name)}/{name}"
                found.setdefault(name, self._read(name, path))
        return tuple(sorted(found.values(), key=lambda checkpoint: checkpoint.name.casefold()))

    def _read(self, name: str, path: Path) -> Checkpoint:
        """Look into one folder. Whatever an odd one brings about is its own problem, and nobody else's."""
        try:
            return self._look_at(name, path)
        except Exception as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            logger.warning("The model %s cannot be read: %s", name, _readable(reason))
            problem = f"{path} cannot be read ({reason}): give your user read access to it, or take it away."
            return _unusable(name, path, _readable(problem))

    def _look_at(self, name: str, path: Path) -> Checkpoint:
        if _readable(str(path)) != str(path):
            return _unusable(name, path, f"The name of {_readable(str(path))} is not UTF-8: rename it.")
        defaults, defaults_problem = _read_defaults(path)
        problem = diffusers_folder.find_problem(path) or defaults_problem
        if problem is not None:
            return replace(_unusable(name, path, _readable(problem)), defaults=defaults)
        width, height = diffusers_folder.native_size(path)
        return Checkpoint(
            name=name,
            path=path,
            kind="folder",
            native_width=width,
            native_height=height,
            sha256=self._quick_hash(path),
            defaults=defaults,
            tokenizer_file=diffusers_folder.tokenizer_file(path),
            problem=None,
        )

    def _quick_hash(self, path: Path) -> str | None:
        """The hash if it is remembered or the model is small, else None."""
        files = diffusers_folder.weight_files(path)
        try:
            remembered = self._hashes.get(files)
            if remembered is None and sum(file.stat().st_size for file in files) <= _HASH_AT_ONCE_BYTES:
                return self._hashes.put(files, hash_folder(path, files))
        except OSError:
            return None
        return remembered


def _entries(place: Path) -> list[Path]:
    """Return the folders in `place`; `place` itself where it is there and cannot be listed, to be told of."""
    try:
        paths = sorted(place.iterdir())
    except FileNotFoundError:
        return []
    except OSError:
        return [place]
    return [path for path in paths if not path.name.startswith(".") and _is_folder(path)]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return True  # It may be one: reading it tells what is wrong.


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def _readable(text: str) -> str:
    """Return text that can be sent: names on disk may hold bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()


def _unusable(name: str, path: Path, problem: str) -> Checkpoint:
    return Checkpoint(
        name=name,
        path=path,
        kind="folder",
        native_width=_FALLBACK_SIDE,
        native_height=_FALLBACK_SIDE,
        sha256=None,
        defaults=ModelDefaults(),
        tokenizer_file=None,
        problem=problem,
    )


def _read_defaults(path: Path) -> tuple[ModelDefaults, str | None]:
    """Return the defaults and, when their file is damaged, the problem."""
    try:
        return ModelDefaults.model_validate(read_object(path / "defaults.json")), None
    except FileNotFoundError:
        return ModelDefaults(), None
    except (OSError, ValueError):
        return ModelDefaults(), f"defaults.json in {path} is damaged: repair it, or take it away."
