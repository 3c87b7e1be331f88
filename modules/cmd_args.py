"""The command line of `launch.py`, and how its values reach the server and the engine."""

from __future__ import annotations

import argparse
import functools
import ipaddress
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

Command = Literal["serve", "test", "doctor", "token"]
# How sparing with the memory of an accelerator: "": as it has room.
Vram = Literal["", "medium", "medium-sdxl", "low"]

ENVIRONMENT_VARIABLE = "STEADY_ARGS"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# What A1111, Forge and ComfyUI call the flags that name a folder of one kind of models, and the kind.
EXTRA_PATHS = "extra_paths"
MODEL_PLACES = {
    "--ckpt-dir": "checkpoint",
    "--vae-dir": "vae",
    "--lora-dir": "lora",
    "--embeddings-dir": "embedding",
    "--text-encoder-dir": "text_encoder",
    "--controlnet-dir": "controlnet",
    "--esrgan-models-path": "upscaler",
    "--gfpgan-models-path": "face_restorer",
    "--codeformer-models-path": "face_restorer",
    "--extra-model-paths-config": EXTRA_PATHS,
}

_COMMANDS: tuple[Command, ...] = ("serve", "test", "doctor", "token")
_OPTIONS_WITH_VALUE = (
    "--port",
    "--data-dir",
    "--models-dir",
    *MODEL_PLACES,
    "--styles-file",
    "--wildcards-dir",
    "--loglevel",
    "--api-auth",
    "--gradio-auth",
    "--api-auth-path",
    "--gradio-auth-path",
    "--trusted-proxies",
)
# What holds passwords: never handed on, nor told.
_SECRET = ("api_auth", "gradio_auth")


