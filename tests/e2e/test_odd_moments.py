"""What a first hour met: a silent connection, an old refusal, a full line, a job that draws fewer at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.feed import IDENTITY, SNAPSHOT, Feed, call
from tests.e2e.profiles import emptied
from tests.program import Program, wait_until

DRAWING = {"job": IDENTITY, "phase": "sample", "image": 12, "images": 16, "step": 149, "steps": 150, "progress": 0.994,
           "eta_seconds": 13.0, "segments": [], "preview": {"reason": "It would take too long."}}  # fmt: skip
FOUR_AT_ONCE = {"prompt": "a heart", "n_iter": 4, "batch_size": 4, "width": 64, "height": 64}

# From the last word before the note to the note's own first one, in px; null: the note has no room, and is not seen.
BETWEEN = """() => {
  const note = document.getElementById("txt2img_note");
  const before = document.querySelector("#txt2img_phase > :last-child").getBoundingClientRect();
  const text = document.createRange();
  text.selectNodeContents(note);
  const { left, top } = text.getBoundingClientRect();
  return top < document.querySelector(".sd-line").getBoundingClientRect().bottom - 2 ? left - before.right : null;
}"""


# Between the prompt's field and what is said of it, in px.
GAP = """() => {
  const [field, words] = ["textarea", ".sd-problem"].map((one) => document.querySelector(`#txt2img_prompt ${one}`));
  return words.getBoundingClientRect().top - field.getBoundingClientRect().bottom;
}"""


@pytest.fixture(scope="module")
def page(second_profile: BrowserContext) -> Iterator[Page]:
    with emptied(second_profile) as context:
        opened = context.new_page()
        opened.set_viewport_size({"width": 360, "height": 740})
        opened.emulate_media(reduced_motion="reduce")
        yield opened


@pytest.fixture(scope="module")
def feed(page: Page, program: Program) -> Feed:
    page.clock.install()
    fed = Feed(page, program.url)
    fed.open()
    return fed


def refuse(page: Page, **answer: Any) -> None:
    call(page, "answered", "txt2img", answer=json.dumps(answer))


def test_the_preview_takes_no_third_line_under_the_bar_and_is_not_told_by_one_letter(feed: Feed) -> None:
    between = []
    for seconds in (3, 13, 1300, 13000):
        feed.shows(
            feed.job("running", [], request=FOUR_AT_ONCE), progress={**DRAWING, "image": 1, "eta_seconds": seconds}
        )
        feed.previews(64, 64, image=1, step=149)
        expect(feed.page.locator("#txt2img_phase")).to_contain_text("Drawing images 1–4 of 16")
        expect(feed.page.locator("#txt2img_note")).to_be_visible()
        assert feed.page.evaluate("() => document.querySelector('.sd-line').offsetHeight") <= 41
        assert feed.page.evaluate("() => document.getElementById('txt2img_note').offsetWidth") >= 100
        between.append(feed.page.evaluate(BETWEEN))
    assert all(pixels is None or pixels >= 12 for pixels in between), "it keeps off the words before it"
    feed.page.set_viewport_size({"width": 480, "height": 740})
    assert feed.page.evaluate(BETWEEN) >= 12, "where it has room it is seen"
    feed.page.set_viewport_size({"width": 360, "height": 740})


def test_the_bar_of_the_own_waiting_job_has_no_parts_of_a_job_that_was_shown_before(feed: Feed) -> None:
    parts = [{"weight": 1.0}] * 3
    feed.shows(feed.job("running", [], request=FOUR_AT_ONCE), progress={**DRAWING, "segments": parts})
    bar = feed.page.locator("#txt2img_progress i")
    expect(bar).to_have_count(3)
    waiting = feed.job("queued", [], id="e" * 24, position=1)
    feed.shows(waiting)
    feed.shows({**waiting, "position": 2})
    expect(bar).to_have_count(1)


def test_a_job_that_ran_out_of_memory_draws_fewer_at_once_and_says_so(feed: Feed) -> None:
    job = feed.job("running", [], request=FOUR_AT_ONCE, economy={"batch_size": 1})
    feed.shows(job, progress=DRAWING)
    expect(feed.page.locator("#txt2img_phase b")).to_have_text("Drawing image 13 of 16")


def test_what_was_said_of_a_checkpoint_goes_with_it(feed: Feed) -> None:
    words = feed.page.locator("#steady_bar .sd-problem")
    height = "() => document.getElementById('steady_bar').offsetHeight"
    before = feed.page.evaluate(height)
    refuse(feed.page, message="Checkpoint broken cannot be used: no unet.", field="sd_model_checkpoint")
    expect(words).to_be_visible()
    assert feed.page.evaluate(height) == before, "nothing jumps"
    call(feed.page, "choseCheckpoint", checkpoint="another")
    expect(words).to_have_count(0)
    refuse(feed.page, message="The prompt is too long.", field="prompt")
    call(feed.page, "choseCheckpoint", checkpoint="emoji")
    expect(feed.page.locator("#txt2img_prompt .sd-problem")).to_be_visible()
    assert feed.page.evaluate(GAP) >= 4, "the words do not touch their field"


def test_a_note_without_a_blank_stays_in_its_box(feed: Feed) -> None:
    feed.shows(feed.job("done", [], notes=[{"at": 1.0, "kind": "lora", "text": f"{'long_name' * 30}.safetensors"}]))
    notes = feed.page.locator("#txt2img_job_notes")
    expect(notes).to_contain_text("long_name")
    assert notes.evaluate("(list) => list.scrollWidth <= list.clientWidth")


def test_a_connection_that_says_nothing_is_given_up_for_another(feed: Feed) -> None:
    feed.first = None
    before = len(feed.sockets)
    feed.sockets[-1].close()
    feed.page.clock.run_for(1000)
    wait_until(lambda: feed.page.title() is not None and len(feed.sockets) > before, 30, "it has connected again")
    feed.first = SNAPSHOT
    feed.page.clock.run_for(15_000)
    expect(feed.page.locator("html")).to_have_attribute("data-standing", "open")
