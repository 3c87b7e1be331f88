"""Run pip with its own progress shown, and say in one line why it failed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError

_SIGNS_OF_FULL_DISK = ("No space left on device", "Errno 28", "Disk quota exceeded")
_SIGNS_OF_NO_NETWORK = (
    "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError", "NameResolutionError",
    "Temporary failure in name resolution", "Network is unreachable", "Connection refused", "Max retries exceeded",
    "ConnectionError",
)  # fmt: skip
_SIGNS_OF_MISSING_VENV = ("ensurepip is not available", "No module named ensurepip", "No module named venv")
_SIGNS_OF_REFUSED_WRITING = ("Permission denied", "Read-only file system")
_MEGABYTES_THAT_ARE_TOO_FEW = 50


def run_shown(command: Sequence[str], folder: Path) -> tuple[int, list[str]]:
    """Run a command on this console and return its exit code with the last lines of its errors.

    Only its error stream is read on the way: on the other one pip draws its progress bars, and only on a terminal.
    """
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, errors="replace")
    errors: deque[str] = deque(maxlen=200)
    assert process.stderr is not None
    try:
        with process.stderr as stream:
            for line in stream:
                sys.stderr.write(line)
                errors.append(line.rstrip())
        return process.wait(), list(errors)
    except KeyboardInterrupt:
        process.wait()  # The terminal sent it to pip as well.
        raise


def explain_failure(errors: Sequence[str], folder: Path) -> LaunchError:
    """Turn what pip or venv said into one line with the remedy."""
    return LaunchError(_explain("\n".join(errors), errors, folder), ExitCode.INSTALL)


def _explain(text: str, errors: Sequence[str], folder: Path) -> str:
    def says(signs: Sequence[str]) -> bool:
        return any(sign in text for sign in signs)

    if says(_SIGNS_OF_FULL_DISK) or _free_megabytes(folder) < _MEGABYTES_THAT_ARE_TOO_FEW:
        return (
            f"no disk space left for {folder}: free 3 GB (10 GB for torch with CUDA), then start again; "
            "what was installed is kept."
        )
    if says(_SIGNS_OF_MISSING_VENV):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python's venv is not installed whole: sudo apt install python{version}-venv, then start again."
    if says(_SIGNS_OF_NO_NETWORK):
        return (
            "pip reached no package index: check the network (or PIP_INDEX_URL, HTTPS_PROXY), then start again; "
            "what was installed is kept."
        )
    if says(_SIGNS_OF_REFUSED_WRITING):
        return f"{folder} cannot be written: give your user write access to {folder.parent}, then start again."
    last = next((line for line in reversed(errors) if line.strip().lower().startswith("error")), "")
    last = last or (errors[-1] if errors else "it gave no reason")
    return f"the packages could not be installed ({last.strip()}): see the lines above; starting again goes on there."


def _free_megabytes(folder: Path) -> float:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free / 1024**2
