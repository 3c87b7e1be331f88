"""The LoRAs and textual inversions that there are, by the names that prompts call them by, as A1111 does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from modules.errors import InvalidRequest
from modules.jobs.models.file_catalogue import FileCatalogue
from modules.jobs.models.model_file import ModelFile


class LoraNames:
    """LoRAs by name. A file is called by its own name first, then by the alias that no other has."""

    def __init__(self, files: Sequence[ModelFile]) -> None:
        self._exact: dict[str, ModelFile] = {}
        self._loose: dict[str, ModelFile] = {}
        self._aliases = Counter(_alias(file) for file in files)
        for names in _forms(files):
            for name, file in names:
                self._exact.setdefault(name, file)
                self._loose.setdefault(name.casefold(), file)
        # A name that somebody may write for either of two is that of the file.
        for file in files:
            if self._is_clear(file):
                self._exact.setdefault(_alias(file), file)
                self._loose.setdefault(_alias(file).casefold(), file)

    def find(self, name: str) -> ModelFile | None:
        """Return the LoRA that a prompt calls so: with its letters as they are, else large or small."""
        wanted = name.strip()
        return self._exact.get(wanted) or self._loose.get(wanted.replace("\\", "/").casefold())

    def name_of(self, file: ModelFile, by_alias: bool = False) -> str:
        """Return by what a prompt is to call a LoRA: its alias if that is wanted and means no other, else its file's
        name, with its folder where another file has the same.
        """
        if by_alias and self._is_clear(file) and self._exact.get(_alias(file)) is file:
            return _alias(file)
        names = (file.stem, file.name_without_suffix, file.name)
        return next((name for name in names if self._exact.get(name) is file), file.name)

    def _is_clear(self, file: ModelFile) -> bool:
        alias = _alias(file)
        return alias != "" and self._aliases[alias] == 1 and self._exact.get(alias, file) is file


class NetworkCatalogue:
    """The LoRAs and textual inversions among the files of a catalogue. Safe to use from any thread."""

    def __init__(self, files: FileCatalogue) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._names: tuple[int, LoraNames] | None = None
        self._words: tuple[int, dict[str, ModelFile]] | None = None

    def names(self) -> LoraNames:
        """Return the names of all LoRAs, as they were at the last look."""
        revision = self._files.revision_of("lora")
        with self._lock:
            if self._names is not None and self._names[0] == revision:
                return self._names[1]
        names = LoraNames(self._files.list("lora"))
        with self._lock:
            self._names = (revision, names)
        return names

    def find(self, name: str) -> ModelFile | None:
        """Return the LoRA that a prompt calls so, as it is now; None: there is none. It may have a problem."""
        found = self.names().find(name)
        if found is None:
            self._files.refresh_if_due("lora")
            found = self.names().find(name)
        try:
            return None if found is None else self._files.find("lora", found.name)
        except InvalidRequest:  # It has just gone.
            return None

    def of_hash(self, digest: str) -> ModelFile | None:
        """Return the LoRA whose hash, or the one that it tells of itself, begins so; None: none that is known does."""
        wanted = digest.casefold()
        for file in self._files.list("lora"):
            told = file.network.told_hash if file.network is not None else ""
            known = (file.content_hash or told, file.sha256 or "")
            if any(one.startswith(wanted) for one in known):
                return file
        return None

    def words(self) -> Mapping[str, ModelFile]:
        """Return the textual inversions by the word that stands for each: the name of its file. Some have a problem."""
        self._files.refresh_if_due("embedding")
        revision = self._files.revision_of("embedding")
        with self._lock:
            if self._words is not None and self._words[0] == revision:
                return self._words[1]
        words: dict[str, ModelFile] = {}
        for file in self._files.list("embedding"):
            words.setdefault(file.stem, file)
        with self._lock:
            self._words = (revision, words)
        return words


def _alias(file: ModelFile) -> str:
    return "" if file.network is None else file.network.alias


def _forms(files: Sequence[ModelFile]) -> Iterable[list[tuple[str, ModelFile]]]:
    """Return what files are called by without an alias; what comes first counts where two could be meant."""
    yield [(file.stem, file) for file in files]
    yield [(file.name_without_suffix, file) for file in files]
    yield [(file.name, file) for file in files]
