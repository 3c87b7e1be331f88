"""Find what lies in a folder with models, at any depth: files by their suffix, and folders that are a model themselves.

Links are followed, since people share models between programs by them; what two ways lead to is found once.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

_DEEPEST = 8
_MOST_FOLDERS = 4000  # in one place; where there are more, a link leads to something that is no folder with models
_MOST_FOUND = 20_000
MODEL_INDEX = "model_index.json"
# What a folder has that is a model whose index is missing, as after half of a copy.
_SURE_PARTS = frozenset({"tokenizer", "scheduler"})
_PARTS = frozenset({"unet", "transformer", "vae", "text_encoder"}) | _SURE_PARTS
# Texts of Civitai, of its helpers, of Stable Diffusion's makers, and of the model's owner.
_SAYING_WHAT_IT_IS = (".json", ".yaml", ".defaults.json", ".civitai.info", ".metadata.json", ".cm-info.json")
_HUB_FOLDER = "models--"  # how huggingface_hub calls the folder of a repository in its cache


@dataclass(frozen=True, slots=True)
class Found:
    """A model's file or folder as it was seen. `name` is its way from the place, with "/" between folders.

    `identity` is the same for two ways to one thing. `stamp` tells one state of a file from another; of a folder, and
    of what cannot be seen, it is "".
    """

    name: str
    path: Path
    folder: bool
    identity: str
    stamp: str = ""
    size_bytes: int = 0
    modified_ns: int = 0


def stamp_of_status(status: os.stat_result) -> str:
    """Return what tells one state of a file from another."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}-{status.st_mode}"


def stamp_of_model(path: str, status: os.stat_result, names: Collection[str] | None = None) -> str:
    """Return the same for a model in a single file, together with the texts beside it that say what it is.

    `names` are those in its folder, where they are known.
    """
    stamp = stamp_of_status(status)
    stem = path.rpartition(".")[0]
    own_name = stem.rpartition(os.sep)[2]
    for ending in _SAYING_WHAT_IT_IS:
        if names is None or own_name + ending in names:
            try:
                said = Path(stem + ending).stat()
            except OSError:
                continue
            stamp += f"+{ending}{said.st_size}-{said.st_mtime_ns}"
    return stamp


FolderState = tuple[int, int] | None  # None: it cannot be seen


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies in a place, and the state of each folder before it was listed: `state_of_folder` tells of news."""

    found: tuple[Found, ...]
    folders: Mapping[str, FolderState]


def state_of_folder(folder: str) -> FolderState:
    """Tell one set of names in a folder from another."""
    try:
        status = Path(folder).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def scan(place: Path, suffixes: Collection[str], folders: bool = False) -> Scan:
    """Return what lies in `place`: files with one of `suffixes` (lower case), and with `folders` models in folders too.

    A place that is there and cannot be listed is told of as a folder, and with `folders` a folder in it that holds
    nothing too: who looks at it says what is wrong. Nothing here raises.
    """
    walk = _Walk(place, tuple(suffixes), folders)
    found = tuple(walk.run())
    return Scan(found, walk.listed)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that waits to be looked into. `real` is where it is, `link` whether a link led there."""

    name: str
    own_name: str
    path: str
    real: str
    depth: int
    link: bool = False

    def as_found(self) -> Found:
        return Found(self.name or self.own_name, Path(self.path), True, self.real)


