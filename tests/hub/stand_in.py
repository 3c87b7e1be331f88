"""A Hub on this machine, as far as downloads ask it for anything, and with the faults that tests want of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 1 << 16
_LARGE = 1 << 10  # from here on a file is told with its SHA-256, as the Hub does with those of LFS


@dataclass
class StandIn:
    """Repositories by name, their files by path. Use it as a context manager; `url` is its HF_ENDPOINT.

    `cuts` are numbers of bytes after which the next answers with a file end, one after the other. `go` holds back what
    comes after the first half of a file while it is cleared. `asked` are all requests, with their Range.
    """

    repos: dict[str, dict[str, bytes]]
    token: str | None = None  # what private and gated repositories want
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    falsified: dict[str, bytes] = field(default_factory=dict)  # what comes in place of a file, by its path
    cuts: list[int] = field(default_factory=list)
    status: int | None = None  # what is answered to everything
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def __enter__(self) -> StandIn:
        self.go.set()
        outer = self

        class Handler(_Handler):
            hub = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ranges_of(self, path: str) -> list[str | None]:
        """Return the Range of each GET of a file."""
        return [one for method, asked, one in self.asked if method == "GET" and asked.endswith(f"/{path}")]


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("range")))
        if self.hub.status is not None:
            self.refuse(self.hub.status)
            return
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        found = api or file
        repo = found.group(1) if found else ""
        if repo not in self.hub.repos or not self.may_read(repo):
            self.refuse(401, "RepoNotFound")
        elif repo in self.hub.gated and file and not self.has_token():
            self.refuse(401, "GatedRepo")
        elif found and found.group(2) not in (None, "main", COMMIT):
            self.refuse(404, "RevisionNotFound")
        elif api:
            self.send_json(self.told(repo))
        elif file and file.group(3) in self.hub.repos[repo]:
            self.send_file(repo, file.group(3))
        else:
            self.refuse(404, "EntryNotFound")

    def has_token(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {self.hub.token}"

    def may_read(self, repo: str) -> bool:
        return repo not in self.hub.private or self.has_token()

    def told(self, repo: str) -> dict[str, Any]:
        siblings = []
        for name, data in self.hub.repos[repo].items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            one: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob}
            if len(data) >= _LARGE:
                one["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
            siblings.append(one)
        return {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "tags": [], "downloads": 0}

    def send_json(self, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_file(self, repo: str, name: str) -> None:
        whole = self.hub.falsified.get(name, self.hub.repos[repo][name])
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range") or "")
        begin = int(asked.group(1)) if asked else 0
        data = whole[begin:]
        self.send_response(206 if asked else 200)
        self.send_header("x-repo-commit", COMMIT)
        self.send_header("etag", f'"{hashlib.sha256(whole).hexdigest()}"')
        self.send_header("accept-ranges", "bytes")
        self.send_header("content-length", str(len(data)))
        if asked:
            self.send_header("content-range", f"bytes {begin}-{len(whole) - 1}/{len(whole)}")
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(OSError):
                self.send_bytes(data)

    def send_bytes(self, data: bytes) -> None:
        most = self.hub.cuts.pop(0) if self.hub.cuts and len(data) > _PIECE else len(data)
        for start in range(0, min(most, len(data)), _PIECE):
            if start * 2 >= len(data):
                self.hub.go.wait(60)
            self.wfile.write(data[start : min(start + _PIECE, most)])
        self.close_connection = most < len(data)

    def refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("x-error-code", code)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def safetensors_of(names: list[str], size: int) -> bytes:
    """Return a safetensors file of some `size` bytes whose tensors have these names."""
    each = max(4, size // len(names) // 4 * 4)
    header = {
        name: {"dtype": "F32", "shape": [each // 4], "data_offsets": [each * place, each * (place + 1)]}
        for place, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    body = bytes(range(256)) * (each * len(names) // 256 + 1)
    return len(text).to_bytes(8, "little") + text + body[: each * len(names)]
