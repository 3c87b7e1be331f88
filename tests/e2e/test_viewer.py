"""The picture in full size: walk, zoom and pan by keys, buttons, mouse and finger; its actions; where one walked to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.feed import Feed, output
from tests.e2e.profiles import emptied
from tests.program import Program, wait_until

COUNTER = ".sd-viewer .pswp__counter"
PICTURE = '.sd-viewer .pswp__item[aria-hidden="false"] img.pswp__img:not(.pswp__img--placeholder)'
PICTURES = [output(index, 640, 480, partial=index == 4) for index in range(5)]


def opened(feed: Feed) -> Page:
    feed.shows(feed.job("done", PICTURES))
    feed.page.click("#txt2img_gallery button >> nth=0")
    feed.wait_for_picture(PICTURES[0]["url"])
    feed.page.click("#txt2img_open")
    expect(feed.page.locator(COUNTER)).to_have_text("1 of 5")
    becomes(feed.page, lambda box: box["width"] > 0, "the picture is there")
    return feed.page


def box_of(page: Page) -> dict[str, float]:
    box: Any = page.locator(PICTURE).bounding_box()
    return box or {"x": 0.0, "y": 0.0, "width": 0.0, "height": 0.0}


def becomes(page: Page, check: Callable[[dict[str, float]], bool], what: str) -> dict[str, float]:
    """Return the box of the picture as soon as it fits `check` and has stopped moving."""

    def fits() -> dict[str, float] | None:
        box = box_of(page)
        page.wait_for_timeout(60)
        return box if check(box) and box_of(page) == box else None

    return wait_until(fits, 20, what)


@pytest.fixture(scope="module")
def desk(second_profile: BrowserContext, program: Program) -> Iterator[Feed]:
    with emptied(second_profile) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        fed = Feed(context.new_page(), program.url)
        fed.open()
        yield fed


@pytest.fixture
def phone(phone_context: BrowserContext, program: Program) -> Feed:
    fed = Feed(phone_context.new_page(), program.url)
    fed.open()
    return fed


def test_it_is_walked_by_buttons_and_keys_and_leaves_the_picture_on_the_stage(desk: Feed) -> None:
    page = opened(desk)
    counter = page.locator(COUNTER)
    expect(page.locator(".pswp__button--arrow--prev")).to_be_disabled()
    page.click(".pswp__button--arrow--next")
    expect(counter).to_have_text("2 of 5")
    page.keyboard.press("ArrowRight")
    expect(counter).to_have_text("3 of 5")
    page.keyboard.press("End")
    expect(counter).to_have_text("5 of 5")
    expect(page.locator(".sd-viewer-foot p")).to_have_text("640 × 480 · seed 4 · partial: stopped before it was done")
    page.keyboard.press("Home")
    expect(counter).to_have_text("1 of 5")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(counter).to_have_text("2 of 5")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()
    desk.wait_for_picture(PICTURES[1]["url"])
    expect(page.locator("#txt2img_gallery [aria-pressed=true]")).to_have_attribute("data-index", "1")
    expect(page.locator("#txt2img_open")).to_be_focused()


def test_it_zooms_by_keys_wheel_and_double_click_and_pans_by_drag(desk: Feed) -> None:
    page = opened(desk)
    whole = becomes(page, lambda box: max(box["width"] / 1440, box["height"] / 900) > 0.8, "small, it fills the window")

    def is_whole(box: dict[str, float]) -> bool:
        return box == pytest.approx(whole, rel=0.01)

    page.keyboard.press("+")
    larger = becomes(page, lambda box: box["width"] == pytest.approx(whole["width"] * 1.5, rel=0.01), "+ enlarges")
    page.mouse.move(720, 450)
    page.mouse.down()
    page.mouse.move(620, 400, steps=4)
    page.wait_for_timeout(120)  # a throw is not meant
    page.mouse.up()
    # The first pixels tell a drag from a click.
    becomes(page, lambda box: -110 < box["x"] - larger["x"] < -60, "a drag moves it")
    page.keyboard.press("-")
    becomes(page, lambda box: box["width"] == pytest.approx(whole["width"], rel=0.01), "- takes back")
    page.mouse.wheel(0, -300)
    becomes(page, lambda box: box["width"] > whole["width"] * 1.1, "the wheel enlarges")
    page.keyboard.press("0")
    becomes(page, is_whole, "0 shows all of it")
    page.mouse.click(720, 450)
    becomes(page, lambda box: box["width"] > whole["width"] * 2, "a click looks from near")
    page.mouse.click(720, 450)
    becomes(page, is_whole, "and another from afar")
    page.mouse.click(130, 450)  # beside it
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()


def test_its_actions_are_those_of_the_picture_in_it(desk: Feed) -> None:
    page = opened(desk)
    page.click(".pswp__button--arrow--next")
    actions = page.locator(".sd-viewer-actions")
    more = actions.locator("[aria-haspopup]")
    expect(actions.locator("> [data-do=download]")).to_have_attribute("download", "1.png")
    expect(actions.locator("[data-do=open]")).to_have_attribute("href", PICTURES[1]["url"])
    more.click()
    actions.locator("[data-do=copy]").click()
    expect(more).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == PICTURES[1]["infotext"]
    more.click()
    actions.locator("[data-do=reuse-seed]").click()
    expect(page.locator("#txt2img_seed input")).to_have_value("1")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()


def test_escape_in_it_stops_no_job_and_a_picture_done_meanwhile_is_walked_to(desk: Feed) -> None:
    asked: list[str] = []
    page = desk.page
    page.on("request", lambda request: asked.append(request.url))
    job = desk.job("running", PICTURES[:2], request={"prompt": "a heart", "n_iter": 4})
    desk.shows(job)
    page.click("#txt2img_gallery button >> nth=1")
    desk.wait_for_picture(PICTURES[1]["url"])
    page.click("#txt2img_open")
    expect(page.locator(COUNTER)).to_have_text("2 of 2")
    desk.say({"type": "event", "number": 3, "kind": "image", "job_id": job["id"], "output": PICTURES[2]})
    expect(page.locator(COUNTER)).to_have_text("2 of 3")
    page.click(".pswp__button--arrow--next")
    expect(page.locator(COUNTER)).to_have_text("3 of 3")
    expect(page.locator(PICTURE)).to_have_attribute("src", PICTURES[2]["url"])
    asked.clear()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()
    assert [url for url in asked if re.search("run/predict|interrupt", url)] == []


def test_a_finger_swipes_and_a_tap_on_the_picture_does_not_close_it(phone: Feed) -> None:
    page = opened(phone)
    touch = page.context.new_cdp_session(page)
    steps = [("touchStart", 300), *(("touchMove", x) for x in range(280, 60, -20)), ("touchEnd", None)]
    for kind, x in steps:
        points = [] if x is None else [{"x": x, "y": 400}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(COUNTER)).to_have_text("2 of 5")
    becomes(page, lambda box: box["x"] == 0, "the second is there")
    page.touchscreen.tap(195, 400)
    expect(page.locator(".pswp")).not_to_have_class(re.compile("pswp--ui-visible"))
    page.touchscreen.tap(195, 400)
    expect(page.locator(".pswp")).to_have_class(re.compile("pswp--ui-visible"))
    for button in page.locator(".sd-viewer-actions > *:visible, .pswp__button--arrow").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 40
        assert box["y"] > 422  # under the thumb
    page.locator(".pswp__button--arrow--next").tap()
    expect(page.locator(COUNTER)).to_have_text("3 of 5")
    page.wait_for_timeout(400)  # sooner it would be the second half of a double tap
    page.touchscreen.tap(195, 90)  # beside the picture
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()
    phone.wait_for_picture(PICTURES[2]["url"])