class _Walk:
    """One walk through a place, level by level; what links lead to comes last, so that the thing itself is found."""

    def __init__(self, place: Path, suffixes: tuple[str, ...], folders: bool) -> None:
        self._start = _Folder("", place.name, str(place), _resolved(str(place)), 0)
        self._suffixes, self._folders = suffixes, folders
        self._waiting: deque[_Folder] = deque([self._start])
        self._behind_links: deque[_Folder] = deque()
        self._linked_files: list[Found] = []
        self._seen: set[str] = set()
        self._first_level: list[_Folder] = []
        self.listed: dict[str, FolderState] = {}
        self._not_empty: set[str] = set()  # names of the first level in which something was found

    def run(self) -> Iterator[Found]:
        for one in itertools.islice(self._all(), _MOST_FOUND):
            self._not_empty.add(one.name.partition("/")[0])
            yield one
        if self._folders:
            yield from (one.as_found() for one in self._first_level if one.name not in self._not_empty)

    def _all(self) -> Iterator[Found]:
        visited = 0
        while (waiting := self._waiting or self._behind_links) and visited < _MOST_FOLDERS:
            folder = waiting.popleft()
            if folder.real not in self._seen:
                self._seen.add(folder.real)
                visited += 1
                yield from self._in(folder)
        for found in self._linked_files:
            if found.identity not in self._seen:
                self._seen.add(found.identity)
                yield found

    def _in(self, folder: _Folder) -> Iterator[Found]:
        """Yield what lies in one folder, and put aside what is to be looked at later."""
        self.listed[folder.path] = state_of_folder(folder.path)
        try:
            with os.scandir(folder.path) as listing:
                entries = sorted((one for one in listing if not one.name.startswith(".")), key=lambda one: one.name)
        except FileNotFoundError:
            return
        except OSError:
            if self._folders or folder is self._start:
                yield folder.as_found()
            return
        names = {entry.name for entry in entries}
        if self._folders and folder is not self._start and _is_model(names):
            yield folder.as_found()
        elif folder.own_name.startswith(_HUB_FOLDER) and "snapshots" in names:
            self._add_newest_of_the_hub(folder)
        else:
            if folder.depth == 1:
                self._first_level.append(folder)
            for entry in entries:
                found = self._entry(folder, entry, names)
                if found is not None:
                    self._seen.add(found.identity)
                    yield found

    def _entry(self, folder: _Folder, entry: os.DirEntry[str], names: Set[str]) -> Found | None:
        name = f"{folder.name}/{entry.name}" if folder.name else entry.name
        try:
            link = _is_link(entry)
            if entry.is_dir():
                if folder.depth < _DEEPEST:
                    real = _resolved(entry.path) if link else f"{folder.real}{os.sep}{entry.name}"
                    found = _Folder(name, entry.name, entry.path, real, folder.depth + 1, link or folder.link)
                    (self._behind_links if found.link else self._waiting).append(found)
                return None
            if not entry.name.lower().endswith(self._suffixes):
                return None
            status = entry.stat()
            real = _resolved(entry.path) if link else f"{folder.real}{os.sep}{entry.name}"
        except FileNotFoundError:
            return None  # It has just gone, or is a link to nothing.
        except OSError:
            return Found(name, Path(entry.path), False, entry.path)
        if stat.S_ISDIR(status.st_mode):
            return None
        stamp = stamp_of_model(entry.path, status, names)
        one = Found(name, Path(entry.path), False, real, stamp, status.st_size, status.st_mtime_ns)
        if not link:
            return one
        self._linked_files.append(one)
        return None

    def _add_newest_of_the_hub(self, folder: _Folder) -> None:
        """Look later into the newest state of a repository in a cache of huggingface_hub, by the repository's name."""
        repository = folder.own_name.removeprefix(_HUB_FOLDER).replace("--", "/")
        parent = folder.name.rpartition("/")[0]
        revision = _newest_revision(Path(folder.path))
        if revision is not None:
            name = f"{parent}/{repository}" if parent else repository
            path = str(revision)
            self._waiting.append(_Folder(name, revision.name, path, _resolved(path), folder.depth + 2))


def _is_model(names: Set[str]) -> bool:
    parts = _PARTS.intersection(names)
    return MODEL_INDEX in names or (len(parts) > 1 and bool(parts & _SURE_PARTS))


def _is_link(entry: os.DirEntry[str]) -> bool:
    """Tell whether another place is meant: by a link, or by what Windows has for folders."""
    return entry.is_symlink() or (hasattr(entry, "is_junction") and entry.is_junction())


def _resolved(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (OSError, RuntimeError):
        return path


def _newest_revision(repository: Path) -> Path | None:
    """Return the folder of the state that `refs/main` names, else the one that came last."""
    snapshots = repository / "snapshots"
    try:
        main = (repository / "refs" / "main").read_text(encoding="ascii").strip()
        if main.isalnum() and (snapshots / main).is_dir():
            return snapshots / main
    except (OSError, ValueError):
        pass  # An older cache has none.
    try:
        return max((one for one in snapshots.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None
