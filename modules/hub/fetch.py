"""Fetch files of a repository: begun anew or gone on with where the last try ended, and checked when they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils._headers import build_hf_headers

from modules.errors import SteadyError
from modules.hub.address import endpoint
from modules.hub.plan import INDEX, RemoteFile

PART = ".part"  # what a file is called until it is whole and checked
_PIECE_BYTES = 1 << 20  # what is lost at most when a connection is cut
_HASH_PIECE_BYTES = 1 << 22

logger = logging.getLogger(__name__)


class Damaged(SteadyError):  # noqa: N818
    """What came is not what the Hub says that it has."""


class CutShort(Damaged):
    """What came ends early; it is gone on with."""


class Hub:
    """The Hub, as one token sees it. `token` None is what the environment has, if anything."""

    def __init__(self, token: str | None) -> None:
        constants.DOWNLOAD_CHUNK_SIZE = _PIECE_BYTES
        self._token = token
        self._api = HfApi(endpoint=endpoint(), token=token)

    def list_files(self, repo: str, revision: str | None) -> tuple[str, list[RemoteFile]]:
        """Return the commit that a revision is now, and its files.

        Raises:
            Exception: what `trouble_of` knows.
        """
        told = self._api.model_info(repo, revision=revision, files_metadata=True)
        files = []
        for one in told.siblings or []:
            lfs: Any = one.lfs
            sha256 = None if lfs is None else (lfs.get("sha256") if isinstance(lfs, dict) else lfs.sha256)
            files.append(RemoteFile(one.rfilename, int(one.size or 0), sha256, None if sha256 else one.blob_id))
        return str(told.sha), files

    def fetch(self, repo: str, commit: str, file: RemoteFile, target: Path) -> None:
        """Fetch one file to `target`, going on with what there is of it.

        Raises:
            Damaged: what came is something else, and thrown away, or ends early (CutShort), and stays.
            Exception: what `trouble_of` knows; what came stays for the next try.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + PART)
        have = part.stat().st_size if part.exists() else 0
        if have > file.size:
            part.unlink()
            have = 0
        if have < file.size or not part.exists():
            self._receive(repo, commit, file, part, have)
        came = part.stat().st_size
        if came < file.size:
            raise CutShort(f"{file.path} came to {came:,} of {file.size:,} bytes, then the connection ended: resume.")
        if came > file.size or not is_what_was_said(part, file):
            part.unlink()
            raise Damaged(f"{file.path} came with {came:,} bytes and is not what the Hub lists: resume, to try again.")
        part.rename(target)

    def read_index(self, repo: str, commit: str, listed: list[RemoteFile], folder: Path) -> Path:
        """Fetch `model_index.json` and return where it is.

        Raises:
            Damaged, Exception: as `fetch`.
        """
        target = folder / INDEX
        if not target.exists():
            self.fetch(repo, commit, next(file for file in listed if file.path == INDEX), target)
        return target

    def _receive(self, repo: str, commit: str, file: RemoteFile, part: Path, have: int) -> None:
        url = hf_hub_url(repo, file.path, revision=commit, endpoint=endpoint())
        headers = build_hf_headers(token=self._token)
        headers["Accept-Encoding"] = "identity"  # what is compressed on the way cannot be gone on with
        found = get_hf_file_metadata(url, token=self._token, endpoint=endpoint())
        if found.size is not None and found.size != file.size:
            raise Damaged(f"{file.path} has {found.size:,} bytes, and {file.size:,} in the list: cancel, begin anew.")
        if _host_of(found.location) != _host_of(url):
            headers.pop("authorization", None)  # an address that was signed for us, on the machine that has the file
        with part.open("ab") as out:
            try:
                http_get(found.location, out, resume_size=have, headers=headers, expected_size=file.size)
            except OSError as error:
                if "Consistency check failed" not in str(error):
                    raise
                logger.warning("%s: %s", file.path, error)  # told by who looks at the size


def is_what_was_said(path: Path, file: RemoteFile) -> bool:
    """Tell whether a file has the hash that the Hub lists; true where it lists none."""
    if file.sha256 is not None:
        return _digest(path, hashlib.sha256()) == file.sha256
    if file.blob is not None and len(file.blob) == 40:
        return _digest(path, hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)) == file.blob
    return True


def bytes_there(folder: Path, files: tuple[RemoteFile, ...]) -> int:
    """Return how much of the files has come so far."""
    return sum(_bytes_of(folder / file.path) for file in files)


def _bytes_of(target: Path) -> int:
    for path in (target, target.with_name(target.name + PART)):
        with contextlib.suppress(OSError):
            return path.stat().st_size
    return 0


def _digest(path: Path, made: Any) -> str:
    with path.open("rb") as data:
        while piece := data.read(_HASH_PIECE_BYTES):
            made.update(piece)
    digest: str = made.hexdigest()
    return digest


def _host_of(url: str) -> str:
    return url.split("//", 1)[-1].split("/", 1)[0]