@dataclass(frozen=True)
class Arguments:
    """What was asked for on the command line. `None` means the default of whoever uses the value."""

    command: Command = "serve"
    port: int = 7860
    listen: bool = False
    data_dir: str | None = None
    models_dir: tuple[str, ...] = ()
    ckpt_dir: tuple[str, ...] = ()
    vae_dir: tuple[str, ...] = ()
    lora_dir: tuple[str, ...] = ()
    embeddings_dir: tuple[str, ...] = ()
    text_encoder_dir: tuple[str, ...] = ()
    controlnet_dir: tuple[str, ...] = ()
    esrgan_models_path: tuple[str, ...] = ()
    gfpgan_models_path: tuple[str, ...] = ()
    codeformer_models_path: tuple[str, ...] = ()
    extra_model_paths_config: tuple[str, ...] = ()
    styles_file: tuple[str, ...] = ()
    wildcards_dir: tuple[str, ...] = ()
    autolaunch: bool = False
    loglevel: str = "INFO"
    skip_install: bool = False
    newest_packages: bool = False
    api_server_stop: bool = False
    api_auth: str | None = field(default=None, repr=False)
    gradio_auth: str | None = field(default=None, repr=False)
    api_auth_path: str | None = None
    gradio_auth_path: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    vram: Vram = ""
    rest: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The address to bind: this machine only, unless --listen opens it to the network."""
        return "0.0.0.0" if self.listen else "127.0.0.1"

    @property
    def model_places(self) -> dict[str, tuple[str, ...]]:
        """The folders with models of one kind that were named, by the kind, and the files that name more."""
        named: dict[str, tuple[str, ...]] = {}
        for flag, kind in MODEL_PLACES.items():
            if folders := getattr(self, _destination(flag)):
                named[kind] = (*named.get(kind, ()), *folders)
        return named

    def refusal_of_command(self, command: str, address: str, *, trusted: bool) -> str | None:
        """Return why who asks from `address` may not give the launcher a command; None: he may.

        `trusted` is who has logged in, and a process of this machine.
        """
        if self.api_server_stop or trusted:
            return None
        return (
            f"The command {command} is for those who log in and for the machine that this runs on, and you come from "
            f"{address}: start with --api-auth USER:PASSWORD and log in, or with --api-server-stop to let all give it."
        )

    def to_json(self) -> str:
        """Return the text that `from_environment` reads in a child. It holds no password."""
        return json.dumps(asdict(self) | dict.fromkeys(_SECRET))


def refusal_without_launcher(command: str) -> str:
    """Return why nobody may give a command where no launcher listens."""
    return f"No launcher follows the command {command}: start this server with launch.py."


def parse(argv: Sequence[str]) -> Arguments:
    """Read the arguments after the program's name.

    Everything that `test` does not know itself is kept for pytest in `rest`, and what follows `token` too. Ends the
    process with a message and exit code 2 on a wrong argument, with 0 on --help.
    """
    command, others = _split_command(argv)
    parser = _parser()
    known, rest = parser.parse_known_args(others)
    if rest and command not in ("test", "token"):
        _refuse(parser, rest)
    return Arguments(
        command=command,
        port=known.port,
        listen=known.listen,
        data_dir=known.data_dir,
        models_dir=tuple(known.models_dir),
        ckpt_dir=tuple(known.ckpt_dir),
        vae_dir=tuple(known.vae_dir),
        lora_dir=tuple(known.lora_dir),
        embeddings_dir=tuple(known.embeddings_dir),
        text_encoder_dir=tuple(known.text_encoder_dir),
        controlnet_dir=tuple(known.controlnet_dir),
        esrgan_models_path=tuple(known.esrgan_models_path),
        gfpgan_models_path=tuple(known.gfpgan_models_path),
        codeformer_models_path=tuple(known.codeformer_models_path),
        extra_model_paths_config=tuple(known.extra_model_paths_config),
        styles_file=tuple(_absolute(path) for path in known.styles_file),
        wildcards_dir=tuple(_absolute(path) for path in known.wildcards_dir),
        autolaunch=known.autolaunch,
        loglevel=known.loglevel,
        skip_install=known.skip_install,
        newest_packages=known.newest_packages,
        api_server_stop=known.api_server_stop,
        api_auth=known.api_auth,
        gradio_auth=known.gradio_auth,
        api_auth_path=known.api_auth_path,
        gradio_auth_path=known.gradio_auth_path,
        trusted_proxies=known.trusted_proxies,
        vram=known.vram,
        rest=tuple(rest),
    )


def from_environment() -> Arguments:
    """Return the launcher's arguments in one of its children; the defaults in a process that has no launcher."""
    text = os.environ.get(ENVIRONMENT_VARIABLE)
    if not text:
        return Arguments()
    told: dict[str, Any] = json.loads(text)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Arguments(**values)


