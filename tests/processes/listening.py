"""Whom the processes of a program ask: an audit hook notes every address that Python connects to or looks up."""

import json
from pathlib import Path
from typing import Any

HOOK = """
import json, os, socket, sys
where = os.environ["AUDIT_FOLDER"]
def note(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:2]
    elif event == "open" and str(arguments[0]).endswith(".pyi"):
        address = ("of editors", arguments[0])
    else:
        return
    parts = [str(part) for part in address] if isinstance(address, tuple) else [str(address)]
    with open(os.path.join(where, f"{os.getpid()}.jsonl"), "a") as file:
        file.write(json.dumps([event, parts]) + "\\n")
sys.addaudithook(note)
# The control: a look-up that must be noted. A number is looked up without asking anybody.
socket.getaddrinfo("192.0.2.1", 9, flags=socket.AI_NUMERICHOST)
with open(os.path.join(where, f"{os.getpid()}.role"), "w") as file:
    file.write(" ".join(sys.orig_argv))
"""
CONTROL = ["socket.getaddrinfo", ["192.0.2.1", "9"]]
LOCAL = ("127.", "::1", "localhost", "/", "b'/", "None")


class Listening:
    """A folder where each process that runs `HOOK` notes what it asks for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.environment = {"AUDIT_FOLDER": str(folder)}

    def heard(self) -> list[tuple[str, list[Any]]]:
        """Return the command line of each process, and its questions: the event and the address."""
        return [
            (role.read_text(), [json.loads(line) for line in role.with_suffix(".jsonl").read_text().splitlines()])
            for role in sorted(self._folder.glob("*.role"))
        ]
