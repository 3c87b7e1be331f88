"""A page that hears what the test says in place of the server's live stream: any state, without drawing anything."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

from PIL import Image
from playwright.sync_api import Page, WebSocketRoute

from tests.e2e.answers import Answer, Asked, answer, as_json

SNAPSHOT: dict[str, Any] = {
    "type": "snapshot", "events": 1, "instance": "i", "page": "p", "job": None, "running": None, "queue": [],
    "queued": 0, "progress": None, "preview": None, "engine": {"status": "idle", "checkpoint": "emoji"},
    "supervisor": {"engine": {"status": "up"}}, "notices": [],
}  # fmt: skip
IDENTITY = "f" * 24
SHOWN = """(source) => {
  const image = document.getElementById("txt2img_live_preview");
  return image.getAttribute("src") === source && image.complete;
}"""


CALL = """([name, tab, values]) => window.steady.call(
  {name, tab, takes: Object.keys(values), gives: []}, Object.values(values))"""


def call(page: Page, name: str, tab: str = "", **values: str) -> None:
    """Call a function of the page's scripts as a listener of Gradio does."""
    page.evaluate(CALL, [name, tab, values])


def picture(width: int, height: int) -> bytes:
    """Return a PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 80)).save(file, "PNG")
    return file.getvalue()


def output(index: int, width: int = 64, height: int = 64, **more: Any) -> dict[str, Any]:
    """Return an output as the server tells of it; its address names its size, for `Feed` to draw it."""
    url = f"/sdapi/v1/jobs/{IDENTITY}/images/{index}.png?{width}x{height}"
    base = {"index": index, "width": width, "height": height, "seed": index, "partial": False, "url": url,
            "name": f"{index}.png", "infotext": f"a heart {index}\nSteps: 20, Seed: {index}"}  # fmt: skip
    return {**base, **more}


def no_jobs(page: Page) -> None:
    """Let the server know of no job that `page` asks for."""
    addresses = [r"*/sdapi/v1/jobs\?*", f"*/sdapi/v1/jobs/{IDENTITY}"]
    answer(page, addresses, lambda _asked: as_json({"jobs": [], "total": 0, "folder": None}))


def _draw(asked: Asked) -> Answer:
    size = re.search(r"\?(\d+)x(\d+)", asked.url)
    width, height = (int(size[1]), int(size[2])) if size else (64, 64)
    return Answer(picture(width, height), "image/png")


class Feed:
    """`page` opened on `url`. `say` sends messages of the live stream; pictures of jobs are made up."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.first: dict[str, Any] | None = SNAPSHOT
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/steady/live"), self._connected)
        answer(page, [f"*/sdapi/v1/jobs/{IDENTITY}/images/*"], _draw)

    def _connected(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        if self.first:
            socket.send(json.dumps(self.first))

    def open(self) -> None:
        """Load the page and wait until its controls are there."""
        self.page.goto(self.url)
        self.page.wait_for_function("() => document.querySelector('#txt2img_sizes button')")

    @property
    def owner(self) -> str:
        known: str = self.page.evaluate("window.steady.state().owner")
        return known

    def say(self, *messages: dict[str, Any]) -> None:
        """Send messages, and return when the page has drawn what follows from them."""
        for message in messages:
            self.sockets[-1].send(json.dumps(message))
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def job(self, status: str, outputs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Return a job of this page."""
        request = {"prompt": "a heart", "n_iter": max(1, len(outputs)), "width": 64, "height": 64}
        base = {"id": IDENTITY, "status": status, "owner": self.owner, "outputs": outputs, "requested": None,
                "position": None, "request": request, "resolved": None, "error": None, "started_at": 1.0,
                "finished_at": None if status == "running" else 3.0, "progress": 0.0, "notes": []}  # fmt: skip
        return {**base, **more}

    def shows(self, job: dict[str, Any], **more: Any) -> None:
        """Make `job` what the server knows."""
        running = job if job["status"] == "running" else None
        self.say({"type": "reset", "asked": 0, "first": None, "events": 1},
                 {**SNAPSHOT, "job": job, "running": running, **more})  # fmt: skip

    def previews(self, width: int, height: int, image: int = 0, step: int = 3) -> str:
        """Send a preview of the job and return its address."""
        data = f"data:image/png;base64,{base64.b64encode(picture(width, height)).decode()}"
        preview = {"id": step, "job": IDENTITY, "image": image, "step": step, "data": data}
        self.say({"type": "preview", "preview": preview})
        return data

    def wait_for_picture(self, source: str) -> None:
        """Wait until the stage shows `source`."""
        self.page.wait_for_function(SHOWN, arg=source)
