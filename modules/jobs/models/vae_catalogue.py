"""The VAEs that lie in models folders, and which one belongs to a checkpoint by its name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.side_car import vae_in_side_car
from modules.jobs.models.vae_file import VaeFile, look_at_vae, stamp_of_file

# What people choose beside a name: by the checkpoint's name, or the checkpoint's own.
AUTOMATIC, NONE = "Automatic", "None"

_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin")
_LISTED_AT_MOST = 12


class VaeCatalogue:
    """The VAEs among the files of a catalogue. Safe to use from any thread."""

    def __init__(self, files: FileCatalogue) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._known: tuple[VaeFile, ...] = ()
        self._revision = -1

    def list(self) -> tuple[VaeFile, ...]:
        """Return all VAEs by name; those that cannot be used are among them."""
        self._files.refresh_if_due("vae")
        revision, files = self._files.revision_of("vae"), self._files.list("vae")
        with self._lock:
            if self._revision != revision:
                before = {(one.name, one.path, one.stamp): one for one in self._known if one.stamp}
                self._known = tuple(self._of_file(file, before) for file in files)
                self._revision = revision
            return self._known

    def refresh(self) -> None:
        """Look at the folders again."""
        self._files.refresh("vae")

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

    def known(self, name: str) -> VaeFile | None:
        """Return the VAE that `find` returns for a name, as it was at the last look; None: there is none."""
        return self._match(name)

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
            file = self._files.find("vae", str(vae.path))
        except InvalidRequest:
            raise ModelError(f"VAE {vae.name} cannot be read, since it is gone: {vae.path}") from None
        return replace(vae, sha256=self._files.hashed(file).sha256)

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

    def _of_file(self, file: ModelFile, before: Mapping[tuple[str, Path, str], VaeFile]) -> VaeFile:
        known = before.get((file.name, file.path, stamp_of_file(file.path)))
        return replace(known or look_at_vae(file.name, file.path), sha256=file.sha256)

    def _remedy(self) -> str:
        names = [one.name for one in self.list() if one.problem is None]
        more = len(names) - _LISTED_AT_MOST
        listed = "".join(f", {name}" for name in names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        return f"use {AUTOMATIC}, {NONE}{listed}, or put it into models/VAE"


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
