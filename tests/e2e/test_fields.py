"""The fields: lists by keyboard alone, what is wrong beside the field that it is wrong with."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.answers import hold
from tests.e2e.tab import Tab
from tests.program import Program

OPEN = "[role=combobox][aria-expanded=true]"
SAMPLING = "#txt2img_sampling [role=combobox]"
SCHEDULE = "#txt2img_scheduler [role=combobox]"


# How often what a listener is attached to is read through a proxy, as Svelte makes them to watch what is read.
COUNT_WATCHED = """(() => {
  window.watched = 0;
  const counted = (traps) => ({
    ...traps,
    get: (of, name, proxy) => ((watched += name === "targets"), traps.get(of, name, proxy)),
  });
  window.Proxy = new Proxy(Proxy, {
    construct: (plain, [of, traps]) => new plain(of, traps.get ? counted(traps) : traps),
  });
})()"""


def keys(page: Page, *names: str) -> None:
    """Press keys as fast as a hand does: Gradio looks at each a moment later."""
    for name in names:
        page.keyboard.press(name)
        page.wait_for_timeout(60)


def test_lists_by_keyboard_open_when_asked_and_close_when_left_and_what_is_wrong_or_set_is_told(tab: Tab) -> None:
    """And a schedule that gives way is told at its field, and comes back."""
    page = tab.page
    page.focus(SAMPLING)
    keys(page, "Shift", "Tab")
    expect(page.locator(SCHEDULE)).to_be_focused()
    expect(page.locator(OPEN)).to_have_count(0)
    keys(page, "Shift+Tab", "Enter")
    expect(page.locator("[role=option]")).to_have_count(17)
    expect(page.locator("[role=option][aria-disabled=true]")).to_have_count(0)
    keys(page, "Tab")
    page.wait_for_timeout(400)  # longer than the list takes to go
    expect(page.locator(OPEN)).to_have_count(0)
    expect(page.locator("[role=listbox]")).to_have_count(0)
    keys(page, "Shift+Tab", "l", "c", "m", "Enter")
    expect(page.locator(SAMPLING)).to_have_value("LCM")
    expect(page.locator(SAMPLING)).to_be_focused()
    keys(page, "Space", "Home", "Space")
    expect(page.locator(SAMPLING)).to_have_value("Euler")
    said = page.locator("#txt2img_scheduler .sd-said")
    for field, choice in ((SCHEDULE, "Karras"), (SAMPLING, "DDIM")):
        page.click(field)
        page.click(f"[role=option][aria-label='{choice}']")
    expect(said).to_have_text("Karras does not go with DDIM: Automatic is chosen.")
    expect(page.locator(SCHEDULE)).to_have_value("Automatic")
    page.click(SAMPLING)
    page.click("[role=option][aria-label='Euler']")
    expect(page.locator(SCHEDULE)).to_have_value("Karras")
    expect(said).to_be_hidden()
    a_number_that_is_none_is_told_and_not_taken_for_the_models_own(tab)
    page.fill("#txt2img_width input", "64")
    the_noise_of_a_picture_is_varied_and_what_is_set_stands_on_the_button_that_hides_it(tab)


def a_number_that_is_none_is_told_and_not_taken_for_the_models_own(tab: Tab) -> None:
    page = tab.page
    page.focus("#txt2img_width input")
    keys(page, "Control+A", "e")
    tab.press("txt2img_generate")
    expect(page.locator("#txt2img_width .sd-problem")).to_have_text("This is no number: use digits alone.")
    assert tab.job is None
    gap = """() => document.querySelector("#txt2img_width .sd-problem").getBoundingClientRect().top
      - document.querySelector("#txt2img_width input").getBoundingClientRect().bottom"""
    assert page.evaluate(gap) >= 4, "the words keep off the field"
    # A prompt is written in its own direction.
    page.fill("#txt2img_prompt textarea", "\u05dc\u05d1 \u05d0\u05d3\u05d5\u05dd")
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('#txt2img_prompt textarea')).direction") == "rtl"
    )


def test_what_was_filled_in_before_the_scripts_came_stays(context: BrowserContext, program: Program) -> None:
    earlier = Tab(context.new_page(), program.url)
    earlier.open()
    earlier.write("what was drawn last time", steps=7)
    earlier.page.close()
    quick = Tab(context.new_page(), program.url)
    page = quick.page
    page.add_init_script(COUNT_WATCHED)
    release = hold(page, "*/steady/assets/*/app.js")
    page.goto(program.url, wait_until="commit")
    page.fill("#txt2img_prompt textarea", "red heart")
    page.fill("#txt2img_width input", "512")
    page.click(SAMPLING)
    page.click("[role=option][aria-label='UniPC']")
    page.click("#txt2img_generate")
    assert page.evaluate("() => window.steady") is None, "it was done before the scripts came"
    release()
    quick.is_ready()
    assert page.evaluate("() => watched") == 0, "Gradio reads its listeners without Svelte's watch: see theme.py"
    page.wait_for_function("() => window.steady.state().shown")
    request = program.job(quick.job)["request"]
    assert [request[name] for name in ("prompt", "width", "sampler_name")] == ["red heart", 512, "UniPC"]
    stays_as_it_was_filled_in(quick)
    quick.reload()
    stays_as_it_was_filled_in(quick)


def stays_as_it_was_filled_in(quick: Tab) -> None:
    """With what was drawn last time where nothing was filled in."""
    expect(quick.page.locator("#txt2img_steps input[type=number]")).to_have_value("7")
    expect(quick.page.locator("#txt2img_width input")).to_have_value("512")
    expect(quick.page.locator(SAMPLING)).to_have_value("UniPC")
    assert quick.prompt() == "red heart"


def the_noise_of_a_picture_is_varied_and_what_is_set_stands_on_the_button_that_hides_it(tab: Tab) -> None:
    page = tab.page
    head = page.locator("#txt2img_page button[data-noise]")
    expect(page.locator("#txt2img_subseed")).to_be_hidden()
    head.click()
    for field, value in (("subseed_strength", "0.4"), ("cfg_rescale", "0.5")):
        page.fill(f"#txt2img_{field} input[type=number]", value)
        page.locator(f"#txt2img_{field} input[type=number]").blur()
    page.fill("#txt2img_subseed input", "77")
    page.check("#txt2img_tiling input")
    head.click()
    expect(head).to_contain_text("variation 0.4, tiling, CFG rescale 0.5")
    tab.generate()
    request = page.evaluate("() => window.steady.state().jobs[window.steady.state().shown].request")
    asked = {"subseed": 77, "subseed_strength": 0.4, "tiling": True, "cfg_rescale": 0.5}
    assert {name: request[name] for name in asked} == asked
