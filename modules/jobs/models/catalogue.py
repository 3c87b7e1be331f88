"""The models that are there to draw with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.folder import find_models, look_at, readable, stamp_of
from modules.jobs.models.hashes import HashCache, fingerprint, hash_folder
from modules.jobs.models.vae_catalogue import VaeCatalogue
from modules.jobs.models.weight_files import weights_of_folder, weights_of_model

_LISTED_AT_MOST = 12
_LOOKS_AGAIN_SECONDS = 1.0
_HASH_AT_ONCE_BYTES = 256_000_000  # below this hashing takes a fraction of a second, so that the title never changes


class CheckpointCatalogue:
    """The models of several models folders, `<folder>/Stable-diffusion/*`. Safe to use from several threads.

    `hash_cache` is a file that remembers hashes between starts; None remembers them for the life of the object. `vaes`
    are those in files of their own.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        hash_cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folders = tuple(folders)
        self._places = tuple(folder / "Stable-diffusion" for folder in folders)
        self._hashes = HashCache(hash_cache)
        self.vaes = VaeCatalogue(folders, self._hashes, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # Held before `_lock`, by who looks at the folders.
        self._found: tuple[Checkpoint, ...] | None = None
        self._looked_at = 0.0
        self._looked: tuple[tuple[int, int] | None, ...] = ()

    def list(self) -> tuple[Checkpoint, ...]:
        """Return all models by name as they were at the last look; those with a problem are among them."""
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
        """Return the model with this name, title or hash as it is now: it is read again when its files changed.

        The folders are looked at again when it is not known.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        found = self._match(name)
        if found is not None:
            found = self._as_it_is(found)
        if found is None and self._refresh_if_due():
            found = self._match(name)
        if found is None:
            names = [checkpoint.name for checkpoint in self.list() if checkpoint.problem is None]
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
        complete = replace(checkpoint, sha256=self._hash_of(checkpoint, weights_of_model))
        self._replace(checkpoint, complete)
        return complete

    def had_hash(self, checkpoint: Checkpoint, digest: str) -> bool:
        """Tell whether this is the model's hash by the rule of the first versions, reading its weights (seconds).

        Raises:
            ModelError: the weights cannot be read.
        """
        return self._hash_of(checkpoint, weights_of_folder) == digest

    def _match(self, name: str) -> Checkpoint | None:
        wanted = name.strip()
        for checkpoint in self.list():
            if wanted in (checkpoint.name, checkpoint.title, checkpoint.short_hash, checkpoint.sha256):
                return checkpoint
        # The title of before the hash was known, or of other weights under the same name.
        bare = wanted.rsplit(" [", 1)[0].casefold()
        named = [one for one in self.list() if bare in (one.name.casefold(), one.name_without_suffix.casefold())]
        return min(named, key=lambda one: one.name.casefold() != bare, default=None)

    def _as_it_is(self, known: Checkpoint) -> Checkpoint | None:
        """Return a model that is known as its files are now, None when it is gone."""
        if known.problem is None and known.stamp == stamp_of(known.path):
            return known
        if not known.path.exists():
            return None
        now = self._read(known.name, known.path)
        self._replace(known, now)
        return now

    def _replace(self, before: Checkpoint, after: Checkpoint) -> None:
        """Put one in the place of another, unless that was read anew meanwhile."""
        with self._lock:
            if self._found is not None:
                self._found = tuple(after if one is before else one for one in self._found)

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
        known = {(one.name, one.path): one for one in self._found or ()}
        found: dict[str, Checkpoint] = {}
        seen: set[Path] = set()
        for place in self._places:
            for name, path in find_models(place):
                whole = _resolved(path)
                if whole in seen:
                    continue
                seen.add(whole)
                full_name = name if name not in found else f"{readable(place.parent.name)}/{name}"
                before = known.get((full_name, path))
                now = self._as_it_is(before) if before is not None else None
                found.setdefault(full_name, now or self._read(full_name, path))
        self._looked_at = self._clock()
        with self._lock:
            self._found = tuple(sorted(found.values(), key=lambda one: one.name.casefold()))
            return self._found

    def _read(self, name: str, path: Path) -> Checkpoint:
        """Look at one model, with its hash if that is remembered or quickly made."""
        checkpoint = look_at(name, path)
        if checkpoint.problem is not None:
            return checkpoint
        try:
            files = weights_of_model(path)
            quick = sum(file.stat().st_size for file in files) <= _HASH_AT_ONCE_BYTES
            sha256 = self._hash(path, files) if quick else self._hashes.get(fingerprint(files))
        except (OSError, ValueError):
            return checkpoint
        return replace(checkpoint, sha256=sha256)

    def _hash_of(self, checkpoint: Checkpoint, weights_of: Callable[[Path], Sequence[Path]]) -> str:
        try:
            return self._hash(checkpoint.folder, weights_of(checkpoint.folder))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            where = getattr(error, "filename", None) or checkpoint.path
            raise ModelError(f"The weights of {checkpoint.name} cannot be read ({reason}): {where}") from error

    def _hash(self, path: Path, files: Sequence[Path]) -> str:
        state = fingerprint(files)  # As they are before they are read: who changes them meanwhile changes this too.
        return self._hashes.get(state) or self._hashes.put(state, hash_folder(path, files))


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


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
