"""`python3 launch.py`: own the data folder, bind the port, install what is missing, supervise."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modules.cmd_args import ENVIRONMENT_VARIABLE, Arguments
from modules.credentials.accounts import hash_accounts, read_accounts, read_accounts_file, to_environment
from modules.errors import InvalidRequest, StorageError
from modules.launcher.bootstrap import Environment
from modules.launcher.bytecode import with_bytecode_kept
from modules.launcher.child import Recipe
from modules.launcher.console import log_to_folder, pass_on
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.keeper import Keeper
from modules.launcher.lock import own_data_folder
from modules.launcher.lone_server_keeper import LoneServerKeeper
from modules.launcher.port import address_of, bind, listen
from modules.launcher.privacy import keep_new_files_private, umask
from modules.launcher.server_keeper import ServerKeeper
from modules.launcher.supervisor import Supervisor
from modules.launcher.switchboard import Switchboard
from modules.link.transport import DESCRIPTORS_ARE_INHERITED
from modules.open_files import raise_open_files_limit
from modules.paths import ROOT, DataFolder
from modules.shared_state import FIRST_ENGINE, State

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Programs:
    """What the children run, behind the name of a Python."""

    server: tuple[str, ...] = ("app.py",)
    engine: tuple[str, ...] = ("-m", "modules.engine")


OPEN_TO_ALL = (
    "--listen without a password: everyone in your network can use this page. Each sees his own jobs only; you, on "
    "this machine, see all. Ask for a password with --api-auth-path FILE (lines of user:password)."
)
# Nothing leaves the machine unless the user sets one of these himself.
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DIFFUSERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
}


def serve(
    arguments: Arguments, programs: Programs = Programs(), engine_ids: Sequence[str] = (FIRST_ENGINE,)
) -> ExitCode:
    """Run Steady Diffusion until it is told to stop.

    Raises:
        LaunchError: it cannot start.
    """
    passwords = passwords_of(arguments)
    if arguments.listen and not passwords:
        logger.warning(OPEN_TO_ALL)
    raise_open_files_limit()  # its children inherit it
    data = DataFolder(data_folder_of(arguments))
    usual = keep_new_files_private()
    locks = own_data_folder(data.root)
    log_to_folder(data.logs)
    bound = bind(arguments.host, arguments.port)
    with umask(usual):
        python = Environment(ROOT, newest=arguments.newest_packages).python(skip_install=arguments.skip_install)
    address = address_of(bound)
    listener = bound if DESCRIPTORS_ARE_INHERITED else None
    if listener is not None:
        listen(listener)
    else:
        bound.close()  # It was free; the server binds it itself.
    environment = child_environment(arguments, data)
    board = Switchboard(State())
    kept = locks if DESCRIPTORS_ARE_INHERITED else ()
    engine_command = (str(python), *programs.engine)
    told = {id: environment | who_it_is(id, engine_ids) for id in engine_ids}
    engines = [Keeper(Recipe("engine", engine_command, ROOT, told[id], kept, pass_on, id), board) for id in engine_ids]
    for_server = environment | to_environment(hash_passwords(passwords, data))
    server_recipe = Recipe("server", (str(python), *programs.server), ROOT, for_server, kept, pass_on)
    server = _server_keeper(server_recipe, board, listener, _greeter(address, arguments.autolaunch))
    return Supervisor(board, server, engines).run()


def passwords_of(arguments: Arguments) -> dict[str, str]:
    """Return the passwords by name that the command line names, itself or by files.

    Raises:
        LaunchError: they cannot be read, or make no sense.
    """
    texts = [("--api-auth", arguments.api_auth), ("--gradio-auth", arguments.gradio_auth)]
    files = [("--api-auth-path", arguments.api_auth_path), ("--gradio-auth-path", arguments.gradio_auth_path)]
    try:
        found = [(flag, text) for flag, text in texts if text is not None]
        found += [read_accounts_file(flag, path) for flag, path in files if path is not None]
        accounts = read_accounts(found)
    except InvalidRequest as error:
        raise LaunchError(str(error), ExitCode.USAGE) from error
    if found and not accounts:
        # A door that was to be locked must not stand open because of an empty file.
        raise LaunchError(f"{found[0][0]} names nobody: write user:password.", ExitCode.USAGE)
    return accounts


def hash_passwords(passwords: Mapping[str, str], data: DataFolder) -> dict[str, str]:
    """Return what the server gets of the passwords.

    Raises:
        LaunchError: the data folder cannot be written.
    """
    try:
        return hash_accounts(passwords, data.auth)
    except StorageError as error:
        raise LaunchError(str(error), ExitCode.DATA_FOLDER) from error


def data_folder_of(arguments: Arguments) -> Path:
    """Return the absolute path of the data folder."""
    return Path(arguments.data_dir).expanduser().absolute() if arguments.data_dir else ROOT / "data"


def child_environment(arguments: Arguments, data: DataFolder) -> dict[str, str]:
    """Return the environment of both children."""
    inherited = {
        name: value for name, value in with_bytecode_kept(os.environ).items() if not name.startswith("STEADY_")
    }
    models = [str(Path(folder).expanduser().absolute()) for folder in arguments.models_dir]
    places = {
        kind: [str(Path(folder).expanduser().absolute()) for folder in folders]
        for kind, folders in arguments.model_places.items()
    }
    return {
        **_QUIET,
        **inherited,
        "STEADY_DATA_DIR": str(data.root),
        "STEADY_MODELS_DIRS": os.pathsep.join(models),
        "STEADY_MODEL_PLACES": json.dumps(places),
        ENVIRONMENT_VARIABLE: arguments.to_json(),
    }


def who_it_is(engine: str, engines: Sequence[str]) -> dict[str, str]:
    """Return what an engine is told of itself and of those beside it."""
    return {"STEADY_ENGINE": engine, "STEADY_OTHER_ENGINES": " ".join(one for one in engines if one != engine)}


def _server_keeper(
    recipe: Recipe, board: Switchboard, listener: socket.socket | None, greet: Callable[[], None]
) -> Keeper:
    """Keep servers on one socket; without one each server binds the port, and a restart is stop-then-start."""
    if listener is None:
        return LoneServerKeeper(recipe, board, first_accepted=greet)
    descriptor = listener.fileno()
    environment = {**recipe.environment, "STEADY_LISTEN_FD": str(descriptor)}
    recipe = replace(recipe, environment=environment, descriptors=(*recipe.descriptors, descriptor))
    return ServerKeeper(recipe, board, first_accepted=greet)


def _greeter(address: str, autolaunch: bool) -> Callable[[], None]:
    def greet() -> None:
        logger.info("Steady Diffusion is at %s (Ctrl-C ends it)", address)
        if autolaunch:
            # A browser in the terminal would hold the thread that looks after the server.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    return greet
