"""The VAEs that lie in models folders, and which one belongs to a checkpoint by its name."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.hashes import HashCache, fingerprint, hash_file
from modules.jobs.models.side_car import vae_in_side_car
from modules.jobs.models.vae_file import VaeFile, look_at_vae, stamp_of_file

# What people choose beside a name: by the checkpoint's name, or the checkpoint's own.
AUTOMATIC, NONE = "Automatic", "None"

_FOLDERS = ("VAE", "vae")
_CHECKPOINT_FOLDERS = ("Stable-diffusion", "checkpoints")
_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin")
_BESIDE = ".vae"  # "dream.vae.safetensors" beside "dream.safetensors"
_LOOKS_AGAIN_SECONDS = 1.0
_DEEPEST = 8
_LISTED_AT_MOST = 12


class VaeCatalogue:
    """The VAEs of several models folders: in their VAE folder, and beside checkpoints. Safe to use from any thread."""

    def __init__(self, folders: Sequence[Path], hashes: HashCache, clock: Callable[[], float] = time.monotonic) -> None:
        self._folders = tuple(folders)
        self._hashes = hashes
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[VaeFile, ...] | None = None
        self._looked_at = 0.0

    def list(self) -> tuple[VaeFile, ...]:
        """Return all VAEs by name; those that cannot be used are among them."""
        with self._lock:
            if self._found is None or self._clock() - self._looked_at >= _LOOKS_AGAIN_SECONDS:
                self._look()
            assert self._found is not None
            return self._found

    def refresh(self) -> None:
        """Look at the folders again."""
        with self._lock:
            self._look()

    def find(self, name: str) -> VaeFile:
        """Return the VAE with this name, with or without folder and ending, or hash.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        found = self._match(name)
        if found is None:
            self.refresh()
            found = self._match(name)
        if found is None:
            raise InvalidRequest(f"VAE {name!r} is not known: {self._remedy()}.", field="sd_vae")
        return found

    def of_checkpoint(self, checkpoint: Checkpoint) -> VaeFile | None:
        """Return the VAE that "Automatic" means for a checkpoint; None: its own. It may have a problem.

        As with A1111: the one that its side-car names, else one whose name begins with the checkpoint's.
        """
        named = vae_in_side_car(checkpoint.path)
        if named in (NONE, None, "", AUTOMATIC):
            beside = None if named == NONE else self._beside(checkpoint)
        else:
            beside = self._match(str(named)) or self._beside(checkpoint)
        return beside

    def hashed(self, vae: VaeFile) -> VaeFile:
        """Return the VAE with its hash, reading it if nobody did so before (a second for a large one).

        Raises:
            ModelError: it cannot be read.
        """
        if vae.sha256 is not None:
            return vae
        try:
            state = fingerprint([vae.path])
            digest = self._hashes.get(state) or self._hashes.put(state, hash_file(vae.path))
        except OSError as error:
            raise ModelError(f"VAE {vae.name} cannot be read ({error.strerror or error}): {vae.path}") from error
        complete = replace(vae, sha256=digest)
        with self._lock:
            self._found = tuple(complete if one == vae else one for one in self._found or ())
        return complete

    def _match(self, name: str) -> VaeFile | None:
        wanted = name.strip()
        known = self.list()
        for one in known:
            if wanted in (one.name, one.sha256, one.short_hash, str(one.path)):
                return one
        bare = wanted.rsplit(" [", 1)[0].replace("\\", "/").casefold()
        for form in (_as_it_is, _without_suffix, _without_folder, _shortest):
            found = next((one for one in known if form(one.name.casefold()) == bare), None)
            if found is not None:
                return found
        return None

    def _beside(self, checkpoint: Checkpoint) -> VaeFile | None:
        stem = _shortest(checkpoint.name.casefold()) if checkpoint.kind == "file" else checkpoint.path.name.casefold()
        named = [one for one in self.list() if _begins_with(_without_folder(one.name.casefold()), stem)]
        # A pickle and its safetensors often lie side by side; the name that is nearest comes first.
        return min(named, key=lambda one: (one.problem is not None, len(one.name), one.name), default=None)

    def _look(self) -> None:
        known = {one.path: one for one in self._found or ()}
        found: dict[str, VaeFile] = {}
        seen: set[Path] = set()
        for name, path in self._paths():
            whole = _resolved(path)
            if whole in seen:
                continue
            seen.add(whole)
            free = name if name not in found else f"{path.parent.name}/{name}"
            before = known.get(path)
            if before is None or before.name != free or not before.stamp or before.stamp != stamp_of_file(path):
                before = self._with_known_hash(look_at_vae(free, path))
            found.setdefault(free, before)
        self._found = tuple(sorted(found.values(), key=lambda one: one.name.casefold()))
        self._looked_at = self._clock()

    def _with_known_hash(self, vae: VaeFile) -> VaeFile:
        try:
            return replace(vae, sha256=self._hashes.get(fingerprint([vae.path])))
        except OSError:
            return vae

    def _paths(self) -> Iterator[tuple[str, Path]]:
        for folder in self._folders:
            for name in _FOLDERS:
                yield from _files_in(folder / name, beside=False)
            for name in _CHECKPOINT_FOLDERS:
                yield from _files_in(folder / name, beside=True)

    def _remedy(self) -> str:
        names = [one.name for one in self.list() if one.problem is None]
        more = len(names) - _LISTED_AT_MOST
        listed = "".join(f", {name}" for name in names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        return f"use {AUTOMATIC}, {NONE}{listed}, or put it into models/VAE"


def _files_in(place: Path, beside: bool) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each VAE in a folder, at any depth; `beside`: of those that say by their name that they
    are one."""
    for folder, folders, files in os.walk(place, followlinks=True):
        here = Path(folder).relative_to(place)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and len(here.parts) < _DEEPEST)
        if beside and "model_index.json" in files:
            folders.clear()
            continue
        for name in sorted(files):
            path = Path(folder) / name
            if name.startswith(".") or path.suffix.lower() not in _SUFFIXES:
                continue
            if not beside or path.stem.lower().endswith(_BESIDE):
                yield (here / name).as_posix().encode(errors="replace").decode(), path


def _begins_with(name: str, stem: str) -> bool:
    """Tell whether a VAE's name says that it belongs to a checkpoint: the word ends there, "sd" is not "sdxl_vae"."""
    return name.startswith(stem) and not name[len(stem) : len(stem) + 1].isalnum()


def _as_it_is(name: str) -> str:
    return name


def _without_suffix(name: str) -> str:
    return name.rsplit(".", 1)[0] if name.endswith(_SUFFIXES) else name


def _without_folder(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _shortest(name: str) -> str:
    return _without_suffix(_without_folder(name))


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
