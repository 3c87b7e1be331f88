"""A job on the page from the first click to the last word: too quick hands, the keyboard, other people's jobs."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.tab import Tab
from tests.program import Program, wait_until

LONG = {"steps": 150, "count": 10}
PLACE_OF_INTERRUPT, PLACE_OF_SKIP = 0.2, 0.6  # of the button Generate, from its left


def own_jobs(tab: Tab, program: Program) -> list[dict[str, Any]]:
    """The jobs of this browser, the oldest first."""
    owner = tab.page.evaluate("window.steady.state().owner")
    jobs: list[dict[str, Any]] = program.get(f"/sdapi/v1/jobs?owner={owner}")["jobs"]
    return jobs[::-1]


def stop(tab: Tab, program: Program) -> None:
    """End the job on the stage, as a script does."""
    job = tab.job
    tab.page.evaluate("document.getElementById('txt2img_interrupt').click()")
    program.wait_for(job)
    expect(tab.page.locator("#txt2img_generate")).to_be_visible()


def click_twice(page: Page, share: float, gap_ms: int) -> None:
    """A double click on Generate, at this share of its width."""
    box = page.locator("#txt2img_generate").bounding_box()
    assert box
    x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_timeout(gap_ms)
    page.mouse.click(x, y, click_count=2)


def test_a_double_click_on_generate_begins_one_job_and_stops_none(tab: Tab, program: Program) -> None:
    tab.write("red heart", **LONG)
    for tries, (gap_ms, share) in enumerate(
        [(0, PLACE_OF_INTERRUPT), (60, PLACE_OF_INTERRUPT), (150, PLACE_OF_SKIP), (280, PLACE_OF_SKIP), (400, 0.2)], 1
    ):
        tab.page.wait_for_timeout(600)
        click_twice(tab.page, share, gap_ms)
        tab.draws()
        jobs = own_jobs(tab, program)
        assert len(jobs) == tries, f"{gap_ms} ms apart"
        assert (jobs[-1]["status"], jobs[-1]["requested"], jobs[-1]["image_index"]) == ("running", None, 0)
        stop(tab, program)


def test_a_click_on_interrupt_just_after_the_end_begins_nothing(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", steps=40)
    tab.generate()
    box = page.locator("#txt2img_interrupt").bounding_box()
    assert box
    # At the very moment at which Generate comes back: a click of the hand, not of a script.
    page.evaluate(
        """() => new Promise((done) => new MutationObserver((_, observer) => {
          if (document.documentElement.dataset.job === "none") { observer.disconnect(); done(); }
        }).observe(document.documentElement, { attributes: true }))"""
    )
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    tab.says("Done: 1 picture")
    page.wait_for_timeout(600)
    assert len(own_jobs(tab, program)) == 1
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    wait_until(lambda: len(own_jobs(tab, program)) == 2, 20, "a later click is one")


def test_a_key_that_is_held_or_pressed_twice_does_one_thing(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", **LONG)
    page.focus("#txt2img_generate")
    page.keyboard.down("Enter")
    page.wait_for_timeout(700)
    for _ in range(5):
        page.keyboard.down("Enter")  # Playwright marks it as a repetition
    page.keyboard.up("Enter")
    tab.draws()
    (job,) = own_jobs(tab, program)
    assert (job["status"], job["requested"]) == ("running", None)
    page.keyboard.press("Control+Enter")
    wait_until(lambda: len(own_jobs(tab, program)) == 2, 20, "another one waits")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_function("(first) => window.steady.state().shown !== first", arg=job["id"])
    page.keyboard.press("Escape")  # a moment too late for the first one, and not meant for the second
    program.wait_for(job["id"], "interrupted")
    tab.draws()
    first, second = own_jobs(tab, program)
    assert first["stop_requests"] == 1
    assert (second["status"], second["requested"]) == ("running", None)
    stop(tab, program)


def test_the_whole_flow_by_keyboard_alone(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", **LONG)

    def has_focus(elem_id: str) -> None:
        expect(page.locator(f"#{elem_id}")).to_be_focused()
        page.wait_for_timeout(600)  # a hand takes longer than a button takes no press

    page.focus("#txt2img_neg_prompt textarea")
    page.keyboard.press("Tab")
    has_focus("txt2img_generate")
    page.keyboard.press("Enter")
    has_focus("txt2img_interrupt")
    tab.draws()
    for _ in range(2):
        page.keyboard.press("Tab")
    has_focus("txt2img_pause")
    page.keyboard.press("Enter")
    has_focus("txt2img_resume")
    tab.says("Paused")
    page.keyboard.press("Space")
    has_focus("txt2img_pause")
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    has_focus("txt2img_interrupt")
    page.keyboard.press("Enter")
    has_focus("txt2img_generate")
    program.wait_for(tab.job, "interrupted")
    tab.write("red heart", steps=2)
    page.focus("#txt2img_generate")
    page.keyboard.press("Enter")
    tab.says("Done: 1 picture")
    has_focus("txt2img_generate")
