"""What the launcher and its children say: on the console, and in a file of the data folder."""

from __future__ import annotations

import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES_A_FILE = 5 * 1024 * 1024
_FILES_KEPT = 3
_children = logging.getLogger("steady.children")
_console = threading.Lock()


def set_up_logging(level: str) -> None:
    """Log to the console."""
    logging.raiseExceptions = False  # A full disk or a closed terminal must not stop anything.
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout, force=True)
    _children.propagate = False


def log_to_folder(folder: Path) -> None:
    """Log to files in `folder` as well. A folder that cannot be written costs the files only."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        logging.getLogger().addHandler(_file(folder / "launcher.log", "%(asctime)s %(levelname)s %(message)s"))
        _children.addHandler(_file(folder / "children.log", "%(message)s"))
    except OSError as error:
        logging.getLogger(__name__).warning("No log file: %s", error)
    _children.setLevel(logging.INFO)


def _file(path: Path, layout: str) -> RotatingFileHandler:
    handler = RotatingFileHandler(
        path, maxBytes=_BYTES_A_FILE, backupCount=_FILES_KEPT, encoding="utf-8", errors="replace"
    )
    handler.setFormatter(logging.Formatter(layout))
    return handler


def pass_on(line: bytes) -> None:
    """Show a child's line as it came."""
    try:
        with _console:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    except (OSError, ValueError):
        pass  # The terminal is gone; the file goes on.
    _children.info(line.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2])
