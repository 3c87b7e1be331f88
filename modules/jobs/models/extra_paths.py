"""ComfyUI's `extra_model_paths.yaml`, as people have it: more folders with models, by the kind of what is in them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modules.jobs.models.scan import stamp_of_status
from modules.jobs.models.untrusted_file import read_bounded

logger = logging.getLogger(__name__)

EXTRA_PATHS_FILE = "extra_model_paths.yaml"
_LARGEST_BYTES = 200_000
_MOST_FOLDERS = 200
_NO_FOLDERS = ("base_path", "is_default")


class ExtraPaths:
    """One such file, read again when it changes. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[str, tuple[tuple[str, Path], ...]] = ("", ())

    def folders(self) -> tuple[tuple[str, Path], ...]:
        """Return (name of the kind, folder) as the file has them; those of a section that is the default come first.

        A file that is not there names none, and neither does one that cannot be read: that is told in the log.
        """
        try:
            stamp = stamp_of_status(self._path.stat())
        except FileNotFoundError:
            return ()
        except OSError as error:
            stamp = str(error)
        known, folders = self._known
        if known != stamp:
            folders = self._read()
            self._known = (stamp, folders)
        return folders

    def _read(self) -> tuple[tuple[str, Path], ...]:
        import yaml  # Here, since it takes a tenth of a second, and few people have such a file.

        try:
            sections = yaml.safe_load(read_bounded(self._path, _LARGEST_BYTES))
        except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
            logger.warning("%s names no folders with models, since it cannot be read: %s", self._path, reason)
            return ()
        if not isinstance(sections, dict):
            logger.warning("%s names no folders with models, since it has no sections.", self._path)
            return ()
        first: list[tuple[str, Path]] = []
        others: list[tuple[str, Path]] = []
        for section in sections.values():
            if isinstance(section, dict):
                found = _folders_of(section, self._path.parent)
                (first if section.get("is_default") is True else others).extend(found)
        return tuple((first + others)[:_MOST_FOLDERS])


def _folders_of(section: dict[Any, Any], beside: Path) -> Iterator[tuple[str, Path]]:
    base = section.get("base_path")
    root = beside / _expanded(base) if isinstance(base, str) and base.strip() else beside
    for name, value in section.items():
        if name in _NO_FOLDERS or not isinstance(name, str):
            continue
        values = value if isinstance(value, list) else str(value).splitlines() if isinstance(value, str) else []
        for line in values:
            if isinstance(line, str) and line.strip():
                yield name, Path(os.path.normpath(root / _expanded(line)))


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text.strip().replace("\0", ""))).expanduser()
