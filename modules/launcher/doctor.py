"""`python3 launch.py doctor`: a line for each thing that Steady Diffusion needs, ok or with the remedy."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modules.cmd_args import Arguments
from modules.launcher import browser
from modules.launcher.bootstrap import Environment, check_venv_module
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.port import bind
from modules.launcher.serve import data_folder_of
from modules.paths import ROOT

MEMORY_NEEDED_GB = 4.0
DISK_NEEDED_GB = 3.0


@dataclass(frozen=True)
class Finding:
    """What was found about one thing. `remedy` is None when it is well; what is not `needed` to draw may lack it."""

    subject: str
    found: str
    remedy: str | None = None
    needed: bool = True

    def __str__(self) -> str:
        mark = "ok  " if self.remedy is None else "FIX " if self.needed else "note"
        return f"{mark} {self.subject:<8} {self.found}" + (f": {self.remedy}" if self.remedy else "")


def examine(arguments: Arguments) -> ExitCode:
    """Print the findings; FAILED if something that drawing needs is not well."""
    findings = list(findings_on(arguments))
    for finding in findings:
        print(finding)
    return ExitCode.FAILED if any(finding.remedy and finding.needed for finding in findings) else ExitCode.OK


def findings_on(arguments: Arguments) -> Iterator[Finding]:
    """Look at this machine without changing anything."""
    yield _python()
    yield _packages()
    yield _memory()
    yield _disk(ROOT)
    yield _devices()
    yield _data_folder(data_folder_of(arguments))
    yield _port(arguments)
    yield _browser()


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    try:
        check_venv_module()
    except LaunchError as error:
        return Finding("Python", found, str(error))
    return Finding("Python", found)


def _packages() -> Finding:
    environment = Environment(ROOT)
    if environment.is_complete("requirements.txt"):
        return Finding("venv", f"{environment.folder} has all that requirements.txt lists")
    state = "is not complete" if environment.is_usable() else "is not there yet"
    return Finding("venv", f"{environment.folder} {state}", "python3 launch.py installs it")


def _memory() -> Finding:
    total, available = _memory_gigabytes()
    if total is None or available is None:
        return Finding("memory", "cannot be measured on this system")
    found = f"{available:.1f} GB free of {total:.1f} GB"
    if available < MEMORY_NEEDED_GB:
        return Finding("memory", found, f"{MEMORY_NEEDED_GB:.0f} GB should be free: end other programs")
    return Finding("memory", found)


def _memory_gigabytes() -> tuple[float | None, float | None]:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None, None
    kilobytes = {name: float(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return kilobytes["MemTotal"] / 1024**2, kilobytes["MemAvailable"] / 1024**2


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 1024**3
    found = f"{free:.1f} GB free at {folder}"
    if free < DISK_NEEDED_GB:
        return Finding("disk", found, f"{DISK_NEEDED_GB:.0f} GB are needed: free some space")
    return Finding("disk", found)


def _devices() -> Finding:
    cores = f"CPU with {os.cpu_count()} cores"
    nvidia = shutil.which("nvidia-smi")
    if nvidia is None:
        return Finding("devices", cores)
    command = [nvidia, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("devices", cores, "nvidia-smi is there but fails: reinstall the NVIDIA driver")
    return Finding("devices", ", ".join([*done.stdout.strip().splitlines(), cores]))


def _data_folder(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return Finding("data", str(folder))
    return Finding("data", str(folder), f"{existing} cannot be written: give your user access, or use --data-dir")


def _port(arguments: Arguments) -> Finding:
    try:
        bind(arguments.host, arguments.port).close()
    except LaunchError as error:
        return Finding("port", str(arguments.port), str(error))
    return Finding("port", f"{arguments.port} is free")


def _browser() -> Finding:
    path = browser.find_chromium()
    if path is None:
        return Finding("browser", "no Chromium, which only the tests need", browser.REMEDY, needed=False)
    return Finding("browser", path)
