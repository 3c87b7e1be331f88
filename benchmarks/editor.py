"""How long after the press of the brush its stroke is on the screen, in headless Chromium.

`python -m benchmarks.editor [rounds]`; budget: 100 ms for the first stroke after a 2048 × 2048 picture was opened, and
for the first and every further stroke on one of 4096 × 4096. Times are from the browser's time stamp of the event to
the frame after the one that shows it.
"""

from __future__ import annotations

import io
import statistics
import sys
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.verdict import Verdicts
from modules.launcher.browser import needed_chromium
from tests.e2e.editor_page import EditorServer, editor_page

BUDGET_MS = 100.0
STROKES = 12
MOVES = 25  # events of a stroke
LARGE_BRUSH = 400  # pixels of the picture
# Of each event that draws: how long until the frame after the next has begun, when what it drew is on the screen.
WATCH = """() => {
  const place = document.querySelector(".sd-editor-place");
  window.latencies = { pointerdown: [], pointermove: [] };
  for (const name of Object.keys(window.latencies)) {
    place.addEventListener(name, (event) => {
      if (!event.buttons) return;
      const shown = () => window.latencies[name].push(performance.now() - event.timeStamp);
      requestAnimationFrame(() => requestAnimationFrame(shown));
    });
  }
}"""
PRESENTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def photograph(side: int) -> bytes:
    """Return a PNG of so many pixels a side with the detail of a photograph."""
    noise = np.random.default_rng(1).integers(0, 40, (side, side, 3), dtype=np.uint8)
    slope = np.linspace(0, 200, side, dtype=np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise + slope[:, None, None] // 2 + slope[None, :, None] // 2).save(packed, "PNG", compress_level=1)
    return packed.getvalue()


def stroke(page: Page, number: int) -> dict[str, list[float]]:
    """Draw one across the picture; return its latencies in ms, by the kind of event."""
    box: Any = page.locator(".sd-editor-place").bounding_box()
    page.evaluate("() => { for (const one of Object.values(window.latencies)) one.length = 0; }")
    height = box["y"] + box["height"] * (0.2 + 0.6 * number / STROKES)
    page.mouse.move(box["x"] + box["width"] * 0.3, height)
    page.mouse.down()
    for step in range(MOVES):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.4 * step / MOVES), height + 10 * (step % 3))
    page.evaluate(PRESENTED)
    page.mouse.up()
    latencies: dict[str, list[float]] = page.evaluate("() => window.latencies")
    return latencies


def measure(page: Page, server: EditorServer, side: int, verdicts: Verdicts, rounds: int) -> None:
    server.inputs["0.png"] = photograph(side)
    firsts: list[float] = []
    moves: list[float] = []
    for _ in range(rounds):
        page.goto(f"{server.url}/?mode=mask")
        page.wait_for_function("() => window.editor")
        page.evaluate("() => editor.ready")
        page.evaluate(WATCH)
        assert page.evaluate("() => editor.open('/sdapi/v1/jobs/a/images/0.png')")
        firsts += stroke(page, 0)["pointerdown"]
        page.evaluate(f"() => editor.settings.set('size', {LARGE_BRUSH})")
        for number in range(1, STROKES):
            found = stroke(page, number)
            moves += found["pointerdown"] + found["pointermove"]
    first = max(firsts)
    held = verdicts.at_most(f"first stroke after opening {side} x {side}", first, BUDGET_MS, "ms")
    print(f"{side}²: first stroke {first:.0f} ms, the slowest of {rounds}, {held}", flush=True)
    late = statistics.quantiles(moves, n=20)[-1]
    held = verdicts.at_most(f"strokes on {side} x {side}, 95th percentile", late, BUDGET_MS, "ms")
    print(f"{side}²: brush of {LARGE_BRUSH}: median {statistics.median(moves):.0f} ms, 95 % {late:.0f} ms, {held}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    verdicts = Verdicts()
    with editor_page() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for side in (2048, 4096):
            measure(page, server, side, verdicts, rounds)
        browser.close()
    verdicts.end()


if __name__ == "__main__":
    main()
