"""Where no descriptor can be inherited (Windows): links over loopback, the server binds the port, stop-then-start."""

import os
import signal
import socket

from tests.launcher.conftest import Launcher, eventually

SCRIPT = """
import sys
from modules.launcher import serve
from modules.link import transport
serve.DESCRIPTORS_ARE_INHERITED = False
transport.Offer.__init__.__defaults__ = (False,)
from tests.launcher.fake_launcher import main
sys.exit(main(*sys.argv[1:]))
"""


def test_everything_works_with_a_gap_at_a_restart(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        launcher.port = probe.getsockname()[1]
    launcher.command = ["-c", SCRIPT]
    launcher.start()
    before = launcher.ask()
    os.kill(before["topics"]["engine"]["pid"], signal.SIGKILL)
    eventually(lambda: launcher.ask()["topics"]["engine"]["last_death"])
    launcher.ask("command restart")

    def another_answers() -> bool:
        try:
            return bool(launcher.ask()["pid"] != before["pid"])
        except (OSError, ValueError):
            return False

    eventually(another_answers)
    assert launcher.stop() == 0
    assert launcher.children() == []
