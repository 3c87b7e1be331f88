"""What keeps the launcher from starting."""

from __future__ import annotations

from modules.launcher.exit_codes import ExitCode


class LaunchError(Exception):
    """The start cannot go on. The message is one line for a newcomer and names the remedy."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code
