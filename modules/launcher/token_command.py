"""`python3 launch.py token`: list the tokens with which programs get in, make one, revoke it."""

from __future__ import annotations

import time

from modules.cmd_args import Arguments
from modules.credentials.tokens import Tokens
from modules.errors import InvalidRequest, StorageError
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.serve import data_folder_of
from modules.paths import DataFolder

REVOKE = "--revoke"


def tokens(arguments: Arguments) -> ExitCode:
    """Do what the words after `token` ask for. A server that runs knows of it at once.

    Raises:
        LaunchError: it cannot be done.
    """
    known = Tokens(DataFolder(data_folder_of(arguments)).auth)
    words = [word for word in arguments.rest if word != REVOKE]
    revoke = REVOKE in arguments.rest
    if len(words) > 1 or (revoke and not words):
        raise LaunchError("name one token: launch.py token NAME, or launch.py token NAME --revoke", ExitCode.USAGE)
    try:
        if not words:
            _list(known)
        elif revoke:
            _revoke(known, words[0])
        else:
            _create(known, words[0])
    except InvalidRequest as error:
        raise LaunchError(str(error), ExitCode.USAGE) from error
    except StorageError as error:
        raise LaunchError(str(error), ExitCode.DATA_FOLDER) from error
    return ExitCode.OK


def _list(known: Tokens) -> None:
    for one in known.all():
        print(f"{time.strftime('%Y-%m-%d', time.localtime(one.created_at))}  {one.name}")
    if not known.all():
        print("There are no tokens. `python3 launch.py token NAME` makes one.")


def _create(known: Tokens, name: str) -> None:
    print(known.create(name))
    print(f"This is the token {name}. It is shown this once: send it as `Authorization: Bearer TOKEN`.")


def _revoke(known: Tokens, name: str) -> None:
    if not known.revoke(name):
        raise InvalidRequest(f"There is no token {name}: `python3 launch.py token` lists them.")
    print(f"The token {name} lets nobody in any more.")