@functools.lru_cache(maxsize=1024)  # each request asks
def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own, also written as an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return bool((getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback)


def _absolute(path: str) -> str:
    """Return a path that means the same in the processes that are started."""
    return str(Path(path).expanduser().absolute())


def _destination(flag: str) -> str:
    return flag.strip("-").replace("-", "_")


def _split_command(argv: Sequence[str]) -> tuple[Command, list[str]]:
    """Find the command wherever it stands: argparse cannot read an optional one behind an option."""
    value_expected = False
    for index, word in enumerate(argv):
        if not value_expected and word in _COMMANDS:
            return word, [*argv[:index], *argv[index + 1 :]]
        value_expected = word in _OPTIONS_WITH_VALUE
    return "serve", list(argv)


def _refuse(parser: argparse.ArgumentParser, rest: Sequence[str]) -> NoReturn:
    parser.error(f"{' '.join(rest)} is not known: `python3 launch.py --help` lists what is")


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: use 0 (any free one) to 65535")
    return port


def _proxies(text: str) -> tuple[str, ...]:
    """Return addresses and networks, each in its usual form."""
    try:
        return tuple(str(ipaddress.ip_network(one.strip(), strict=False)) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}: name addresses or networks, such as 127.0.0.1,10.0.0.0/24"
        ) from error


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise argparse.ArgumentTypeError(f"{text} is not a log level: use one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="launch.py",
        usage="python3 launch.py [serve | test | doctor | token [NAME [--revoke]]] [options]",
        description="serve (the default) installs what is missing and starts the web UI; "
        "test runs linters and tests and hands on what pytest knows; doctor looks at this machine; token lists the "
        "tokens with which programs get in, makes one, or revokes it.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=_port, default=7860, help="port of the page and the API; 0 takes any free one")
    parser.add_argument("--listen", action="store_true", help="let other machines in (else this machine only)")
    parser.add_argument("--data-dir", help="folder for settings, queue and pictures (data/ beside launch.py)")
    parser.add_argument(
        "--models-dir", action="append", default=[],
        help="one more folder with models, or a program that has one: A1111, Forge, ComfyUI or SD.Next",
    )  # fmt: skip
    _add_model_places(parser)
    parser.add_argument(
        "--styles-file", action="append", default=[], metavar="FILE",
        help="styles in A1111's form, in place of styles.csv in the data folder; may hold wildcards, new ones go into "
        "the first",
    )  # fmt: skip
    parser.add_argument(
        "--wildcards-dir", action="append", default=[], metavar="FOLDER",
        help="one more folder with wildcards, beside data/wildcards and those of programs that --models-dir names",
    )  # fmt: skip
    parser.add_argument("--autolaunch", action="store_true", help="open the browser when the page is there")
    parser.add_argument("--loglevel", type=_log_level, default="INFO", help="DEBUG, INFO, WARNING, ERROR or CRITICAL")
    parser.add_argument("--skip-install", action="store_true", help="start without looking at the installed packages")
    parser.add_argument(
        "--newest-packages",
        action="store_true",
        help="install the newest packages that requirements.txt allows, not those that were tested",
    )
    parser.add_argument(
        "--api-server-stop", action="store_true", help="let other machines restart and stop the server and the engine"
    )
    _add_passwords(parser)
    _add_vram(parser)
    parser.add_argument(
        "--trusted-proxies", type=_proxies, default=(), metavar="ADDRESS[,...]",
        help="proxies in front of this program, by address or network: their X-Forwarded-For tells who asks",
    )  # fmt: skip
    return parser


def _add_model_places(parser: argparse.ArgumentParser) -> None:
    """A1111, Forge and ComfyUI each have a flag for some kinds, and people have them in the files that start those."""
    for flag, kind in MODEL_PLACES.items():
        if kind == EXTRA_PATHS:
            parser.add_argument(flag, action="extend", nargs="+", default=[], help="more files that name such folders")
        else:
            kinds = kind.replace("_", " ") + "s"
            parser.add_argument(flag, action="append", default=[], help=f"one more folder, with {kinds} alone")


def _add_vram(parser: argparse.ArgumentParser) -> None:
    """A1111's flags; without one the engine sees for itself what fits."""
    for flag, value, words in (
        ("--medvram", "medium", "keep on the graphics card only the network that works"),
        ("--medvram-sdxl", "medium-sdxl", "the same, for SDXL alone"),
        ("--lowvram", "low", "keep on the graphics card only the block that works: slower, with the least memory"),
    ):
        parser.add_argument(flag, dest="vram", action="store_const", const=value, default="", help=words)


def _add_passwords(parser: argparse.ArgumentParser) -> None:
    """All four mean the same: who is named may use page and API. A1111 has two doors, and here is one."""
    for flag in ("--api-auth", "--gradio-auth"):
        parser.add_argument(
            flag,
            metavar="USER:PASSWORD[,...]",
            help="ask for a name and a password, on the page and for the API; others on this machine see them in its "
            f"list of processes, so better use {flag}-path",
        )
    for flag in ("--api-auth-path", "--gradio-auth-path"):
        parser.add_argument(flag, metavar="FILE", help="the same from a file, one user:password a line")
