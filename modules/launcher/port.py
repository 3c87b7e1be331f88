"""The listening socket: bound before anything else, handed to every server after it."""

from __future__ import annotations

import errno
import os
import socket

from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.processes import describe, holders_of_port

BACKLOG = 512  # what waits here while no server accepts: a first start, a swap, a crash


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket that does not listen yet, so that clients are refused while packages are installed.

    Raises:
        LaunchError: the port is in use or not ours to take; the message says by whom where that can be known.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # Connections of an earlier server may still be in TIME_WAIT; on Windows this would let two servers in.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _explain(error, host, port) from error
    return listener


def listen(listener: socket.socket) -> None:
    """Let clients wait in the backlog from now on. Raises LaunchError as `bind` does."""
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()
        listener.close()
        raise _explain(error, host, port) from error


def address_of(listener: socket.socket) -> str:
    """Return the page's address for a browser on this machine."""
    host, port = listener.getsockname()
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"


def _explain(error: OSError, host: str, port: int) -> LaunchError:
    if error.errno == errno.EADDRINUSE:
        holders = holders_of_port(port)
        by = f" by {describe(holders[0])}" if holders else ""
        other = port + 1 if port < 65535 else port - 1
        message = f"Port {port} is in use{by}: end it, or choose another one, for example --port {other}."
    elif error.errno == errno.EACCES:
        message = f"Port {port} is not yours to take (below 1024 only root may): choose another one, e.g. --port 7860."
    else:
        message = f"Port {port} of {host} cannot be bound ({error.strerror}): choose another one with --port."
    return LaunchError(message, ExitCode.PORT)
