"""What a tab shows follows from the server alone: reloads, several tabs, a phone, bad input."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import PHONE
from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program


def test_reload_in_mid_job_shows_the_same_job(tab: Tab, held: HoldableProgram) -> None:
    tab.write("red heart", steps=19, count=4)
    tab.generate()
    tab.draws()
    job = tab.job
    tab.reload()
    tab.draws()
    assert tab.job == job
    assert tab.prompt() == "red heart"
    expect(tab.page.locator("#txt2img_steps input[type=number]")).to_have_value("19")
    expect(tab.page.locator("#txt2img_interrupt")).to_be_visible()
    tab.press("txt2img_interrupt")
    tab.says("Interrupted")


def test_two_tabs_of_one_owner_show_one_job_which_both_can_stop_and_another_browser_only_sees(
    tab: Tab, context: BrowserContext, other_context: BrowserContext, held: HoldableProgram
) -> None:
    second = Tab(context.new_page(), tab.url)
    second.open()
    tab.write("rocket", steps=2)
    tab.generate()
    second.draws()
    assert second.job == tab.job
    stranger = Tab(other_context.new_page(), tab.url)
    stranger.open()
    stranger.draws()
    assert stranger.job == tab.job
    expect(stranger.page.locator("#txt2img_generate")).to_be_visible()
    expect(stranger.page.locator("#txt2img_interrupt")).to_be_hidden()
    expect(stranger.page.locator("#txt2img_note")).to_contain_text("Another page's job")
    second.press("txt2img_interrupt")
    tab.says("Interrupted")
    second.says("Interrupted")


def test_seven_tabs_are_alive_and_one_can_generate(context: BrowserContext, program: Program) -> None:
    """A browser has no more than six connections for requests to one host."""
    tabs = [Tab(context.new_page(), program.url) for _ in range(7)]
    for one in tabs:
        one.open()
    for one in tabs:
        answer = one.page.evaluate("() => fetch('/internal/ping').then((answer) => answer.json())")
        assert answer == program.get("/internal/ping")
    tabs[6].page.bring_to_front()
    tabs[6].write("pizza", steps=2)
    tabs[6].generate()
    job = tabs[6].job
    for one in tabs:
        one.page.bring_to_front()
        one.says("Done: 1 picture")
        assert one.job == job
        assert one.complaints == []


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
