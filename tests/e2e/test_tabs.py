"""What a tab shows follows from the server alone: reloads, several tabs, a phone, bad input."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import PHONE
from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program

# What is seen, and reaches farther right than a page with a scrollbar; the row of tabs is scrolled for itself.
BELOW = """() => [...document.querySelectorAll("button, input, textarea, img, p, h2, label")].filter((part) => {
  const box = part.getBoundingClientRect();
  return box.width > 1 && part.checkVisibility() && box.right > document.documentElement.clientWidth + 0.5
    && !part.matches("[role=tab]");
}).map((part) => part.id || part.className || part.tagName)"""


def test_seven_tabs_are_alive_show_one_job_which_each_can_stop_and_another_browser_only_sees(
    context: BrowserContext, other_context: BrowserContext, held: HoldableProgram
) -> None:
    """A browser has no more than six connections for requests to one host."""
    tabs = [Tab(context.new_page(), held.url) for _ in range(7)]
    for one in tabs:
        one.open()
    for one in tabs:
        answer = one.page.evaluate("() => fetch('/internal/ping').then((answer) => answer.json())")
        assert answer == held.get("/internal/ping")
    tab, second = tabs[6], tabs[1]
    tab.page.bring_to_front()
    tab.write("red heart", steps=19, count=4)
    tab.generate()
    tab.draws()
    reload_in_mid_job_shows_the_same_job(tab)
    stranger = Tab(other_context.new_page(), held.url)
    stranger.open()
    for one in (second, stranger):
        one.page.bring_to_front()
        one.draws()
        assert one.job == tab.job
    expect(stranger.page.locator("#txt2img_generate")).to_be_visible()
    expect(stranger.page.locator("#txt2img_interrupt")).to_be_hidden()
    expect(stranger.page.locator("#txt2img_note")).to_contain_text("Another page's job")
    second.page.bring_to_front()
    second.press("txt2img_interrupt")
    for one in tabs:
        one.page.bring_to_front()
        one.says("Interrupted")
        assert one.job == tab.job
    assert [one.complaints for one in (*tabs, stranger)] == [[]] * 8


def reload_in_mid_job_shows_the_same_job(tab: Tab) -> None:
    job = tab.job
    tab.reload()
    tab.draws()
    assert tab.job == job
    assert tab.prompt() == "red heart"
    expect(tab.page.locator("#txt2img_steps input[type=number]")).to_have_value("19")
    expect(tab.page.locator("#txt2img_interrupt")).to_be_visible()


def test_a_phone_reaches_everything_without_scrolling_sideways(
    phone_context: BrowserContext, held: HoldableProgram
) -> None:
    tab = Tab(phone_context.new_page(), held.url)
    tab.open()
    page = tab.page
    for name in ("queue", "settings", "txt2img"):
        tab.to(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    dock = page.locator("#txt2img_generate").bounding_box()
    stage = page.locator("#txt2img_stage").bounding_box()
    prompt = page.locator("#txt2img_prompt").bounding_box()
    assert dock and stage and prompt
    assert dock["y"] + dock["height"] <= PHONE["height"]
    assert dock["height"] >= 44
    assert stage["y"] < prompt["y"]
    page.locator("#txt2img_seed").scroll_into_view_if_needed()
    seed = page.locator("#txt2img_seed input").bounding_box()
    assert seed and seed["y"] + seed["height"] <= dock["y"]
    tab.write("red heart", steps=2)
    tab.generate()
    tab.draws()
    stop = page.locator("#txt2img_interrupt").bounding_box()
    assert stop and stop["y"] + stop["height"] <= PHONE["height"]
    tab.press("txt2img_interrupt")
    tab.says("Interrupted")


def test_after_a_reload_the_tab_is_open_that_was_open_and_another_window_begins_with_the_first(tab: Tab) -> None:
    selected = "[role=tab][data-tab-id][aria-selected=true]"
    tab.to("img2img")
    tab.to("settings")
    tab.reload()
    expect(tab.page.locator(selected)).to_have_attribute("data-tab-id", "settings")
    other = Tab(tab.page.context.new_page(), tab.url)
    other.open()
    expect(other.page.locator(selected)).to_have_attribute("data-tab-id", "txt2img")


def test_nothing_lies_below_a_scrollbar_or_beside_the_window(tab: Tab) -> None:
    for width in (480, 780, 1000, 1366):
        tab.page.set_viewport_size({"width": width, "height": 600})
        for name in ("txt2img", "extras", "settings"):
            tab.to(name)
            assert tab.page.evaluate(BELOW) == [], (width, name)


def test_fields_help_each_other_and_a_bad_value_is_told_at_its_field_where_nothing_is_lost(
    tab: Tab, program: Program
) -> None:
    page = tab.page
    page.click("#txt2img_sizes >> text=4:3")
    expect(page.locator("#txt2img_width input")).to_have_value("288")
    expect(page.locator("#txt2img_height input")).to_have_value("224")
    page.click("#txt2img_res_switch_btn")
    expect(page.locator("#txt2img_width input")).to_have_value("224")
    expect(page.locator("#txt2img_height input")).to_have_value("288")
    expect(page.locator("#txt2img_sizes [aria-pressed=true]")).to_have_text("3:4")
    page.fill("#txt2img_prompt textarea", "a red heart")
    expect(page.locator("#txt2img_token_counter")).to_contain_text("3 / 75")
    known = program.get("/sdapi/v1/jobs")["total"]
    tab.write("red heart")
    tab.number("txt2img_width", 100)
    tab.press("txt2img_generate")
    problem = page.locator("#txt2img_width .sd-problem")
    expect(problem).to_contain_text("100")
    expect(problem).to_contain_text("96 or 104")
    expect(page.locator("#txt2img_width input")).to_have_attribute("aria-invalid", "true")
    assert tab.prompt() == "red heart"
    assert program.get("/sdapi/v1/jobs")["total"] == known
    tab.number("txt2img_width", 128)
    expect(problem).to_have_count(0)
    tab.page.fill("#txt2img_prompt textarea", "a" * 100_000)
    tab.press("txt2img_generate")
    expect(tab.page.locator("#txt2img_prompt .sd-problem")).to_contain_text("10,000")
    assert len(tab.prompt()) == 100_000
