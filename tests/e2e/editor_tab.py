"""The picture editor, with the words of who paints: a stroke, what is shown, the mask that a job would get."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page

from tests.e2e.editor_page import EditorServer

WIDTH, HEIGHT = 600, 400  # not whole tiles
RED, GREEN, BLUE = (229, 50, 45), (40, 160, 80), (20, 40, 200)
PICTURE = "/sdapi/v1/jobs/a/images/0.png"
Pixels = NDArray[np.uint8]


def packed(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def picture() -> Pixels:
    """Red on the left half, with a blue square in it and another, alone, in the green right half."""
    pixels = np.full((HEIGHT, WIDTH, 3), GREEN, np.uint8)
    pixels[:, : WIDTH // 2] = RED
    pixels[100:200, 100:200] = BLUE
    pixels[200:300, 450:550] = BLUE
    return pixels


class Editor:
    """`page` shows it. Points are in pixels of the picture."""

    def __init__(self, page: Page, server: EditorServer) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def start(self, mode: str = "mask", *, opens: bool = True, frame: bool = False) -> None:
        mode = mode.replace("+", "%2B")
        self.page.goto(f"{self.server.url}/?mode={mode}{'&frame' if frame else ''}")
        self.is_there()
        if opens:
            assert self.page.evaluate(f"() => editor.open('{PICTURE}')")

    def is_there(self) -> None:
        self.page.wait_for_function("() => window.editor")
        self.page.evaluate("() => editor.ready")

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        at = self.page.evaluate(
            "([x, y]) => { const at = editor.view.toPlace({ x, y }), box = editor.place.getBoundingClientRect();"
            " return [at.x + box.left, at.y + box.top]; }",
            [x, y],
        )
        return at[0], at[1]

    def stroke(self, *points: tuple[float, float]) -> None:
        first, *others = (self.on_screen(*point) for point in points)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for other in others:
            self.page.mouse.move(*other, steps=4)
        self.page.mouse.up()

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("() => editor.result()")
        return found

    def mask(self) -> Pixels:
        """Return the mask that a job would get: (height, width), 0 to 255; all 0 where it gets none."""
        name = self.result()["mask"]
        if name is None:
            return np.zeros((HEIGHT, WIDTH), np.uint8)
        sent = self.server.picture(name)
        assert (sent.mode, sent.size) == ("L", (WIDTH, HEIGHT))
        return np.asarray(sent)

    def shown(self, x: float, y: float) -> list[int]:
        """Return the pixel of what is painted, as it is on the screen over that point of the picture."""
        found: list[int] = self.page.evaluate(
            "([x, y]) => { editor.screen.draw(); const at = editor.view.toPlace({ x, y }), r = editor.screen.ratio;"
            " return [...editor.screen.above.getImageData(at.x * r, at.y * r, 1, 1).data]; }",
            [x, y],
        )
        return found

    def set(self, name: str, value: object) -> None:
        self.page.evaluate("([name, value]) => editor.settings.set(name, value)", [name, value])

    def get(self, what: str) -> Any:
        return self.page.evaluate(f"() => editor.{what}")
