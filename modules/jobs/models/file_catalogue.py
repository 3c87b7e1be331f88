"""The files that are used together with a model to draw with, by their kind: VAEs, text encoders, LoRAs and so on."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.fact_cache import FactCache, Remembered
from modules.jobs.models.hashes import (
    HashCache,
    fingerprint,
    fingerprint_seen,
    hash_file,
    hash_file_and_tensors,
    of_tensors,
)
from modules.jobs.models.model_file import LABELS, ModelFile, look_at_file
from modules.jobs.models.places import DRAWN, KINDS, VAE_BESIDE, Kind, Place, Places
from modules.jobs.models.scan import Found, Scan, scan, stamp_of_model
from modules.jobs.models.shelf import Shelf

_LISTED_AT_MOST = 12
_SUFFIXES: Mapping[Kind, tuple[str, ...]] = {
    "vae": (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin"),
    "text_encoder": (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin"),
    "lora": (".safetensors", ".sft", ".ckpt", ".pt"),
    "embedding": (".safetensors", ".sft", ".pt", ".bin"),
    "upscaler": (".safetensors", ".sft", ".pth", ".pt", ".ckpt"),
    "face_restorer": (".safetensors", ".sft", ".pth", ".pt", ".ckpt"),
    "controlnet": (".safetensors", ".sft", ".gguf", ".pth", ".pt", ".ckpt", ".bin"),
    "tiny_decoder": (".safetensors", ".sft", ".pth", ".pt"),
}
FILE_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in _SUFFIXES)


class FileCatalogue:
    """The files of several models folders by kind. A kind is looked for when somebody asks for it first.

    Safe to use from several threads.
    """

    def __init__(
        self, places: Places, hashes: HashCache, facts: FactCache, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places, self._hashes, self._clock = places, hashes, clock
        self._remembered = {kind: Remembered(facts, kind, ModelFile) for kind in FILE_KINDS}
        self._lock = threading.Lock()
        self._shelves: dict[Kind, Shelf[ModelFile]] = {}

    def list(self, kind: Kind) -> tuple[ModelFile, ...]:
        """Return all files of a kind by name, as they were at the last look; those with a problem are among them."""
        return self._shelf(kind).list()

    def find(self, kind: Kind, name: str) -> ModelFile:
        """Return the file of this name, path or hash as it is now, with or without folders and suffix.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        found = self._shelf(kind).find(name)
        if found is None:
            label, place = LABELS[kind]
            names = [one.name_without_suffix for one in self.list(kind) if one.problem is None]
            more = len(names) - _LISTED_AT_MOST
            listed = ", ".join(names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
            remedy = f"use one of {listed}, or put it" if names else "put it"
            raise InvalidRequest(f"{label} {name!r} is not known: {remedy} into {place}.")
        return found

    def hashed(self, file: ModelFile, dropped: Callable[[], bool] | None = None) -> ModelFile:
        """Return the file with its hash, reading it if nobody did so before (seconds for a large one).

        A LoRA has that of its tensors too.

        Raises:
            ModelError: it cannot be read.
            InterruptedError: `dropped`, which is asked at every chunk, said that it is not wanted any more.
        """
        if file.sha256 is not None and file.content_hash is not None:
            return file
        how = () if dropped is None else (dropped,)
        try:
            state = fingerprint([file.path])  # As it is before it is read: who changes it meanwhile changes this too.
            complete = self._known_hashes(file, state)
            if file.kind == "lora" and complete.content_hash is None:
                whole, tensors = hash_file_and_tensors(file.path, *how)
                self._hashes.put(state, whole)
                self._hashes.put(of_tensors(state), tensors)
                complete = replace(file, sha256=whole, tensors_sha256=tensors)
            elif complete.sha256 is None:
                complete = replace(file, sha256=self._hashes.put(state, hash_file(file.path, *how)))
        except InterruptedError:
            raise
        except OSError as error:
            raise ModelError(f"{file.name} cannot be read ({error.strerror or error}): {file.path}") from error
        self._shelf(file.kind).replace(file, complete)
        return complete

    def remembered(self, file: ModelFile) -> ModelFile:
        """Return the file with its hash if anybody has made that, which may have been another process."""
        if file.sha256 is not None and file.content_hash is not None:
            return file
        try:
            return self._known_hashes(file, fingerprint([file.path]))
        except OSError:
            return file

    def look_for_all(self) -> None:
        """Look for the kinds that nobody has asked for yet: from now on `revision` counts them too."""
        for kind in FILE_KINDS:
            self._shelf(kind).list()

    def refresh(self, kind: Kind | None = None) -> None:
        """Look at the folders again, for one kind or for all that were asked for."""
        for shelf in self._known_shelves() if kind is None else (self._shelf(kind),):
            shelf.refresh()

    def refresh_if_due(self, kind: Kind) -> None:
        """Look at the folders of a kind again if something came or went, or if the last look was a while ago."""
        self._shelf(kind).refresh_if_due()

    def has_news(self) -> bool:
        """Tell whether something came into a folder or went since the last look."""
        return any(shelf.has_news() for shelf in self._known_shelves())

    def complete(self, seconds: float) -> bool:
        """Read for so long what a look at thousands of files has left for later; tell whether more is left."""
        left = tuple(shelf.complete(seconds) for shelf in self._known_shelves())
        return any(left)

    @property
    def revision(self) -> int:
        """A number that grows whenever something is known otherwise than before."""
        return sum(shelf.revision for shelf in self._known_shelves())

    def revision_of(self, kind: Kind) -> int:
        """The same for one kind."""
        return self._shelf(kind).revision

    def _known_shelves(self) -> tuple[Shelf[ModelFile], ...]:
        with self._lock:
            return tuple(self._shelves.values())

    def _shelf(self, kind: Kind) -> Shelf[ModelFile]:
        with self._lock:
            if kind not in self._shelves:
                self._shelves[kind] = Shelf(
                    functools.partial(self._lying_there, kind),
                    lambda name, found: self._read(name, found.path, kind),
                    lambda name, found: ModelFile(name, found.path, kind, found.size_bytes),
                    _stamp_of,
                    functools.partial(self._recall, kind),
                    self._clock,
                )
            return self._shelves[kind]

    def _lying_there(self, kind: Kind) -> Iterator[tuple[Place, Scan]]:
        for place in self._places.now():
            if place.kind == kind:
                yield place, _without_folders(scan(place.folder, _SUFFIXES[kind]))
            elif kind == "vae" and place.kind in DRAWN:
                yield place, _without_folders(scan(place.folder, VAE_BESIDE))

    def _read(self, name: str, path: Path, kind: Kind) -> ModelFile:
        return self.remembered(self._remembered[kind].keep(look_at_file(name, path, kind)))

    def _known_hashes(self, file: ModelFile, state: str) -> ModelFile:
        """Return the file with the hashes that are known of it in this state."""
        tensors = self._hashes.get(of_tensors(state)) if file.kind == "lora" else None
        return replace(file, sha256=self._hashes.get(state), tensors_sha256=tensors)

    def _recall(self, kind: Kind, name: str, found: Found) -> ModelFile | None:
        """Return a file as it was found before, if it did not change since."""
        state = fingerprint_seen(found.path, found.size_bytes, found.modified_ns)
        file = self._remembered[kind].recall(name, found.path, found.stamp, None)
        return None if file is None else self._known_hashes(file, state)


def _without_folders(lying: Scan) -> Scan:
    """A folder that cannot be listed is no file."""
    return replace(lying, found=tuple(one for one in lying.found if not one.folder))


def _stamp_of(path: Path) -> str:
    try:
        return stamp_of_model(str(path), path.stat())
    except OSError:
        return ""
