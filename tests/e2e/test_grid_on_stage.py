"""A grid on the stage, in any state: its cells stand where they will be, and are walked as one reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.feed import IDENTITY, Feed
from tests.e2e.grid_feed import grid_job
from tests.e2e.profiles import emptied
from tests.program import Program

DRAWING: dict[str, Any] = {
    "job": IDENTITY, "phase": "sample", "image": 5, "images": 12, "step": 3, "steps": 20, "progress": 0.4,
    "eta_seconds": 12.3, "segments": [],
}  # fmt: skip
BOXES = """() => [...document.querySelectorAll("#txt2img_grid .sd-cell, #txt2img_grid .sd-grid-x, #txt2img_progress")]
  .map((one) => Object.values(one.getBoundingClientRect().toJSON()).map(Math.round).join())"""
STATES = "() => [...document.querySelectorAll('#txt2img_grid .sd-cell')].map((one) => one.dataset.state).join(' ')"
# Of the legends where they stand in the box that is scrolled, and of a cell of the last row.
SCROLLED = """() => {
  const scroll = document.querySelector("#txt2img_grid .sd-grid-scroll"), frame = scroll.getBoundingClientRect();
  scroll.scrollTo(10000, 10000);
  const at = (name) => document.querySelector(`#txt2img_grid ${name}`).getBoundingClientRect();
  return {
    left: Math.round(at(".sd-grid-y").left - frame.left), top: Math.round(at(".sd-grid-x").top - frame.top),
    across: scroll.scrollLeft > 0, down: scroll.scrollTop > 0,
    page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
}"""


@pytest.fixture(scope="module")
def feed(second_profile: BrowserContext, program: Program) -> Iterator[Feed]:
    with emptied(second_profile) as context:
        fed = Feed(context.new_page(), program.url)
        fed.page.emulate_media(reduced_motion="reduce")
        fed.open()
        yield fed


def test_nothing_jumps_while_a_grid_grows_and_each_cell_says_how_it_stands(feed: Feed) -> None:
    page = feed.page
    feed.shows(grid_job(feed, []), progress={**DRAWING, "image": 0})
    before = page.evaluate(BOXES)
    assert page.evaluate(STATES) == " ".join(["drawn"] + ["awaited"] * 11)
    feed.shows(grid_job(feed, [0, 1, 3, 4]), progress=DRAWING)
    preview = feed.previews(64, 64, image=5)
    expect(page.locator(".sd-cell[data-cell='5'] img[src^=data]")).to_have_attribute("src", preview)
    assert page.evaluate(STATES) == "there there missing there there drawn" + " awaited" * 6
    assert page.evaluate(BOXES) == before
    assert page.locator("[data-redraw]:visible").count() == 0, "the job may come to it yet"
    waiting = grid_job(feed, [0, 1, 3, 4], "queued", position=1)  # the engine died
    told = {"kind": "job", "job_id": IDENTITY, "job": waiting, "running": None, "queued": 1, "queue": [waiting]}
    feed.say({"type": "event", "number": 2, **told})
    expect(page.locator("#txt2img_note")).to_be_hidden()
    feed.shows(grid_job(feed, [index for index in range(12) if index != 2], "done"))
    assert page.evaluate(BOXES) == before
    expect(page.locator("[data-redraw]:visible")).to_have_count(1)
    expect(page.locator("[data-grid=missing]")).to_have_text("Draw 1 missing")
    asked: list[Any] = []
    page.route("**/redraw", lambda route: (asked.append(route.request.post_data_json), route.fulfill(json={})))
    page.click("[data-redraw='2']")
    page.click("[data-grid=missing]")
    page.wait_for_function("() => true")
    assert asked == [{"images": [2]}, {}]
    page.unroute("**/redraw")


def test_arrows_walk_the_cells_and_the_viewer_goes_on_from_there(feed: Feed) -> None:
    page = feed.page
    feed.shows(grid_job(feed, list(range(24)), "done", shape=(4, 3, 2)))
    sheets = page.locator("#txt2img_grid [role=tab]")
    expect(sheets).to_have_text(["1", "2"])
    page.locator(".sd-cell[data-cell='0']").focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".sd-cell[data-cell='5']")).to_be_focused()
    expect(page.locator("#html_info_txt2img")).to_contain_text("a heart 5")
    page.keyboard.press("Enter")
    foot = page.locator(".sd-viewer[open] .sd-viewer-foot p")
    expect(foot).to_contain_text("DPM++ 2M SDE Heun, Steps: 10, CFG Scale: 1")
    page.keyboard.press("ArrowRight")
    expect(foot).to_contain_text("UniPC, Steps: 10, CFG Scale: 1")
    page.keyboard.press("End")
    expect(foot).to_contain_text("LCM, Steps: 15, CFG Scale: 2")
    page.keyboard.press("Escape")
    expect(page.locator(".sd-viewer")).to_have_count(0)
    expect(sheets.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".sd-cell[data-cell='23'] img[data-chosen]")).to_have_count(1)
    page.click(".sd-cell[data-cell='17']")
    expect(foot).to_contain_text("DPM++ 2M SDE Heun, Steps: 10, CFG Scale: 2")
    page.keyboard.press("Escape")
    expect(page.locator(".sd-viewer")).to_have_count(0)
    assert page.get_attribute("[data-grid=sheet]", "href") == f"/sdapi/v1/jobs/{IDENTITY}/sheet/1.png"
    sheets.nth(0).click()
    expect(page.locator(".sd-cell[data-cell='0']")).to_be_visible()
    place = page.locator("#txt2img_gallery button")
    expect(place).to_have_count(1)
    expect(place).to_contain_text("4 × 3 × 2")


def test_on_a_phone_it_is_scrolled_both_ways_and_its_legends_stay(feed: Feed) -> None:
    feed.page.set_viewport_size({"width": 390, "height": 844})
    feed.shows(grid_job(feed, [0, 1], shape=(6, 5, 1)), progress={**DRAWING, "images": 30})
    assert feed.page.evaluate(SCROLLED) == {"left": 0, "top": 0, "across": True, "down": True, "page": 0}
    feed.page.set_viewport_size({"width": 1440, "height": 900})
