"""A Chromium for the browser tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENVIRONMENT_VARIABLE = "STEADY_CHROMIUM"
REMEDY = "install one (Debian, Ubuntu: sudo apt install chromium), or name one with STEADY_CHROMIUM=/path/to/chromium"


def find_chromium(variables: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a Chromium: the one that STEADY_CHROMIUM names, else the first on PATH."""
    named = variables.get(ENVIRONMENT_VARIABLE)
    if named:
        return shutil.which(named)
    return next((path for name in _NAMES if (path := shutil.which(name, path=variables.get("PATH")))), None)


def install_chromium() -> str | None:
    """Install a Chromium where that needs no password (as root, with apt); return its path if there is one now."""
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update"], check=False, env=environment)
    subprocess.run([apt, "install", "-y", "chromium"], check=False, env=environment)
    return find_chromium()
