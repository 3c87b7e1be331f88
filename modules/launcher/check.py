"""`python3 launch.py test`: everything that has to hold before a change goes in."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from modules.cmd_args import Arguments
from modules.launcher import browser
from modules.launcher.bootstrap import Environment
from modules.launcher.bytecode import with_bytecode_kept
from modules.launcher.exit_codes import ExitCode
from modules.paths import ROOT

logger = logging.getLogger(__name__)

REQUIREMENTS = "requirements-dev.txt"
# One file after the other in each of three processes: two leave a tenth of two cores' time, in which they wait for
# programs that start or end. The files come as tests/conftest.py orders them, the long ones first; xdist by itself
# would put those of few tests last.
IN_PROCESSES = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
# Python compiles by itself the few modules that are ever imported. "0": pip reads an option with "no" in it so.
INSTALL_QUICKLY = {"PIP_NO_COMPILE": "0"}
LINTERS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("tests.javascript.check",))


def check(arguments: Arguments) -> ExitCode:
    """Run linters and tests; what follows `test` on the command line goes to pytest, whose closing line comes last.

    `-n 0` there runs all tests in one process, where prints are seen.

    Raises:
        LaunchError: the packages or the browser that the tests need are missing and cannot be installed.
    """
    os.environ.update(INSTALL_QUICKLY)
    python = Environment(ROOT, newest=arguments.newest_packages).python(arguments.skip_install, REQUIREMENTS)
    environment = {**with_bytecode_kept(os.environ), browser.ENVIRONMENT_VARIABLE: _chromium()}
    failed = _lint(python, environment)
    for name in failed:
        print(f"{name} failed: see above. The tests run all the same; the exit code will be {ExitCode.FAILED}.")
    sys.stdout.flush()
    tests = _run(python, ("pytest", *IN_PROCESSES, *arguments.rest), environment)
    return ExitCode.FAILED if failed or tests else ExitCode.OK


def _chromium() -> str:
    path = browser.find_chromium() or browser.install_chromium() or browser.needed_chromium()
    logger.info("The browser tests use %s", path)
    return path


def _lint(python: Path, environment: dict[str, str]) -> list[str]:
    """Run all linters side by side, print what they say one after the other, and return those that failed."""
    running = [
        (
            " ".join(words),
            subprocess.Popen(
                [str(python), "-m", *words], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ),
        )
        for words in LINTERS
    ]  # fmt: skip
    failed = []
    for name, process in running:
        said, _ = process.communicate()
        print(f"{name}\n{said}", end="")
        if process.returncode:
            failed.append(name)
    return failed


def _run(python: Path, words: tuple[str, ...], environment: dict[str, str]) -> int:
    logger.info("%s", " ".join(words))
    sys.stdout.flush()
    return subprocess.run([str(python), "-m", *words], cwd=ROOT, env=environment, check=False).returncode
