"""What `launch.py` tells whoever started it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `launch.py`. They are part of its interface: a script may rely on them."""

    OK = 0  # stopped on request: by Ctrl-C, SIGTERM, POST server-stop; or `test` and `doctor` found nothing wrong
    FAILED = 1  # `test`: a check failed; `doctor`: something needs a remedy
    USAGE = 2  # an argument that is not known (argparse)
    OLD_PYTHON = 3  # launch.py itself gives this number
    INSTALL = 4  # the virtual environment could not be made or filled
    PORT = 5  # the port cannot be bound
    DATA_FOLDER = 6  # the data folder cannot be used
    IN_USE = 7  # another instance has the data folder
    SERVER_GIVEN_UP = 8  # the server died five times in a row, so there is no page any more
    INTERRUPTED = 130  # Ctrl-C before anything was started
