"""What `launch.py` does once the Python is known to be new enough."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from modules.cmd_args import parse
from modules.launcher.check import check
from modules.launcher.console import set_up_logging
from modules.launcher.doctor import examine
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.serve import serve
from modules.launcher.token_command import tokens


def main(argv: Sequence[str]) -> int:
    """Run the command that `argv` (without the program's name) asks for, and return the exit code."""
    arguments = parse(argv)
    set_up_logging(arguments.loglevel)
    try:
        if arguments.command == "test":
            return check(arguments)
        if arguments.command == "doctor":
            return examine(arguments)
        if arguments.command == "token":
            return tokens(arguments)
        return serve(arguments)
    except LaunchError as error:
        print(f"Steady Diffusion cannot start: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return ExitCode.INTERRUPTED
