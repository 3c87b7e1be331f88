"""A Chromium for the browser tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError

# The shell is the same browser without what it has for people at a screen: it takes an eighth less of the processor.
_HEADLESS = "chromium-headless-shell"
_NAMES = (_HEADLESS, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Packages of Debian, the best first; Ubuntu has the second one alone.
_PACKAGES = (_HEADLESS, "chromium")
ENVIRONMENT_VARIABLE = "STEADY_CHROMIUM"
REMEDY = (
    f"install one (Debian: sudo apt install {_HEADLESS}; Ubuntu: sudo apt install chromium), "
    "or name one with STEADY_CHROMIUM=/path/to/chromium"
)


def find_chromium(variables: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a Chromium: the one that STEADY_CHROMIUM names, else the lightest on PATH."""
    named = variables.get(ENVIRONMENT_VARIABLE)
    if named:
        return shutil.which(named)
    return next((path for name in _NAMES if (path := shutil.which(name, path=variables.get("PATH")))), None)


def needed_chromium() -> str:
    """Return what `find_chromium` finds.

    Raises:
        LaunchError: it finds none.
    """
    path = find_chromium()
    if path is None:
        raise LaunchError(f"a Chromium is needed and none was found: {REMEDY}.", ExitCode.FAILED)
    return path


def install_chromium() -> str | None:
    """Install a Chromium where that needs no password (as root, with apt); return its path if there is one now."""
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update"], check=False, env=environment)
    for package in _PACKAGES:
        if subprocess.run([apt, "install", "-y", package], check=False, env=environment).returncode == 0:
            break
    return find_chromium()
