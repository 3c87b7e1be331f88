"""The virtual environment beside `launch.py`: made and filled on the first start and when the requirements change."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.lock import try_lock
from modules.launcher.pip import explain_failure, run_shown

logger = logging.getLogger(__name__)

OLDEST_PYTHON = (3, 11)
# The versions that the tests last passed with.
CONSTRAINTS = "constraints.txt"
_TORCH = re.compile(r"torch\b(?!-)")
_TORCHVISION = re.compile(r"torchvision\b(?!-)")
_PACKAGES = ("lib/python*/site-packages", "Lib/site-packages")
# The options of pip that say where packages come from. All but the last take a word.
_SOURCES = ("--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--pre")


class Environment:
    """The virtual environment `.venv` in `root`.

    For each requirements file that was installed whole, the environment holds the file's hash. It is written last, so
    an installation that was cut short is taken up again. Packages come in the versions of `constraints.txt`, or with
    `newest` in the newest that the requirements allow.
    """

    def __init__(self, root: Path, variables: Mapping[str, str] = os.environ, *, newest: bool = False) -> None:
        self.root = root
        self._constraints = root / CONSTRAINTS
        self._newest = newest
        self._constrained = not newest and self._constraints.exists()
        self.folder = root / ".venv"
        self._variables = variables

    @property
    def interpreter(self) -> Path:
        """The environment's Python, there or not."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def python(self, skip_install: bool = False, requirements: str = "requirements.txt") -> Path:
        """Return a Python that has what the requirements file lists, installing what is missing.

        Raises:
            LaunchError: it cannot be installed; the message names the remedy.
        """
        if skip_install:
            return self.interpreter if self.interpreter.exists() else Path(sys.executable)
        if not self.is_complete(requirements):
            self._install(requirements)
        return self.interpreter

    def is_complete(self, requirements: str) -> bool:
        """Tell whether the environment is there and holds what the requirements file lists now."""
        try:
            stored = self._stamp(requirements).read_text()
        except OSError:
            return False
        return self.interpreter.exists() and stored == self._hash(requirements)

    def is_usable(self) -> bool:
        """Tell whether the environment has a Python that is new enough and not a dangling link."""
        return self.interpreter.exists() and (self._version() or (0, 0)) >= OLDEST_PYTHON

    def _install(self, requirements: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "installing.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise explain_failure([str(error)], self.folder) from error
        try:
            self._wait_for_other_installation(descriptor)
            if self.is_complete(requirements):
                return
            if not self.is_usable():
                self._make()
            self._install_torch(requirements)
            logger.info("Installing what %s lists", requirements)
            versions = ["-c", str(self._constraints)] if self._constrained else []
            self._pip(["install", "-r", str(self.root / requirements), *versions])
            if self._newest:
                self._pip(["install", "--upgrade", *self._all_but_torch(requirements)])
            for name in (*self._included(requirements), requirements):
                self._stamp(name).write_text(self._hash(name))
        finally:
            os.close(descriptor)

    def _wait_for_other_installation(self, descriptor: int) -> None:
        told = False
        while not try_lock(descriptor):
            if not told:
                logger.info("Another instance installs into %s: waiting for it", self.folder)
                told = True
            time.sleep(0.2)

    def _make(self) -> None:
        check_venv_module()
        logger.info("Making the virtual environment %s", self.folder)
        # Not --clear: the lock file in the folder is ours.
        for left in ("bin", "lib", "lib64", "include", "Scripts", "pyvenv.cfg"):
            path = self.folder / left
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self._run([sys.executable, "-m", "venv", str(self.folder)])

    def _install_torch(self, requirements: str) -> None:
        """Install torch before everything that wants it, in the build that the user chose or the machine's default.

        torchvision comes from the same place, and in the version for that torch, which it never replaces.
        """
        wanted = [self._requirement(requirements, _TORCH, "torch"), *self._torchvision_of(requirements)]
        command = torch_command(self._variables, wanted)
        if not self._has("torch"):
            self._install_torch_anew(command, chosen=command != ["pip", "install", *wanted])
        there = self._version_of("torch")
        if there is not None and wanted[1:] and not self._has("torchvision"):
            logger.info("Installing torchvision")
            pinned = ["pip", "install", f"torch=={there}", *wanted[1:], *sources_in(command)]
            self._run([str(self.interpreter), "-m", *pinned])

    def _install_torch_anew(self, command: Sequence[str], chosen: bool) -> None:
        if not chosen and not has_nvidia_device():
            logger.info(
                "No NVIDIA device was found. A much smaller torch without CUDA comes with "
                "TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu python3 launch.py"
            )
        logger.info("Installing torch")
        self._run([str(self.interpreter), "-m", *command])

    def _has(self, package: str) -> bool:
        return any(True for packages in _PACKAGES for _ in self.folder.glob(f"{packages}/{package}/__init__.py"))

    def _version_of(self, package: str) -> str | None:
        """Return the version of an installed package, None where there is none, or it does not say."""
        found = (one for packages in _PACKAGES for one in self.folder.glob(f"{packages}/{package}-*.dist-info"))
        return next((one.name.removesuffix(".dist-info").removeprefix(f"{package}-") for one in found), None)

    def _requirement(self, requirements: str, pattern: re.Pattern[str], otherwise: str) -> str:
        found = (line.partition("#")[0].strip() for line in self._lines(requirements) if pattern.match(line))
        return next(found, otherwise)

    def _torchvision_of(self, requirements: str) -> list[str]:
        wanted = self._requirement(requirements, _TORCHVISION, "")
        return [wanted] if wanted else []

    def _all_but_torch(self, requirements: str) -> list[str]:
        """Return what the file lists, without torch and torchvision: whoever chose a build of them keeps that."""
        listed = (line.partition("#")[0].strip() for line in self._lines(requirements))
        others = (line for line in listed if line and not line.startswith("-"))
        return [line for line in others if not _TORCH.match(line) and not _TORCHVISION.match(line)]

    def _pip(self, words: Sequence[str]) -> None:
        self._run([str(self.interpreter), "-m", "pip", *words])

    def _run(self, command: Sequence[str]) -> None:
        code, errors = run_shown(command, self.root)
        if code:
            raise explain_failure(errors, self.folder)

    def _lines(self, requirements: str) -> list[str]:
        """Return the lines of a requirements file and of those it includes."""
        lines = (self.root / requirements).read_text(encoding="utf-8").splitlines()
        return [*lines, *(line for name in self._included(requirements) for line in self._lines(name))]

    def _included(self, requirements: str) -> list[str]:
        lines = (self.root / requirements).read_text(encoding="utf-8").splitlines()
        return [line.removeprefix("-r ").strip() for line in lines if line.startswith("-r ")]

    def _hash(self, requirements: str) -> str:
        versions = self._constraints.read_text(encoding="utf-8") if self._constrained else ""
        return hashlib.sha256("\n".join([*self._lines(requirements), versions]).encode()).hexdigest()

    def _stamp(self, requirements: str) -> Path:
        return self.folder / f"{requirements}.sha256"

    def _version(self) -> tuple[int, int] | None:
        try:
            text = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8")
        except OSError:
            return None
        found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
        return (int(found[1]), int(found[2])) if found else None


def torch_command(variables: Mapping[str, str], wanted: Sequence[str]) -> list[str]:
    """Return the words after `python -m` that install torch and what goes with it, as A1111's users steer them.

    TORCH_COMMAND is the whole command (`pip install torch==… --index-url …`), TORCH_INDEX_URL only says where to look.
    """
    command = shlex.split(variables.get("TORCH_COMMAND", ""))
    if command:
        return command
    words = ["pip", "install", *wanted]
    url = variables.get("TORCH_INDEX_URL")
    return [*words, "--extra-index-url", url] if url else words


def sources_in(command: Sequence[str]) -> list[str]:
    """Return the options of a command of pip that say where packages come from."""
    found: list[str] = []
    for place, word in enumerate(command):
        if word == _SOURCES[-1] or ("=" in word and word.partition("=")[0] in _SOURCES):
            found.append(word)
        elif word in _SOURCES:
            found += command[place : place + 2]
    return found


def has_nvidia_device() -> bool:
    """Tell whether the machine seems to have an NVIDIA GPU with a driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def check_venv_module() -> None:
    """Make sure that this Python can make a virtual environment; Debian and Ubuntu ship it without.

    Raises:
        LaunchError: it cannot; the message names the package to install.
    """
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise LaunchError(
        f"this Python ({sys.executable}) lacks venv or ensurepip: "
        f"sudo apt install python{version}-venv (or python3-venv), then start again.",
        ExitCode.INSTALL,
    )
