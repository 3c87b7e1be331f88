"""The upscalers of pixels that there are: the plain ones, and those in files, under A1111's names."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from modules.errors import InvalidRequest, ModelError
from modules.jobs.latent_upscaling import NO_UPSCALER, PIXEL_UPSCALERS
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.model_file import ModelFile

# What A1111 calls some files, which it fetches itself: its name, and that of the file.
_OF_A1111: Mapping[str, str] = {
    "R-ESRGAN General 4xV3": "realesr-general-x4v3",
    "R-ESRGAN General WDN 4xV3": "realesr-general-wdn-x4v3",
    "R-ESRGAN AnimeVideo": "realesr-animevideov3",
    "R-ESRGAN 4x+": "RealESRGAN_x4plus",
    "R-ESRGAN 4x+ Anime6B": "RealESRGAN_x4plus_anime_6B",
    "R-ESRGAN 2x+": "RealESRGAN_x2plus",
    "ESRGAN_4x": "ESRGAN",
    "DAT x2": "DAT_x2",
    "DAT x3": "DAT_x3",
    "DAT x4": "DAT_x4",
}
_LISTED_AT_MOST = 12


@dataclass(frozen=True)
class Upscaler:
    """An upscaler. `file` None: it needs none. `scale` None: any, or it is not known before it is loaded."""

    name: str
    file: ModelFile | None = None
    scale: int | None = None

    @property
    def problem(self) -> str | None:
        """Why it cannot be used, and what to do; None: it can."""
        return None if self.file is None else self.file.problem

    @property
    def short_hash(self) -> str | None:
        """The ten hexadecimal digits of its file, once that is hashed."""
        return None if self.file is None else self.file.short_hash

    @property
    def title(self) -> str:
        """The name, with the hash once that is known."""
        return f"{self.name} [{self.short_hash}]" if self.short_hash else self.name

    def check_usable(self) -> None:
        """Check that nothing is wrong with it.

        Raises:
            ModelError: something is; the message has the remedy.
        """
        if self.file is not None:
            self.file.check_usable()


class UpscalerCatalogue:
    """The plain upscalers, and those among the files of a catalogue. Safe to use from any thread."""

    def __init__(self, files: FileCatalogue) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._known: tuple[Upscaler, ...] = ()
        self._revision: int | None = None

    def list(self) -> tuple[Upscaler, ...]:
        """Return "None" first, then the others without a file, then files by name; some may have a problem."""
        self._files.refresh_if_due("upscaler")
        revision, files = self._files.revision_of("upscaler"), self._files.list("upscaler")
        with self._lock:
            if self._revision != revision:
                plain = tuple(Upscaler(name) for name in (NO_UPSCALER, *PIXEL_UPSCALERS))
                self._known = (*plain, *_named(files))
                self._revision = revision
            return self._known

    def find(self, name: str) -> Upscaler:
        """Return the upscaler of this name, of A1111's name, or of the name, path or hash of its file, as it is now.

        Raises:
            InvalidRequest: there is none; the message lists the known ones.
        """
        wanted = name.strip() or NO_UPSCALER
        known = self.list()
        found = next((one for one in known if one.name == wanted), None)
        found = found or next((one for one in known if one.name.casefold() == wanted.casefold()), None)
        if found is not None and found.file is None:
            return found
        asked = found.file.name if found is not None and found.file is not None else _OF_A1111.get(wanted, wanted)
        try:
            file = self._files.find("upscaler", asked)
        except InvalidRequest:
            raise InvalidRequest(f"Upscaler {name!r} is not known: {self._remedy()}.") from None
        named = next((one for one in self.list() if one.file is not None and one.file.path == file.path), None)
        return Upscaler(_stem(file.name) if named is None else named.name, file, file.scale)

    def of_source(self, name: str, digest: str) -> ModelFile:
        """Return the file of an upscaler that a job is drawn with, by its name, else by its hash.

        Raises:
            ModelError: it is not there any more.
        """
        for asked in (name, digest):
            try:
                return self._files.find("upscaler", asked)
            except InvalidRequest:
                continue
        raise ModelError(
            f"The upscaler {name} is not there any more: put it back into models/ESRGAN, or submit the job again."
        )

    def _remedy(self) -> str:
        names = [one.name for one in self.list() if one.problem is None]
        more = len(names) - _LISTED_AT_MOST
        listed = ", ".join(names[:_LISTED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        return f"use one of {listed}, or put it into models/ESRGAN"


def is_real_esrgan(name: str) -> bool:
    """Tell whether an upscaler is one of those that A1111 calls Real-ESRGAN."""
    known = (PurePosixPath(file).name.casefold() for told, file in _OF_A1111.items() if told.startswith("R-ESRGAN"))
    return name.casefold() in known or name in _OF_A1111


def _named(files: tuple[ModelFile, ...]) -> tuple[Upscaler, ...]:
    """Return the upscalers in files, each under a name of its own: the file's alone, with its folder where it must."""
    taken: set[str] = {NO_UPSCALER.casefold(), *(name.casefold() for name in PIXEL_UPSCALERS)}
    named = []
    for file in files:
        names = (_stem(file.name), file.name_without_suffix, file.name)
        name = next((one for one in names if one.casefold() not in taken), file.name)
        taken.add(name.casefold())
        named.append(Upscaler(name, file, file.scale))
    return tuple(named)


def _stem(name: str) -> str:
    from_folder = name.rpartition("/")[2]
    return from_folder.rpartition(".")[0] or from_folder
