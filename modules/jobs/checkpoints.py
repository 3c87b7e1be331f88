"""The models that are there to draw with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs import diffusers_folder
from modules.jobs.checkpoint import Checkpoint
from modules.jobs.model_defaults import ModelDefaults, read_defaults
from modules.jobs.model_hash import HashCache, hash_folder

logger = logging.getLogger(__name__)

_LISTED_AT_MOST = 12
_FALLBACK_SIDE = 512
_LONGEST_REASON = 200
_LOOKS_AGAIN_SECONDS = 1.0
_HASH_AT_ONCE_BYTES = 256_000_000  # below this hashing takes a fraction of a second, so that the title never changes


class CheckpointCatalogue:
    """The models of several models folders, `<folder>/Stable-diffusion/*`. Safe to use from several threads.

    `hash_cache` is a file that remembers hashes between starts; None remembers them for the life of the object.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        hash_cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = tuple(folder / "Stable-diffusion" for folder in folders)
        self._hashes = HashCache(hash_cache)
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # Held before `_lock`, by who looks at the folders.
        self._found: tuple[Checkpoint, ...] | None = None
        self._looked_at = 0.0
        self._looked: tuple[tuple[int, int] | None, ...] = ()

    def list(self) -> tuple[Checkpoint, ...]:
        """Return all models by name; those with a problem are among them."""
        with self._lock:
            if self._found is not None:
                return self._found
        with self._looking:
            return self._found if self._found is not None else self._look()

    def refresh(self) -> None:
        """Look at the folders again."""
        with self._looking:
            self._look()

    def find(self, name: str) -> Checkpoint:
        """Return the model with this name, title or hash, looking at the folders again when it is not known.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        found = self._match(name)
        if found is None and self._refresh_if_due():
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

    def _refresh_if_due(self) -> bool:
        """Look again if a model came or went, or if the last look was a while ago; tell whether there is news.

        A look at many models takes time, and anybody may ask for names that are not known.
        """
        with self._looking:
            if self._looked == _stamps(self._places) and self._clock() - self._looked_at < _LOOKS_AGAIN_SECONDS:
                return False
            self._look()
            return True

    def _look(self) -> tuple[Checkpoint, ...]:
        self._looked = _stamps(self._places)
        found = self._scan()
        self._looked_at = self._clock()
        with self._lock:
            self._found = found
        return found

    def _scan(self) -> tuple[Checkpoint, ...]:
        found: dict[str, Checkpoint] = {}
        seen: set[Path] = set()
        for place in self._places:
            for path in _entries(place):
                whole = _resolved(path)
                if whole in seen:
                    continue
                seen.add(whole)
                name = _readable(path.name)
                name = name if name not in found else f"{_readable(place.parent.name)}/{name}"
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
        defaults, defaults_problem = read_defaults(path)
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


def _stamps(places: Sequence[Path]) -> tuple[tuple[int, int] | None, ...]:
    """Tell one set of names in the folders from another."""
    stamps: list[tuple[int, int] | None] = []
    for place in places:
        try:
            status = place.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_mtime_ns, status.st_ino))
    return tuple(stamps)


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
