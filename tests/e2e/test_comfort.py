"""What makes the page pleasant: nothing is too small to touch, out of sight, or not to be found again."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program, wait_until

# What a finger is to hit and is smaller than 40 px in one direction; words in a line of text count by their height.
TOUCHED = "button, a[href], textarea, summary, input:not([type=checkbox])"
TOO_SMALL = """(touched) => Array.from(document.querySelectorAll(touched))
  .filter((one) => one.checkVisibility() && !one.closest(".sd-unseen") && one.offsetWidth > 1)
  .map((one) => one.closest(".wrap:has([role=combobox])") || one)
  .map((one) => [one.id || one.textContent || one.className, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 39.5 || box.width < 39.5)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""
# Settings whose label lies on their help, and sliders that stand beside the middle of their number.
APART = {
    "settings": """() => Array.from(document.querySelectorAll(".sd-setting .checkbox-container"))
      .filter((label) => {
        const words = label.querySelector(".label-text").getBoundingClientRect();
        const help = label.nextElementSibling?.getBoundingClientRect();
        return help?.height && help.top < words.bottom - 1;
      }).map((label) => label.textContent)""",
    "txt2img": """() => Array.from(document.querySelectorAll("#txt2img_page .block:has([type=range])"))
      .filter((block) => {
        const boxes = ["range", "number"].map((type) => block.querySelector(`[type=${type}]`).getBoundingClientRect());
        const [one, other] = boxes.map((box) => box.top + box.height / 2);
        return boxes[0].height && Math.abs(one - other) > 2;
      }).map((block) => block.id)""",
}
# The luminance contrast of a placeholder with its field, as WCAG counts it.
PLACEHOLDER_CONTRAST = """() => {
  const parts = (words) => words.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const weighed = (part, i) => linear(part) * [0.2126, 0.7152, 0.0722][i];
  const light = (words) => parts(words).map(weighed).reduce((sum, part) => sum + part);
  const field = document.querySelector("#txt2img_prompt textarea");
  const two = [light(getComputedStyle(field, "::placeholder").color), light(getComputedStyle(field).backgroundColor)];
  return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
}"""


@pytest.fixture
def phone(phone_context: BrowserContext, program: Program) -> Tab:
    """The page on a phone."""
    opened = Tab(phone_context.new_page(), program.url)
    opened.open()
    return opened


def test_on_a_phone_nothing_is_smaller_than_a_fingertip_and_an_example_leaves_the_stage_in_sight(
    phone: Tab, program: Program
) -> None:
    program.post("/sdapi/v1/queue/pause")
    program.submit(prompt="fish", steps=2)
    for name in ("queue", "settings", "txt2img"):
        phone.to(name)
        if name == "queue":
            expect(phone.page.locator("#steady_queue_waiting .sd-row")).to_have_count(1)
        assert phone.page.evaluate(TOO_SMALL, TOUCHED) == []
        assert phone.page.evaluate(APART[name]) == [] if name in APART else True
    page = phone.page
    page.evaluate("scrollTo(0, 0)")
    page.locator("button[data-example]").first.click()
    wait_until(lambda: phone.prompt() != "", 5, "the prompt has the words")
    expect(page.locator("#txt2img_prompt textarea")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    # A wrong field stands above the dock.
    phone.number("txt2img_width", 100)
    page.evaluate("scrollTo(0, 0)")
    phone.press("txt2img_generate")
    words = page.locator("#txt2img_width .sd-problem")
    expect(words).to_contain_text("96 or 104")
    dock = page.locator("#txt2img_actions").bounding_box()
    assert dock
    wait_until(lambda: bottom_of(phone, "#txt2img_width .sd-problem") < dock["y"], 5, "the words are in sight")
    assert bottom_of(phone, "#txt2img_width .sd-problem") > 0


def bottom_of(tab: Tab, selector: str) -> float:
    tab.page.wait_for_timeout(100)  # it scrolls smoothly
    box = tab.page.locator(selector).bounding_box()
    assert box
    return box["y"] + box["height"]


def what_a_field_is_for_can_be_read(tab: Tab) -> None:
    for colours in ("light", "dark"):
        tab.page.evaluate("(colours) => (document.documentElement.dataset.theme = colours)", colours)
        tab.page.wait_for_timeout(300)
        assert tab.page.evaluate(PLACEHOLDER_CONTRAST) >= 4.5, colours


def test_a_paused_job_that_is_not_shown_is_told_of_and_found(tab: Tab, held: HoldableProgram) -> None:
    what_a_field_is_for_can_be_read(tab)
    page = tab.page
    line = page.locator("#txt2img_paused_jobs")
    tab.write("red heart", steps=2)
    tab.generate()
    tab.draws()
    paused = tab.job
    tab.press("txt2img_pause")
    tab.says("Paused")
    held.let_go()
    expect(line).to_be_hidden()
    tab.write("fish", steps=2)
    tab.generate()
    tab.says("Done: 1 picture")
    expect(line).to_have_text("1 paused job")
    line.click()
    page.click(f"[data-job='{paused}'] >> text=Cancel")
    held.wait_for(paused, "interrupted")
    expect(page.locator("#steady_queue_paused_part")).to_be_hidden()
    tab.to("txt2img")
    expect(line).to_be_hidden()
    an_edited_job_leads_to_the_one_it_was_made_from(tab, held)


def an_edited_job_leads_to_the_one_it_was_made_from(tab: Tab, program: Program) -> None:
    """That is what is on the stage now."""
    page = tab.page
    first = tab.job
    tab.to("queue")
    page.click(f"[data-job='{first}'] >> text=Edit")
    expect(page.locator("#txt2img_prompt textarea")).to_be_focused()
    tab.generate()
    tab.says("Done: 1 picture")
    second = tab.job
    assert program.job(second)["retry_of"] == first
    expect(page.locator("#txt2img_job_notes")).to_contain_text("Edited from an earlier job")
    tab.to("queue")
    expect(page.locator(f"[data-job='{second}']")).to_contain_text("Edited from an earlier job")
    tab.to("txt2img")
    page.click("#txt2img_job_notes >> text=Show that one")
    page.wait_for_function("(first) => window.steady.state().shown === first", arg=first)
    expect(page.locator("#txt2img_job_notes")).to_be_hidden()
