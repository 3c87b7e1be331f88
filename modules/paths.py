"""Where things are on disk, and how a file is written so that a crash leaves the old or the new one."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modules.errors import StorageError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DataFolder:
    """The folder with all that the program writes."""

    root: Path

    @property
    def database(self) -> Path:
        """The jobs, their images and their events."""
        return self.root / "jobs.sqlite"

    @property
    def settings(self) -> Path:
        """The settings that differ from the defaults, as JSON."""
        return self.root / "settings.json"

    @property
    def hashes(self) -> Path:
        """The remembered hashes of models."""
        return self.root / "hashes.json"

    @property
    def model_facts(self) -> Path:
        """What was found in models' files, so that only those are read again that have changed."""
        return self.root / "model-facts.jsonl"

    @property
    def outputs(self) -> Path:
        """Pictures to keep."""
        return self.root / "outputs"

    @property
    def results(self) -> Path:
        """Pictures that were not to be saved; they are kept for some hours."""
        return self.root / "results"

    @property
    def inputs(self) -> Path:
        """The pictures that jobs start from, each named by the SHA-256 of its bytes."""
        return self.root / "inputs"

    @property
    def snapshots(self) -> Path:
        """Jobs in progress, one file a job, from which they go on after a pause or a crash."""
        return self.root / "snapshots"

    def kept_preview(self, job_id: str) -> Path:
        """The preview of a job as it was when its snapshot was written."""
        return self.snapshots / f"{job_id}.safetensors.preview"

    @property
    def timings(self) -> Path:
        """How long the phases of a job took, as versions with a single engine wrote it."""
        return self.root / "timings.json"

    def timings_of(self, engine: str) -> Path:
        """How long the phases of a job took in one engine, which alone writes it: by model, size and device."""
        return self.root / f"timings-{engine}.json"

    @property
    def cpu_formats(self) -> Path:
        """The number format that each kind of denoiser is drawn with on a processor, as it was measured."""
        return self.root / "cpu-formats.json"

    @property
    def tags(self) -> Path:
        """Lists of tags that are offered while people write."""
        return self.root / "tags"

    @property
    def styles(self) -> Path:
        """People's styles, in A1111's form, where the command line names no other file."""
        return self.root / "styles.csv"

    @property
    def wildcards(self) -> Path:
        """People's lists of words that prompts call by name."""
        return self.root / "wildcards"

    @property
    def auth(self) -> Path:
        """Sessions and tokens, hashed, for this user's eyes alone."""
        return self.root / "auth"

    @property
    def downloads(self) -> Path:
        """How the downloads stand, so that they go on after a restart."""
        return self.root / "downloads.json"

    @property
    def hub_token(self) -> Path:
        """The access token for gated models, for this user's eyes alone."""
        return self.auth / "hub_token"

    @property
    def logs(self) -> Path:
        """Log files of the launcher and its children."""
        return self.root / "logs"


def data_folder() -> DataFolder:
    """Return the data folder that the launcher chose, else `data/` beside `launch.py`."""
    chosen = os.environ.get("STEADY_DATA_DIR")
    return DataFolder(Path(chosen).expanduser().absolute() if chosen else ROOT / "data")


def model_folders() -> tuple[Path, ...]:
    """Return the folders that hold `Stable-diffusion/` and its siblings: our own first, then those of --models-dir."""
    more = os.environ.get("STEADY_MODELS_DIRS", "").split(os.pathsep)
    folders = [ROOT / "models", *(Path(folder).expanduser().absolute() for folder in more if folder)]
    return tuple(dict.fromkeys(folders))


def model_places() -> dict[str, tuple[Path, ...]]:
    """Return more folders with models of one kind, by the kind, as the command line names them one by one."""
    named = json.loads(os.environ.get("STEADY_MODEL_PLACES", "{}"))
    return {kind: tuple(Path(folder).expanduser().absolute() for folder in folders) for kind, folders in named.items()}


def write_atomically(path: Path, data: bytes, sole_writer: bool = False, as_open_as_folder: bool = False) -> None:
    """Write `data` so that `path` holds the old bytes or the new ones, never a part, also after a power cut.

    Missing folders are made. `sole_writer` promises that nobody else writes `path` meanwhile: then what a killed
    process left of its temporary file is written over by the next one. With `as_open_as_folder` who may read the folder
    may read the file, and folders that are made are as the one above them; else the umask decides.

    Raises:
        StorageError: the file cannot be written, and the old one, if any, is untouched. If only the last step failed,
            which makes the renaming last, the new one is there, and a power cut can bring back the old one.
    """
    temporary = temporary_beside(path, "" if sole_writer else f".{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _make_folder(path.parent, as_open_as_folder)
        with temporary.open("wb") as file:
            if as_open_as_folder and os.name != "nt":
                temporary.chmod(stat.S_IMODE(path.parent.stat().st_mode) & 0o666)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _fsync_folder(path.parent)
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path, own: str = "") -> Path:
    """Return the name under which `path` is written before it is renamed; `own` tells one writer from another."""
    return path.with_name(f".{path.name}{own}.tmp")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file beside `path` against other processes and threads.

    Raises:
        StorageError: the lock file cannot be made.
    """
    lock_path = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError.from_os_error(lock_path, error) from error
    try:
        _lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)  # closing gives the lock back


def set_aside(path: Path, companions: tuple[str, ...] = ()) -> Path:
    """Rename a corrupt file to the first free `NAME.corrupt-N` beside it and return that path.

    `companions` are suffixes of files that belong to it, such as "-wal"; those that exist go with it, or alone when the
    file itself is gone.

    Raises:
        StorageError: the folder does not allow the renaming.
    """
    number = 1
    while any(path.with_name(f"{path.name}.corrupt-{number}{suffix}").exists() for suffix in ("", *companions)):
        number += 1
    aside = path.with_name(f"{path.name}.corrupt-{number}")
    try:
        for suffix in companions:
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + suffix))
        if path.exists() or not companions:
            path.rename(aside)
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    return aside


def _make_folder(folder: Path, as_open_as_parent: bool = False) -> None:
    """Make a folder and those above it so that they last: each is synced into the one that holds it."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        if as_open_as_parent:
            one.chmod(stat.S_IMODE(one.parent.stat().st_mode))
        _fsync_folder(one.parent)


def _fsync_folder(folder: Path) -> None:
    """Make a renaming in `folder` last. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock_descriptor(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock_descriptor(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
