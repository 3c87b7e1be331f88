"""A server that knows the handover and nothing else. The file named by FAKE_SERVER says how it misbehaves."""

import json
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from modules.cmd_args import from_environment
from modules.link import Link
from modules.shared_state import State


def behaviour(variable: str) -> str:
    path = os.environ.get(variable)
    return Path(path).read_text().strip() if path and Path(path).exists() else ""


def listening_socket() -> socket.socket:
    if "STEADY_LISTEN_FD" in os.environ:
        return socket.socket(fileno=int(os.environ["STEADY_LISTEN_FD"]))
    arguments = from_environment()
    return socket.create_server((arguments.host, arguments.port))


class Server:
    def __init__(self) -> None:
        self.state = State()
        link = Link.from_environment(self.state, "server")
        assert link is not None
        self.link = link
        self.accept = threading.Event()
        self.retire = threading.Event()

    def run(self, how: str) -> None:
        if how == "crash":
            print("Traceback: the new code is broken", flush=True)
            sys.exit(3)
        signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "deaf" else signal.SIG_DFL)
        self.link.on_signal("accept", lambda payload: self.accept.set())
        self.link.on_signal("retire", lambda payload: self.retire.set())
        self.link.on_closed(lambda: os._exit(0))
        self.link.start()
        if how == "never ready":
            time.sleep(60)
        if how == "slow":  # there is time to order the same once more
            time.sleep(1.5)
        self.link.signal("ready")
        self.accept.wait()
        self.listener = listening_socket()
        self.listener.setblocking(False)
        self.link.signal("accepting")
        while not self.retire.is_set():
            if select.select([self.listener], [], [], 0.01)[0]:
                self.take()
        if how == "never stops":
            time.sleep(60)
        self.link.signal("stopped")
        time.sleep(0.2)
        self.link.close()

    def take(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection:
            word = connection.recv(100).decode()
            body: dict[str, Any] = {
                "pid": os.getpid(),
                "instance": os.environ["STEADY_INSTANCE"],
                "topics": dict(self.link.topics),
                "state": self.state.snapshot(),
            }
            connection.sendall(json.dumps(body).encode())
            if word.startswith("command "):  # last, since it may be this server's end
                self.state.server_command = word.removeprefix("command ")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server().run(behaviour("FAKE_SERVER"))
