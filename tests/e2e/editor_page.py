"""The picture editor alone on a page, with a server of the test that takes its pictures: without Gradio and engine."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from PIL import Image

from modules.api.page import assets
from modules.api.page.policy import policy_of
from tests.program import free_port, wait_until
from webui.theme import ASSETS, STYLES

PAGE = """<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>editor</title><link rel="icon" href="data:,">
{sheets}
<body><div class="gradio-container" style="padding: 20px"><div class="block sd-panel"><div id="editor"></div></div>
</div>
<script type="module" src="/start.js"></script></body></html>"""
START = """import { Editor } from "/steady/assets/editor/editor.js";
import { Menus } from "/steady/assets/page/menus.js";
const asked = new URLSearchParams(location.search);
document.documentElement.dataset.theme = asked.get("theme") || "light";
new Menus();
const place = document.getElementById("editor");
if (asked.get("width")) document.querySelector(".sd-panel").style.maxWidth = `${asked.get("width")}px`;
const mode = asked.get("mode") || "mask";
window.editor = new Editor(place, { key: "test", mode, frame: asked.has("frame"), label: "Picture" });
window.changes = [];
window.editor.addEventListener("change", (event) => window.changes.push(event.detail.what));
"""


@dataclass
class EditorServer:
    """`inputs`: what was sent, by name, in order of arrival; `posts` counts. `refusal`: what the next is told."""

    url: str = ""
    inputs: dict[str, bytes] = field(default_factory=dict)
    posts: int = 0
    refusal: str = ""

    def picture(self, name: str) -> Image.Image:
        return Image.open(io.BytesIO(self.inputs[name]))

    def take(self, data: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and answer, as `POST /sdapi/v1/inputs` gives them."""
        self.posts += 1
        if self.refusal:
            return 422, {"errors": self.refusal}
        try:
            width, height = Image.open(io.BytesIO(data)).size
        except OSError:
            return 422, {"errors": "This file is no picture: send a PNG."}
        name = hashlib.sha256(data).hexdigest() + ".png"
        self.inputs[name] = data
        return 200, {"name": name, "width": width, "height": height, "url": f"/sdapi/v1/inputs/{name}"}


@contextmanager
def editor_page() -> Iterator[EditorServer]:
    """Serve it, under the page's own policy for scripts."""
    known = EditorServer()
    served = FastAPI()
    served.include_router(assets.routes(assets.read_assets(ASSETS)))
    sheets = "".join(f'<link rel="stylesheet" href="/steady/assets/{name}">' for name in STYLES)
    page = PAGE.format(sheets=sheets)

    @served.get("/")
    async def index() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": policy_of(page.encode())})

    @served.get("/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    @served.post("/sdapi/v1/inputs")
    async def send(request: Request) -> JSONResponse:
        status, answer = known.take(await request.body())
        return JSONResponse(answer, status)

    @served.get("/sdapi/v1/inputs/{name}")
    @served.get("/sdapi/v1/jobs/a/images/{name}")
    async def read(name: str) -> Response:
        if name not in known.inputs:
            return Response(status_code=404)
        return Response(known.inputs[name], media_type="image/png")

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(served, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 60, "the editor's page is served")
    known.url = f"http://127.0.0.1:{port}"
    try:
        yield known
    finally:
        server.should_exit = True
        thread.join()
