"""Who holds a file or a port, as far as /proc tells."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


def holders_of_file(path: Path) -> list[int]:
    """Return the ids of other processes that have `path` open; those of other users cannot be seen."""
    return _holders(str(path.resolve()))


def holders_of_port(port: int) -> list[int]:
    """Return the ids of the processes that listen on a TCP port."""
    return [pid for inode in _listening_inodes(port) for pid in _holders(f"socket:[{inode}]")]


def describe(pid: int) -> str:
    """Return a process in words: its command line and its id."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f"process {pid}"
    line = " ".join(" ".join(words).split())
    if len(line) > 80:
        line = line[:77] + "…"
    return f"{line} (process {pid})" if line else f"process {pid}"


def is_alive(pid: int) -> bool:
    """Tell whether a process with this id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holders(target: str) -> list[int]:
    found = []
    for folder in _PROC.glob("[0-9]*/fd"):
        pid = int(folder.parent.name)
        if pid != os.getpid() and _has_open(folder, target):
            found.append(pid)
    return sorted(found)


def _has_open(folder: Path, target: str) -> bool:
    try:
        descriptors = list(folder.iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            if str(descriptor.readlink()) == target:
                return True
        except OSError:
            continue
    return False


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if int(words[1].rpartition(":")[2], 16) == port and words[3] == _LISTENING:
                inodes.append(words[9])
    return inodes
