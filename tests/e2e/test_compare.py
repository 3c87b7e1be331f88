"""Before and after: a picture that was made from another is compared with it, on the stage and in the viewer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.answers import Answer, answer
from tests.e2e.feed import Feed, output, picture
from tests.e2e.profiles import emptied
from tests.program import Program

PICTURES = [output(0, 640, 480), output(1, 640, 480)]
SLIDER = "input[type=range]"


@pytest.fixture(scope="module")
def feed(second_profile: BrowserContext, program: Program) -> Iterator[Feed]:
    with emptied(second_profile) as context:
        page = context.new_page()
        before = picture(320, 240)
        answer(page, ["*/sdapi/v1/inputs/*"], lambda _asked: Answer(before, "image/png"))
        fed = Feed(page, program.url)
        fed.open()
        yield fed


def shows(feed: Feed, **request: object) -> Page:
    job = feed.job("done", PICTURES, kind="img2img", request={"prompt": "a heart", "n_iter": 2, **request})
    feed.shows(job)
    feed.page.click("#txt2img_gallery button >> nth=0")
    feed.wait_for_picture(PICTURES[0]["url"])
    return feed.page


def share_seen(page: Page, image: str) -> int:
    """Return how many per cent of the picture before are seen, from the left."""
    clip = page.locator(image).evaluate("(one) => one.style.clipPath")
    found = re.search(r"([\d.]+)%", clip)
    return round(100 - float(found[1])) if found else 100


def _at(page: Page, share: float) -> tuple[float, float]:
    """Return where the handle stands when so much of the picture before is seen."""
    box = page.locator("#txt2img_open").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def test_on_the_stage_the_handle_is_moved_by_keys_and_by_the_pointer(feed: Feed) -> None:
    page = shows(feed, init_images=["a.png", "b.png"], resize_mode=1)
    button, slider = page.locator("#txt2img_compare"), page.locator(f"#txt2img_comparing {SLIDER}")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(slider).to_be_focused()
    before = page.locator("#txt2img_comparing img")
    expect(before).to_have_attribute("src", "/sdapi/v1/inputs/a.png")
    expect(before).to_have_css("object-fit", "cover")
    assert share_seen(page, "#txt2img_comparing img") == 50
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert share_seen(page, "#txt2img_comparing img") == 1
    expect(slider).to_have_attribute("aria-valuetext", "1 % before")
    page.mouse.move(*_at(page, 0.01))
    page.mouse.down()
    page.mouse.move(*_at(page, 0.8), steps=4)
    page.mouse.up()
    assert share_seen(page, "#txt2img_comparing img") == 80
    page.click("#txt2img_gallery button >> nth=1")
    expect(before).to_have_attribute("src", "/sdapi/v1/inputs/b.png")
    button.click()
    expect(slider).to_be_hidden()


def test_in_the_viewer_the_arrow_keys_move_the_handle_that_has_the_focus_and_else_the_picture(feed: Feed) -> None:
    page = shows(feed, init_images=["a.png"])
    page.click("#txt2img_open")
    counter = page.locator(".sd-viewer .pswp__counter")
    expect(counter).to_have_text("1 of 2")
    expect(page.locator(".pswp")).not_to_have_attribute("style", re.compile("transition: opacity"))  # it has opened
    page.keyboard.press("c")
    slider = page.locator(f".sd-viewer {SLIDER}")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert share_seen(page, ".sd-viewer .sd-before") == 51
    expect(counter).to_have_text("1 of 2")
    page.keyboard.press("c")
    page.keyboard.press("ArrowRight")
    expect(counter).to_have_text("2 of 2")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()


def test_a_picture_from_words_alone_has_nothing_to_be_compared_with(feed: Feed) -> None:
    page = shows(feed)
    expect(page.locator("#txt2img_compare")).to_be_hidden()


def test_what_grew_on_its_sides_has_the_picture_before_where_that_stood(feed: Feed) -> None:
    page = shows(feed, init_images=["a.png"], outpaint_left=320)
    page.click("#txt2img_compare")
    frame, before = (page.locator(one).bounding_box() for one in ("#txt2img_open", "#txt2img_comparing img"))
    assert frame is not None
    assert before is not None
    assert before["x"] - frame["x"] == pytest.approx(frame["width"] / 2, abs=2)
    page.click("#txt2img_compare")
