"""The picture on the page: whole, as large as the window lets it be, and nothing around it jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.feed import Feed, output
from tests.program import Program

SIZES = [(64, 64), (256, 256), (512, 512), (512, 768), (768, 512), (1024, 1024), (1024, 512), (2048, 1024),
         (512, 2048), (1216, 832)]  # fmt: skip
GRIDS = [(1024, 1536), (1536, 1536), (2048, 1024), (256, 192)]  # of 4, 9, 16 and 2 pictures
WINDOWS = [(1440, 900), (1366, 768), (390, 844), (2560, 1440), (720, 450), (1000, 700)]
STAGE_AT_LEAST = {(1440, 900): 660, (1366, 768): 530, (390, 844): 350, (2560, 1440): 1100, (720, 450): 290}
# How much of the room the picture fills (1 is all, in the direction that is short), and how far it stands out of it.
FIT = """() => {
  const box = (id) => document.getElementById(id).getBoundingClientRect();
  const stage = box("txt2img_stage"), strip = box("txt2img_gallery");
  const image = document.getElementById("txt2img_live_preview"), frame = image.getBoundingClientRect();
  const scale = Math.min(frame.width / image.naturalWidth, frame.height / image.naturalHeight);
  const beside = strip.width && strip.top < stage.bottom - 1 && strip.bottom > stage.top + 1;
  const right = beside ? strip.left : stage.right;
  return {
    fills: Math.max((image.naturalWidth * scale) / (right - stage.left), (image.naturalHeight * scale) / stage.height),
    out: Math.max(stage.left - frame.left, stage.top - frame.top, frame.right - right, frame.bottom - stage.bottom),
    stage: stage.height, below: stage.bottom - innerHeight,
  };
}"""
BOXES = """() => ["stage", "progress", "send", "prompt", "actions"].map((name) => {
  const id = `txt2img_${name}`;
  const box = document.getElementById(id).getBoundingClientRect();
  return [id, box.x, box.y, box.width, name === "send" ? 0 : box.height].join();
})"""


@pytest.fixture(scope="module")
def feed(browser: Browser, program: Program) -> Iterator[Feed]:
    with browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as context:
        fed = Feed(context.new_page(), program.url)
        fed.open()
        yield fed


def fits(feed: Feed, what: object) -> None:
    for width, height in WINDOWS:
        feed.page.set_viewport_size({"width": width, "height": height})
        found: dict[str, Any] = feed.page.evaluate(FIT)
        assert found["out"] <= 0.5, (what, width, height, found)
        assert found["fills"] >= 0.9, (what, width, height, found)
        assert found["stage"] >= STAGE_AT_LEAST.get((width, height), 0), (width, height, found)
        assert found["below"] <= 0 or height < 600, (width, height, found)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_picture_is_whole_and_as_large_as_its_room(feed: Feed, size: tuple[int, int]) -> None:
    one = output(0, *size)
    feed.shows(feed.job("done", [one, output(1, *size)]))
    feed.wait_for_picture(one["url"])
    fits(feed, size)


@pytest.mark.parametrize("size", GRIDS, ids=str)
def test_a_preview_of_several_pictures_is_whole_too(feed: Feed, size: tuple[int, int]) -> None:
    request = {"prompt": "a heart", "batch_size": 16, "width": 512, "height": 768}
    feed.shows(feed.job("running", [], request=request))
    feed.wait_for_picture(feed.previews(*size))
    fits(feed, size)


@pytest.mark.parametrize("window", [(1440, 900), (390, 844), (1000, 700)], ids=str)
def test_nothing_jumps_from_the_first_click_to_a_strip_of_twenty(feed: Feed, window: tuple[int, int]) -> None:
    feed.page.set_viewport_size({"width": window[0], "height": window[1]})
    feed.shows(feed.job("queued", [], started_at=None))
    before = feed.page.evaluate(BOXES)
    asked = {"prompt": "a heart", "n_iter": 20, "width": 512, "height": 768}
    for job in (
        feed.job("running", [], request=asked),
        feed.job("running", [output(0)], request=asked),
        feed.job("done", [output(index) for index in range(20)], request=asked),
        feed.job("failed", [], error="Out of memory"),
    ):
        feed.shows(job)
        assert feed.page.evaluate(BOXES) == before
