"""The server process itself, started by hand on a socket that the test holds."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import ROOT, wait_until


class Server:
    """`python app.py` without a launcher."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listening.getsockname()[1]
        descriptor = self.listening.fileno()
        self.log = data / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, pass_fds=[descriptor], stdout=log, stderr=log,
                env={**os.environ, "STEADY_DATA_DIR": str(data), "STEADY_LISTEN_FD": str(descriptor)},
            )  # fmt: skip

    def wait(self) -> None:
        """Return when it accepts; connections wait in the backlog until then."""
        wait_until(lambda: b"accepts connections" in self.log.read_bytes(), 60, f"the server starts: {self.log}")

    def request(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (lower case) and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()

    def stop(self) -> int:
        """End it as a supervisor does and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.listening.close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers with data folders of their own."""
    folder = tmp_path_factory.mktemp("servers")
    first, second = Server(folder / "first"), Server(folder / "second")
    first.wait()
    second.wait()
    yield first, second
    first.stop()
    second.stop()


@pytest.fixture(scope="module")
def server(servers: tuple[Server, Server]) -> Server:
    return servers[0]


def test_the_page_is_there_and_loads_nothing_from_elsewhere(server: Server) -> None:
    status, headers, body = server.request("/")
    page = body.decode()
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "/steady/assets/" in page
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']?([^"' >]+)""", page)
    assert loaded
    assert [address for address in loaded if address.startswith(("http:", "https:", "//"))] == []
    theme = server.request("/theme.css")[2].decode()
    assert re.findall(r"url\(['\"]?https?:", theme) == []


def test_the_server_has_no_torch_in_memory(server: Server) -> None:
    assert "torch" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_two_instances_have_the_same_page(servers: tuple[Server, Server]) -> None:
    first, second = [json.loads(one.request("/internal/ping")[2]) for one in servers]
    assert first["page"] == second["page"]
    assert first["instance"] != second["instance"]


def test_assets_are_kept_under_the_version_that_the_page_names_and_asked_for_again_under_none(server: Server) -> None:
    page = server.request("/")[2].decode()
    ((version, name),) = set(re.findall(r"/steady/assets/(v[0-9a-f]{16})/([\w./-]+\.js)", page))
    assert "/steady/assets/" not in page.replace(f"/steady/assets/{version}/", "")
    for_ever = "private, max-age=31536000, immutable"
    for folder, kept in ((version, for_ever), ("", "no-cache"), (f"v{'0' * 16}", "no-cache")):
        address = f"/steady/assets/{folder}/{name}".replace("//", "/")
        status, headers, body = server.request(address)
        assert (status, headers["cache-control"]) == (200, kept)
        assert "javascript" in headers["content-type"]
        assert body == (ROOT / "webui" / "assets" / name).read_bytes()
        assert server.request(address, headers={"If-None-Match": headers["etag"]})[0] == 304
    assert server.request(f"/steady/assets/{name}/{name}")[0] == 404
    assert server.request("/steady/assets/../app.py")[0] == 404
    assert server.request("/steady/assets/nothing.js")[0] == 404


def test_another_site_can_neither_write_nor_read(server: Server) -> None:
    foreign = {"Origin": "http://evil.example"}
    for path in ("/sdapi/v1/interrupt", "/gradio_api/run/predict", "/gradio_api/upload"):
        assert server.request(path, "POST", foreign)[0] == 403
    for path in ("/config", "/sdapi/v1/options"):
        headers = server.request(path, headers=foreign)[1]
        assert not [name for name in headers if name.startswith("access-control-allow")]
    assert server.request("/", headers={"Host": "evil.example"})[0] == 403


def test_of_gradio_only_the_page_is_there(server: Server) -> None:
    """Its upload route took 300 MB and kept them outside the data folder."""
    for path in ("/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/run/anything", "/gradio_api/stream/a"):
        assert server.request(path, "POST")[0] == 404
    for path in ("/gradio_api/dev/reload", "/gradio_api/file=app.py", "/gradio_api/heartbeat/a", "/gradio_api/info"):
        assert server.request(path)[0] == 404
    assert server.request("/gradio_api/run/predict", "POST")[0] == 422


def test_every_answer_carries_its_time(server: Server) -> None:
    for path in ("/", "/internal/ping", "/sdapi/v1/no-such-route"):
        assert re.fullmatch(r"\d+\.\d{4}", server.request(path)[1]["x-process-time"])


def test_sigterm_ends_it_in_order_also_with_a_stream_open(servers: tuple[Server, Server]) -> None:
    """The last one here, since it ends the second server."""
    server = servers[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/sdapi/v1/events", timeout=20) as stream:
        assert stream.readline().startswith(b"id: ")
        assert server.stop() == 0
        assert b"leaving" in stream.read()
