"""The models that are there to draw with."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.captioners import Captioners
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.companions import Companions, kind_of_part, with_exactly, with_parts
from modules.jobs.models.face_restorers import FaceRestorers
from modules.jobs.models.fact_cache import FactCache, Remembered
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.folder import look_at, not_looked_at, stamp_of
from modules.jobs.models.hashes import HashCache, fingerprint, fingerprint_seen, hash_file, hash_folder, old_hash_of
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.names import Names
from modules.jobs.models.networks import NetworkCatalogue
from modules.jobs.models.places import COMPANIONS, DRAWN, Place, Places, is_vae_beside
from modules.jobs.models.scan import Found, Scan, scan
from modules.jobs.models.shelf import Shelf
from modules.jobs.models.upscalers import UpscalerCatalogue
from modules.jobs.models.vae_catalogue import VaeCatalogue
from modules.jobs.models.weight_files import weights_of_folder, weights_of_model
from modules.prompts.library import PromptLibrary

_LISTED_AT_MOST = 12
# Hashing so much takes a fraction of a second, so it is done at once: the title never changes. For one look together.
_HASH_AT_ONCE_BYTES = 256_000_000
_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt")
_SUFFIXES_OF_DENOISERS = (*_SUFFIXES, ".pt", ".pth", ".bin")


class CheckpointCatalogue:
    """The models in several models folders (`Places`), and beside them the `files` of all other kinds.

    `hash_cache` is a file that remembers hashes between starts, `fact_cache` one that remembers what headers say; None
    remembers them for the life of the object. `vaes` are those in files of their own, `upscalers`,
    `face_restorers` and `captioners` for pictures, `networks` LoRAs and textual inversions; `library` holds words for
    prompts. Safe to use from several threads.
    """

    def __init__(
        self,
        folders: Sequence[Path] | Places,
        hash_cache: Path | None = None,
        fact_cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        library: PromptLibrary | None = None,
    ) -> None:
        self.library = library or PromptLibrary()
        self._places = folders if isinstance(folders, Places) else Places(folders)
        self.folders, self.places = self._places.roots, self._places
        self._hashes = HashCache(hash_cache)
        self._facts = FactCache(fact_cache)
        self._remembered = Remembered(self._facts, "model", Checkpoint)
        self.files = FileCatalogue(self._places, self._hashes, self._facts, clock)
        self.vaes = VaeCatalogue(self.files)
        self.upscalers = UpscalerCatalogue(self.files)
        self.face_restorers = FaceRestorers(self.files)
        self.captioners = Captioners(self._places)
        self.networks = NetworkCatalogue(self.files)
        self._shelf = Shelf[Checkpoint](
            self._lying_there,
            lambda name, found: self._read(name, found.path),
            lambda name, found: self._unread(name, found),
            stamp_of,
            self._recall,
            clock,
        )
        self._hash_at_once_bytes = _HASH_AT_ONCE_BYTES  # what is left of it; that it is exact is of no importance
        self._lock = threading.Lock()
        self._companions: tuple[tuple[int, int], Companions] | None = None
        self._complete: tuple[tuple[int, Companions], Names[Checkpoint]] | None = None
        self._completed: dict[str, tuple[Checkpoint, Checkpoint]] = {}  # as they lie there, and with their companions

    def list(self) -> tuple[Checkpoint, ...]:
        """Return all models by name as they were at the last look; those with a problem are among them."""
        return self._complete_now().all

    def known(self, name: str) -> Checkpoint | None:
        """Return the model with this name, title or hash as it was at the last look, without a look at its files."""
        return self._complete_now().find(name)

    def refresh(self) -> None:
        """Look at the folders again: what is otherwise than before makes the `revision` grow."""
        self._shelf.refresh()
        self.files.refresh()

    def find(self, name: str) -> Checkpoint:
        """Return the model with this name, title or hash as it is now: it is read again when its files changed.

        The folders are looked at again when it is not known.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        self._hash_at_once_bytes = _HASH_AT_ONCE_BYTES
        found = self._shelf.find(name)
        if found is None:
            names = [checkpoint.name for checkpoint in self.list() if checkpoint.problem is None]
            more = len(names) - _LISTED_AT_MOST
            listed = ", ".join(names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
            remedy = f"use one of {listed}" if names else "put a model into models/Stable-diffusion"
            raise InvalidRequest(f"Checkpoint {name!r} is not known: {remedy}.", field="sd_model_checkpoint")
        if found.kind == "file":
            for kind in COMPANIONS:
                self.files.refresh_if_due(kind)
        return self._companions_now().complete(found)

    def with_parts(self, checkpoint: Checkpoint, names: Sequence[str]) -> Checkpoint:
        """Return a model that is drawn with the text encoders and the VAE of these names, in place of those it has.

        Raises:
            InvalidRequest: there is none of such a name, or it does not go with the model.
        """
        files = [self.find_companion(name) for name in names]
        whole = self._shelf.find(checkpoint.name) or checkpoint  # What is nowhere else may be among the chosen ones.
        if whole.problem is not None:
            return whole
        return with_parts(self._companions_now().complete(whole), files)

    def drawn_with(self, checkpoint: Checkpoint, parts: Mapping[str, ModelFile]) -> Checkpoint:
        """Return a model that is drawn with these files beside it, by the part that each does, and with no others."""
        if checkpoint.kind != "file":
            return checkpoint
        whole = self._shelf.known(checkpoint.name) or checkpoint
        return whole if whole.problem else with_exactly(whole, {part: file.path for part, file in parts.items()})

    def companions_of(self, checkpoint: Checkpoint) -> dict[str, ModelFile]:
        """Return the files beside a model that it is drawn with, as they are now, with the hashes that are known.

        Raises:
            InvalidRequest: one has gone meanwhile.
        """
        files = ((part, self.files.find(kind_of_part(part), str(path))) for part, path in checkpoint.parts.items())
        return {part: self.files.remembered(file) for part, file in files}

    def find_companion(self, name: str) -> ModelFile:
        """Return the text encoder or the VAE of this name, hash or path. Of a path from elsewhere the name counts.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        for wanted in (name, name.replace("\\", "/").rpartition("/")[2]):
            for kind in COMPANIONS:
                with contextlib.suppress(InvalidRequest):
                    return self.files.find(kind, wanted)
        known = [one.name_without_suffix for kind in COMPANIONS for one in self.files.list(kind) if not one.problem]
        more = len(known) - _LISTED_AT_MOST
        listed = ", ".join(known[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        remedy = f"use some of {listed}, or put it" if known else "put it"
        raise InvalidRequest(
            f"Text encoder or VAE {name!r} is not known: {remedy} into models/text_encoder or models/VAE."
        )

    def hashed(self, checkpoint: Checkpoint, dropped: Callable[[], bool] | None = None) -> Checkpoint:
        """Return the model with its hash, reading its weights if nobody did so before (seconds for a large one).

        Raises:
            ModelError: the weights cannot be read.
            InterruptedError: `dropped` said that it is not wanted any more.
        """
        if checkpoint.sha256 is not None:
            return checkpoint
        complete = replace(checkpoint, sha256=self._hash_of(checkpoint, _weights_of, dropped))
        known = self._shelf.known(checkpoint.name)
        if known == checkpoint:
            self._shelf.replace(known, complete)
        elif known is not None and known.stamp == checkpoint.stamp:
            self._shelf.replace(known, replace(known, sha256=complete.sha256))
        return complete

    def had_hash(self, checkpoint: Checkpoint, digest: str) -> bool:
        """Tell whether this is the model's hash by the rule of the first versions, reading its weights (seconds).

        Raises:
            ModelError: the weights cannot be read.
        """
        if checkpoint.kind == "file":
            return False  # They drew with none.
        return self._hash_of(checkpoint, weights_of_folder) == digest

    def has_news(self) -> bool:
        """Tell whether something came into a folder or went since the last look: much cheaper than to look again."""
        return self._shelf.has_news() or self.files.has_news()

    def complete(self, seconds: float) -> bool:
        """Read for so long what a look at thousands of files has left for later; tell whether more is left."""
        left = any((self._shelf.complete(seconds), self.files.complete(seconds)))
        self._facts.save(at_once=not left)
        return left

    @property
    def revision(self) -> int:
        """A number that grows whenever a model or a file is known otherwise than before."""
        return self._shelf.revision + self.files.revision

    def _complete_now(self) -> Names[Checkpoint]:
        companions, revision = self._companions_now(), self._shelf.revision
        with self._lock:
            if self._complete is not None and self._complete[0] == (revision, companions):
                return self._complete[1]
            before = self._completed if self._complete is not None and self._complete[0][1] is companions else {}
        made: dict[str, tuple[Checkpoint, Checkpoint]] = {}
        for one in self._shelf.list():
            known = before.get(one.name)
            made[one.name] = known if known is not None and known[0] is one else (one, companions.complete(one))
        names = Names(tuple(complete for _one, complete in made.values()))
        with self._lock:
            self._complete, self._completed = ((revision, companions), names), made
        return names

    def _companions_now(self) -> Companions:
        revisions = (self.files.revision_of("text_encoder"), self.files.revision_of("vae"))
        with self._lock:
            if self._companions is not None and self._companions[0] == revisions:
                return self._companions[1]
        companions = Companions(self.files.list("text_encoder"), self.files.list("vae"))
        with self._lock:
            self._companions = (revisions, companions)
        return companions

    def _lying_there(self) -> Iterator[tuple[Place, Scan]]:
        self._hash_at_once_bytes = _HASH_AT_ONCE_BYTES
        for place in self._places.now():
            if place.kind in DRAWN:
                suffixes = _SUFFIXES if place.kind == "checkpoint" else _SUFFIXES_OF_DENOISERS
                lying = scan(place.folder, suffixes, folders=place.kind == "checkpoint")
                drawn = tuple(one for one in lying.found if one.folder or not is_vae_beside(one.name))
                yield place, replace(lying, found=drawn)

    def _unread(self, name: str, found: Found) -> Checkpoint:
        one = not_looked_at(name, found.path, "folder" if found.folder else "file")
        return replace(one, size_bytes=found.size_bytes)

    def _read(self, name: str, path: Path) -> Checkpoint:
        """Look at one model, with its hash if that is remembered or quickly made."""
        checkpoint = look_at(name, path)
        try:
            checkpoint = replace(checkpoint, modified_at=path.stat().st_mtime)
            files = _weights_of(path)
            checkpoint = replace(checkpoint, size_bytes=sum(file.stat().st_size for file in files))
            if checkpoint.problem is not None:
                return checkpoint
            quick = checkpoint.size_bytes <= self._hash_at_once_bytes
            if quick:
                self._hash_at_once_bytes -= checkpoint.size_bytes
            sha256 = self._hash(path, files) if quick else self._hashes.get(fingerprint(files))
            old_hash = old_hash_of(path) if checkpoint.kind == "file" else ""
        except (OSError, ValueError):
            return checkpoint
        checkpoint = replace(checkpoint, sha256=sha256, old_hash=old_hash)
        return self._remembered.keep(checkpoint) if checkpoint.kind == "file" else checkpoint

    def _recall(self, name: str, found: Found) -> Checkpoint | None:
        """Return a single file as it was found before, if it did not change since."""
        sha256 = self._hashes.get(fingerprint_seen(found.path, found.size_bytes, found.modified_ns))
        return self._remembered.recall(name, found.path, found.stamp, sha256)

    def _hash_of(
        self,
        checkpoint: Checkpoint,
        weights_of: Callable[[Path], Sequence[Path]],
        dropped: Callable[[], bool] | None = None,
    ) -> str:
        try:
            return self._hash(checkpoint.path, weights_of(checkpoint.path), dropped)
        except InterruptedError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            where = getattr(error, "filename", None) or checkpoint.path
            raise ModelError(f"The weights of {checkpoint.name} cannot be read ({reason}): {where}") from error

    def _hash(self, path: Path, files: Sequence[Path], dropped: Callable[[], bool] | None = None) -> str:
        state = fingerprint(files)  # As they are before they are read: who changes them meanwhile changes this too.
        known = self._hashes.get(state)
        if known is not None:
            return known
        how = () if dropped is None else (dropped,)
        digest = hash_file(path, *how) if list(files) == [path] else hash_folder(path, files, *how)
        return self._hashes.put(state, digest)


def _weights_of(path: Path) -> Sequence[Path]:
    """Return the files whose weights draw.

    Raises:
        OSError, ValueError: `model_index.json` of a folder cannot be read.
    """
    return weights_of_model(path) if path.is_dir() else (path,)
