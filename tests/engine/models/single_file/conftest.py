"""What the tests of single files share: a machine without a network, and models that are a folder and a file."""

import socket
from typing import Any

import pytest

from tests.engine import tiny_files
from tests.engine.tiny_files import Both


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **named: object) -> Any:
        raise AssertionError("The network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def sd1(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return tiny_files.sd1(tmp_path_factory.mktemp("one"))
