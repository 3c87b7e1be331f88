"""The picture on the page: whole, as large as the window lets it be, and nothing around it jumps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.feed import IDENTITY, Feed, call, output
from tests.e2e.profiles import emptied
from tests.program import Program, wait_until

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

BOX = '((part) => document.getElementById("txt2img_" + part).getBoundingClientRect())'

DRAWING = {"job": IDENTITY, "phase": "sample", "image": 4, "images": 12, "step": 3, "steps": 20, "progress": 0.4,
           "eta_seconds": 12.3, "segments": []}  # fmt: skip


@pytest.fixture(scope="module")
def feed(second_profile: BrowserContext, program: Program) -> Iterator[Feed]:
    with emptied(second_profile) as context:
        fed = Feed(context.new_page(), program.url)
        fed.page.emulate_media(reduced_motion="reduce")
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
        feed.shows(job, progress={**DRAWING, "images": 20} if job["status"] == "running" else None)
        if job["status"] == "running":
            feed.previews(64, 96, image=4)
        assert feed.page.evaluate(BOXES) == before


# Each set of words that the page shows between its reload and now.
WATCH = """(() => {
  window.seen = [];
  const there = (name) => {
    const element = document.querySelector(name);
    return element?.checkVisibility({ visibilityProperty: true }) ? element.innerText.trim() || name : null;
  };
  const look = () => {
    const names = ["#txt2img_empty", "#txt2img_generate", "#txt2img_token_counter .sd-tokens", "#txt2img_interrupt"];
    for (const words of names.map(there)) if (words && !seen.includes(words)) seen.push(words);
    requestAnimationFrame(look);
  };
  look();
})()"""


def test_a_reload_amid_a_job_shows_nothing_that_is_not_so(context: BrowserContext, program: Program) -> None:
    fed = Feed(context.new_page(), program.url)
    fed.open()
    page = fed.page
    page.fill("#txt2img_prompt textarea", "a red heart, a blue heart")
    expect(page.locator("#txt2img_token_counter")).to_contain_text("7 / 75")
    job = fed.job("running", [], request={"prompt": "a heart", "n_iter": 2})
    fed.shows(job)
    expect(page.locator("#txt2img_interrupt")).to_be_visible()
    fed.first = None  # the first news are late
    page.add_init_script(WATCH)
    fed.open()
    expect(page.locator("#txt2img_token_counter")).to_contain_text("7 / 75")
    expect(page.locator("#txt2img_interrupt")).to_be_visible()
    fed.shows(job)
    fed.wait_for_picture(fed.previews(64, 64))
    seen = page.evaluate("seen")
    assert [words for words in seen if words not in ("7 / 75", "#txt2img_empty")] == ["Interrupt"]


def test_generate_at_the_fields_of_a_phone_brings_the_picture_into_sight(
    phone_context: BrowserContext, program: Program
) -> None:
    fed = Feed(phone_context.new_page(), program.url)
    fed.open()
    page = fed.page
    prompt, dock = (page.locator(name).bounding_box() for name in ("#txt2img_prompt textarea", "#txt2img_actions"))
    assert prompt
    assert dock
    assert prompt["y"] + 40 < dock["y"]  # the first screen has a line of the prompt
    page.locator("#txt2img_seed").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 300
    answer = {"job": fed.job("running", []), "message": None}
    call(page, "answered", "txt2img", answer=json.dumps(answer))
    wait_until(lambda: page.evaluate("scrollY") < 180, 10, "the picture is in sight")


def test_a_prompt_from_the_right_stands_on_the_right_and_a_lost_picture_has_no_frame(feed: Feed) -> None:
    page = feed.page
    page.set_viewport_size({"width": 1440, "height": 900})
    words = "\u05dc\u05d1 \u05d0\u05d3\u05d5\u05dd"  # Hebrew
    page.fill("#txt2img_prompt textarea", words)
    styles = "(one) => [getComputedStyle(one).unicodeBidi, getComputedStyle(one).textAlign]"
    for place in ("#txt2img_prompt textarea", "#html_info_txt2img"):
        assert page.locator(place).evaluate(styles) == ["plaintext", "start"]
    page.route("**/gone/**", lambda route: route.fulfill(status=404))
    lost = output(0, url="/gone/0.png")
    feed.shows(feed.job("done", [lost, output(1)]))
    places = page.locator("#txt2img_gallery button img")
    expect(places.first).to_have_css("visibility", "hidden")
    expect(places.last).to_have_css("visibility", "visible")
    tops = []
    for infotext in ("a heart", "a heart " * 500):  # a long one pushes no button away
        feed.shows(feed.job("done", [output(0, infotext=infotext)]))
        tops.append(page.evaluate(f"() => {BOX}('send').top"))
    assert tops[0] == tops[1] < 900


ARROWS = """() => Array.from(document.querySelectorAll("[role=combobox]:is(#txt2img_page *, .sd-model *)")).filter(
  (input) => input.offsetParent).map((input) => {
  const end = input.getBoundingClientRect().right - parseFloat(getComputedStyle(input).paddingRight);
  return end <= input.parentElement.querySelector("svg").getBoundingClientRect().left;
})"""


def test_no_name_runs_under_the_arrow_of_its_list(feed: Feed) -> None:
    feed.page.set_viewport_size({"width": 821, "height": 700})
    assert feed.page.evaluate(ARROWS) == [True, True, True, True]


PLACES = """() => Array.from(document.querySelectorAll("#txt2img_gallery button"), (one) => one.dataset.state)"""
# Which part of the preview, a grid of two by two, each place of what is drawn shows in its middle.
PARTS = """() => Array.from(document.querySelectorAll("#txt2img_gallery [data-state=drawn]"), (place) => {
  const outer = place.getBoundingClientRect(), grid = place.firstElementChild.getBoundingClientRect();
  const middle = [outer.x + outer.width / 2 - grid.x, outer.y + outer.height / 2 - grid.y];
  return [Math.floor(middle[0] / (grid.width / 2)), Math.floor(middle[1] / (grid.height / 2))];
})"""


def test_another_picture_is_looked_at_while_the_drawing_goes_on(feed: Feed) -> None:
    page = feed.page
    page.set_viewport_size({"width": 1440, "height": 900})
    asked = {"prompt": "a heart", "n_iter": 4}
    feed.shows(feed.job("queued", [], request=asked))
    feed.shows(feed.job("running", [output(0), output(1)], request=asked))
    live, back = feed.previews(64, 64, image=2, step=1), page.locator("#txt2img_live")
    feed.wait_for_picture(live)
    expect(back).to_be_hidden()
    page.click("#txt2img_gallery button >> nth=0")
    feed.wait_for_picture(output(0)["url"])
    assert page.evaluate(PLACES) == ["there", "there", "drawn", "awaited"]
    live = feed.previews(72, 72, image=2, step=2)
    expect(page.locator("#txt2img_gallery button >> nth=2 >> img")).to_have_attribute("src", live)
    feed.wait_for_picture(output(0)["url"])
    page.click("#txt2img_gallery button >> nth=1")
    feed.wait_for_picture(output(1)["url"])
    expect(back).to_be_visible()
    back.click()
    feed.wait_for_picture(live)
    expect(back).to_be_hidden()
    page.click("#txt2img_gallery button >> nth=1")
    expect(back).to_be_visible()
    feed.shows(feed.job("done", [output(index) for index in range(4)]))
    expect(back).to_be_hidden()


# How far the place of what is drawn stands out of the strip, in px.
OUT_OF_STRIP = """() => {
  const strip = document.getElementById("txt2img_gallery");
  const [outer, one] = [strip, strip.querySelector("[aria-pressed=true]")].map((it) => it.getBoundingClientRect());
  return Math.max(outer.left - one.left, outer.top - one.top, one.right - outer.right, one.bottom - outer.bottom);
}"""


@pytest.mark.parametrize("window", [(1440, 900), (390, 844)], ids=str)
def test_what_is_drawn_is_in_sight_in_the_strip_and_the_page_stays_where_its_reader_is(
    feed: Feed, window: tuple[int, int]
) -> None:
    page = feed.page
    page.set_viewport_size({"width": window[0], "height": window[1]})
    asked = {"prompt": "a heart", "n_iter": 20}
    feed.shows(feed.job("running", [], request=asked), progress={**DRAWING, "image": 0})
    feed.previews(64, 64, image=0)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    place = page.evaluate("scrollY")
    assert place > 0
    feed.shows(feed.job("running", [output(index) for index in range(15)], request=asked), progress=DRAWING)
    feed.previews(64, 64, image=15)
    assert page.evaluate(OUT_OF_STRIP) <= 0
    assert page.evaluate("scrollY") == place


def test_a_batch_is_named_as_one_and_what_is_partial_or_skipped_is_marked(feed: Feed) -> None:
    page = feed.page
    asked = {"prompt": "a heart", "n_iter": 3, "batch_size": 4, "width": 64, "height": 64}
    outputs = [output(0), output(1, partial=True), output(2)]
    feed.shows(feed.job("running", outputs, request=asked), progress=DRAWING)
    feed.previews(128, 128, image=4)
    page.click("#txt2img_gallery [data-state=drawn] >> nth=0")
    expect(page.locator("#txt2img_phase b")).to_have_text("Drawing images 5–8 of 12")
    expect(page.locator("#txt2img_note")).to_have_text("Preview of step 3 · images 5–8 of 12")
    assert page.evaluate(f"() => {BOX}('stage').bottom <= {BOX}('note').top")
    assert page.evaluate(PLACES) == ["there", "partial", "there", "skipped", *["drawn"] * 4, *["awaited"] * 4]
    assert page.evaluate(PARTS) == [[0, 0], [1, 0], [0, 1], [1, 1]]
    marks = "Array.from(document.querySelectorAll('#txt2img_gallery [data-mark]'), (one) => one.dataset.mark)"
    assert page.evaluate(marks) == ["partial", "skipped"]
    partial = [output(0, partial=True), output(1, partial=True)]
    feed.shows(feed.job("interrupted", partial, request={"prompt": "a heart", "n_iter": 3}))
    expect(page.locator("#txt2img_phase")).to_have_text("Interrupted2 partial pictures2.0 s")
    assert page.evaluate(PLACES) == ["partial", "partial", "not drawn"]
    feed.shows(feed.job("interrupted", [output(0), partial[1]], request={"prompt": "a heart", "n_iter": 3}))
    expect(page.locator("#txt2img_phase")).to_have_text("Interrupted after 1 of 31 partial picture2.0 s")
    asked = {"prompt": "a heart", "n_iter": 5}
    feed.shows(feed.job("interrupted", [output(0), output(2)], request=asked, image_index=3))
    assert page.evaluate(PLACES) == ["there", "skipped", "there", "not drawn", "not drawn"]
    feed.shows(feed.job("running", [output(0)], request={"prompt": "a heart", "n_iter": 4}, wanted=[1, 3]))
    assert page.evaluate(PLACES) == ["there", "awaited", "not drawn", "awaited"]


# Of the buttons that act: those whose words do not fit, and those that lie over the next.
CROWDED = """() => {
  const all = Array.from(document.querySelectorAll("#txt2img_actions > button"));
  const shown = all.filter((one) => one.checkVisibility());
  const boxes = shown.map((one) => one.getBoundingClientRect()).sort((a, b) => a.left - b.left);
  const words = document.createRange();
  words.selectNodeContents(document.getElementById("txt2img_interrupt").firstChild);
  const room = boxes[0].right - words.getBoundingClientRect().right;
  return { shown: shown.length, tight: room < 3, over: boxes.slice(1).some((box, i) => box.left < boxes[i].right) };
}"""


@pytest.mark.parametrize("width", [821, 1024, 1366])
def test_the_buttons_have_room_beside_the_picture(feed: Feed, width: int) -> None:
    feed.page.set_viewport_size({"width": width, "height": 768})
    feed.shows(feed.job("running", []), progress=DRAWING)
    expect(feed.page.locator("#txt2img_interrupt")).to_be_visible()
    assert feed.page.evaluate(CROWDED) == {"shown": 4, "tight": False, "over": False}
