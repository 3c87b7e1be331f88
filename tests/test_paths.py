"""Files are whole after any failure, and what the system refuses is told in words."""

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.errors import StorageError
from modules.paths import ROOT, DataFolder, data_folder, locked, model_folders, set_aside, write_atomically


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_data_folder_is_beside_the_program_or_where_the_launcher_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STEADY_DATA_DIR", raising=False)
    assert data_folder() == DataFolder(ROOT / "data")
    monkeypatch.setenv("STEADY_DATA_DIR", str(tmp_path))
    assert data_folder().database == tmp_path / "jobs.sqlite"
    assert data_folder().settings == tmp_path / "settings.json"


def test_model_folders_are_ours_first_and_each_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEADY_MODELS_DIRS", os.pathsep.join([str(tmp_path), "", str(tmp_path)]))
    assert model_folders() == (ROOT / "models", tmp_path)


def test_write_replaces_whole_files_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert names_in(path.parent) == ["file.json"]


def test_a_full_disk_leaves_the_old_file_and_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"No space left to write .*file.json: free some disk space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file.json"]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("")
    with pytest.raises(StorageError, match=r"A file stands where a folder is needed for .*picture.png"):
        write_atomically(tmp_path / "outputs" / "picture.png", b"")


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    """A folder that any user can reach, which pytest's own temporary folders are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")
def test_a_read_only_folder_is_named_with_the_remedy(folder_of_nobody: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from modules.errors import StorageError\n"
        "from modules.paths import write_atomically\n"
        "if os.geteuid() == 0: os.setuid(65534)  # root may write anywhere\n"
        "try: write_atomically(Path(sys.argv[1]) / 'outputs' / 'picture.png', b'x')\n"
        "except StorageError as error: print(error)\n"
    )
    (folder_of_nobody / "outputs").mkdir(mode=0o555)
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder_of_nobody)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    picture = folder_of_nobody / "outputs" / "picture.png"
    remedy = "give your user write access to it, or choose another --data-dir."
    assert done.stdout.strip() == f"Not allowed to use {picture}: {remedy}"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EROFS, "is on a read-only disk: mount it writable"),
        (errno.EDQUOT, "No space left to write"),
        (errno.EIO, "cannot be used (Input/output error): check the disk"),
    ],
)
def test_os_errors_become_words(code: int, words: str, tmp_path: Path) -> None:
    error = StorageError.from_os_error(tmp_path, OSError(code, os.strerror(code)))
    assert words in str(error)
    assert str(tmp_path) in str(error)


def test_set_aside_finds_a_free_name_and_takes_companions_along(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    for text in ("first", "second"):
        path.write_text(text)
        (tmp_path / "jobs.sqlite-wal").write_text(text)
        set_aside(path, companions=("-wal", "-shm"))
    assert names_in(tmp_path) == [
        "jobs.sqlite.corrupt-1",
        "jobs.sqlite.corrupt-1-wal",
        "jobs.sqlite.corrupt-2",
        "jobs.sqlite.corrupt-2-wal",
    ]
    assert (tmp_path / "jobs.sqlite.corrupt-2-wal").read_text() == "second"


def test_a_lock_keeps_another_process_out(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from modules.paths import locked\n"
        "with locked(Path(sys.argv[1])): print('in', flush=True)\n"
    )
    with locked(tmp_path / "file"):
        other = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "file")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.4)
    assert other.communicate(timeout=10)[0] == "in\n"
