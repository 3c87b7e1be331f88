"""Settings that last, and a restart of the server that nobody notices."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program

DEEDS = """async () => {
  const { deed } = await import("/steady/assets/settings/audit.js");
  return [deed("move", "a".repeat(24), { to: 2 }), deed("settings", null, { changed: ["samples_save"] }),
    deed("interrupt-waiting", null, { count: 1, owner: null }), deed("restart-engine-when-idle", null, {})];
}"""


def test_apply_persists_a_bad_value_changes_nothing_and_colours_follow_what_was_chosen_last(
    tab: Tab, program: Program
) -> None:
    page, root = tab.page, tab.page.locator("html")
    page.click("#steady_colours")
    expect(root).to_have_attribute("data-theme", "dark")
    tab.to("settings")
    page.fill("#settings_search", "hours to keep")
    expect(page.locator("#setting_results_kept_hours")).to_be_visible()
    expect(page.locator("#setting_samples_save")).to_be_hidden()
    tab.number("setting_results_kept_hours", 48)
    page.click("#settings_submit")
    expect(page.locator("#settings_result")).to_contain_text("Saved: Hours to keep")
    stored = json.loads((program.data / "settings.json").read_text())
    assert stored["results_kept_hours"] == 48
    page.fill("#settings_search", "")
    page.click("#setting_sd_vae [role=combobox]")
    expect(page.locator("[role=option]")).to_contain_text(["Automatic", "None"])
    page.keyboard.press("Escape")
    page.click("#setting_upscaler_for_img2img [role=combobox]")
    page.click("[role=option] >> text=Lanczos")
    page.click("#settings_submit")
    expect(page.locator("#settings_result")).to_contain_text("Saved: Upscaler for img2img")
    assert program.get("/sdapi/v1/options")["upscaler_for_img2img"] == "Lanczos"
    tab.number("setting_results_kept_hours", 0)
    expect(page.locator("#settings_result")).to_be_hidden()  # what was answered is of before
    page.click("#settings_submit")
    expect(page.locator("#settings_result")).to_contain_text("Nothing was changed: “Hours to keep")
    problem = page.locator("#setting_results_kept_hours .sd-problem")
    expect(problem).to_have_text("0 is not possible: use 1 to 8760.")
    expect(page.locator("#setting_results_kept_hours input")).to_be_focused()
    page.fill("#setting_results_kept_hours input", "7")
    expect(problem).to_have_count(0)
    expect(page.locator("#settings_result")).to_be_hidden()
    page.fill("#settings_search", "hippopotamus")
    expect(page.locator("#settings_none")).to_have_text("No setting holds “hippopotamus”.")
    page.fill("#settings_search", "")
    expect(page.locator("#settings_none")).to_be_hidden()
    tab.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    tab.to("settings")
    expect(page.locator("#setting_results_kept_hours input")).to_have_value("48")
    what_was_done_can_be_read(tab)
    for setting, shown in (("light", "light"), ("dark", "dark"), ("auto", "light")):
        program.post("/sdapi/v1/options", {"theme": setting})
        expect(root).to_have_attribute("data-theme", shown)
    page.click("#steady_colours")
    tab.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def what_was_done_can_be_read(tab: Tab) -> None:
    assert tab.page.evaluate(DEEDS) == [
        "moved in the queue · job aaaaaa · to place 2",
        "changed settings · Always save all generated images",
        "cancelled what waits · 1 job",
        "restarted the engine when nothing is drawn and nothing waits",
    ]


def test_a_restart_keeps_the_text_the_page_and_the_running_job_and_says_when_it_is_done(
    tab: Tab, held: HoldableProgram
) -> None:
    page = tab.page
    tab.write("a red heart, kept over a restart", steps=2, count=3)
    tab.generate()
    tab.draws()
    job = tab.job
    before = held.get("/internal/ping")["instance"]
    page.evaluate("() => (window.samePage = true)")
    tab.to("settings")
    tab.number("setting_results_kept_hours", 30)
    expect(page.locator("#settings_submit")).to_have_text("Apply (1)")
    page.evaluate("scrollTo(0, 900)")
    page.click("#settings_restart_gradio")
    answer = page.locator("#settings_result .sd-answer:not(#settings_unapplied)")
    expect(answer).to_have_text("The server is being replaced. This page and a running job go on.")
    expect(answer).to_be_in_viewport(ratio=1)
    left_out = page.locator("#settings_unapplied")
    expect(left_out).to_have_text("1 choice is not applied, so the restart goes without it.")
    page.wait_for_function("(old) => window.steady.state().instance !== old", arg=before, timeout=60_000)
    assert held.get("/internal/ping")["instance"] != before
    expect(page.locator("#settings_submit")).to_have_text("Apply (1)")
    expect(left_out).to_be_visible()
    expect(answer).to_have_text("Done: the server was replaced.", timeout=60_000)
    page.click("#settings_submit")
    expect(page.locator("#settings_submit")).to_have_text("Apply")
    expect(left_out).to_be_hidden()
    tab.to("txt2img")
    assert page.evaluate("window.samePage") is True
    assert tab.prompt() == "a red heart, kept over a restart"
    assert tab.job == job
    tab.choose("Stop after this image")
    expect(page.locator("#txt2img_interrupt")).to_contain_text("Stop now")
    held.let_go()
    tab.says("Interrupted after 1 of 3")
    assert held.job(job)["attempts"] == 1
    tab.write("pizza", steps=2)
    tab.generate()
    tab.says("Done: 1 picture")
    tab.to("settings")
    page.click("#settings_restart_engine")
    expect(answer).to_contain_text("The engine starts again")
    expect(answer).to_have_text("Done: the engine has started again.", timeout=60_000)
    page.click("#settings_restart_engine")
    expect(answer).to_contain_text("The queue is kept")
