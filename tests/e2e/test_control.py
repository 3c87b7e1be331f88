"""Control from the page: pause, resume, the queue's order, for ever, edit, restarts that wait, settings of two tabs."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import BrowserContext, Route, expect

from tests.e2e.held_lists import LISTS, HeldLists
from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program, wait_until


def waiting(program: Program) -> list[str]:
    """The prompts of the waiting jobs, the next first."""
    jobs = program.get("/sdapi/v1/jobs?status=queued")["jobs"]
    return [job["request"]["prompt"] for job in sorted(jobs, key=lambda job: job["position"])]


def audit(program: Program, action: str) -> dict[str, Any]:
    """The newest deed of this kind."""
    found: dict[str, Any] = next(
        row for row in program.get("/sdapi/v1/audit?limit=50")["audit"] if row["action"] == action
    )
    return found


# Notes each order that the waiting rows have from now on.
WATCH_ORDERS = """() => {
  const list = document.querySelector("#steady_queue_waiting");
  const order = () => Array.from(list.querySelectorAll(".sd-row-prompt"), (one) => one.textContent).join(" ");
  window.ordersSeen = new Set([order()]);
  new MutationObserver(() => window.ordersSeen.add(order())).observe(list, {childList: true});
}"""


def test_a_paused_job_survives_a_reload_and_resumes_to_the_same_picture(tab: Tab, program: HoldableProgram) -> None:
    page = tab.page
    tab.write("red heart", steps=8, count=1)
    page.fill("#txt2img_seed input", "7")
    program.hold(step=4)
    tab.generate()
    tab.draws()
    job = tab.job
    before = page.locator("#txt2img_actions").bounding_box()
    tab.press("txt2img_pause")
    tab.says("Paused")
    assert page.locator("#txt2img_actions").bounding_box() == before
    assert program.job(job)["status"] == "paused"
    program.let_go()
    tab.reload()
    tab.says("Paused")
    assert tab.job == job
    expect(page.locator("#txt2img_generate")).to_be_visible()
    tab.press("txt2img_resume")
    tab.says("Done: 1 picture")
    assert tab.job == job
    again = program.submit(prompt="red heart", steps=8, seed=7, cfg_scale=3)
    program.wait_for(again)
    pictures = [program.call("GET", f"/sdapi/v1/jobs/{one}/images/0.png")[1] for one in (job, again)]
    assert pictures[0] == pictures[1]


def test_the_queue_is_ordered_by_keys_by_hand_and_by_priority(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.to("queue")
    page.click("#steady_queue_pause")
    expect(page.locator("#steady_queue_words")).to_contain_text("nothing new begins")
    jobs = {name: program.submit(prompt=name, steps=2) for name in ("apple", "bell", "cat", "dog")}
    rows = page.locator("#steady_queue_waiting .sd-row")
    expect(rows).to_have_count(4)
    lists = HeldLists(page)
    page.click("[data-queue='filter'][data-group='all']")
    lists.wait()
    page.focus(f"[data-job='{jobs['dog']}'] .sd-grip")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#steady_queue_said")).to_have_text("dog: 2nd of 4.")
    wait_until(lambda: waiting(program) == ["apple", "dog", "bell", "cat"], 20, "the keys' order is stored")
    assert page.evaluate("document.activeElement.className") == "sd-grip"
    page.evaluate(WATCH_ORDERS)
    with page.expect_request(LISTS):  # what was asked for before the move is of no use, so it is asked for again
        lists.let_come()
    assert page.evaluate("Array.from(window.ordersSeen)") == ["apple dog bell cat"]
    grip = page.locator(f"[data-job='{jobs['apple']}'] .sd-grip").bounding_box()
    last = page.locator(f"[data-job='{jobs['cat']}']").bounding_box()
    assert grip and last
    page.mouse.move(grip["x"] + 10, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 10, last["y"] + last["height"], steps=6)
    moves: list[Route] = []
    page.route("**/move", lambda route: moves.append(route))
    page.mouse.up()
    page.evaluate(WATCH_ORDERS)
    with page.expect_response(LISTS):
        page.click("[data-queue='filter'][data-group='all']")
    with page.expect_request(LISTS):  # again and again, until the move is answered
        pass
    assert page.evaluate("Array.from(window.ordersSeen)") == ["dog bell cat apple"]
    moves[0].continue_()
    page.unroute("**/move")
    wait_until(lambda: waiting(program) == ["dog", "bell", "cat", "apple"], 20, "the hand's order is stored")
    page.click(f"[data-job='{jobs['cat']}'] >> text=To the front")
    wait_until(lambda: waiting(program)[0] == "cat", 20, "the cat is in front")
    page.click(f"[data-job='{jobs['apple']}'] .sd-dots")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_until(lambda: waiting(program)[0] == "apple", 20, "a high priority comes first")
    expect(rows.nth(0)).to_contain_text("high priority")
    assert audit(program, "priority")["owner"] == page.evaluate("window.steady.state().owner")
    program.post(f"/sdapi/v1/jobs/{jobs['bell']}/interrupt")
    expect(rows).to_have_count(3)
    those_that_waited_at_the_question_are_cancelled(tab, program)
    assert program.call("GET", f"/sdapi/v1/jobs/{jobs['dog']}")[0] == 404, "what never began leaves no row"
    page.fill("#steady_queue_search", "bell")
    expect(page.locator("#steady_queue_past .sd-row")).to_have_count(1)
    page.click(f"[data-job='{jobs['bell']}'] >> text=Try again")
    expect(rows).to_have_count(1)
    page.click("#steady_queue_pause")
    program.wait_for(jobs["bell"], "done")
    an_edited_job_takes_the_place_of_the_one_that_waits(tab, program)


def those_that_waited_at_the_question_are_cancelled(tab: Tab, program: Program) -> None:
    page, rows = tab.page, tab.page.locator("#steady_queue_waiting .sd-row")
    page.click("#steady_queue_clear")
    expect(page.locator("#steady_queue_clear")).to_have_text("Cancel all 3?")
    late = program.submit(prompt="a fourth that comes behind the question", steps=2)
    page.click("#steady_queue_clear")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("behind the question")
    program.call("DELETE", f"/sdapi/v1/jobs/{late}")
    expect(rows).to_have_count(0)


def an_edited_job_takes_the_place_of_the_one_that_waits(tab: Tab, program: Program) -> None:
    page = tab.page
    program.post("/sdapi/v1/queue/pause")
    program.submit(prompt="first", steps=2)
    first = program.submit(prompt="a blue fish", steps=3, cfg_scale=4.5, seed=11, sampler_name="DDIM", n_iter=2)
    program.submit(prompt="last", steps=2)
    page.click(f"[data-job='{first}'] .sd-dots")
    page.click(f"[data-job='{first}'] [data-act=edit]")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("a blue fish")
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value("3")
    expect(page.locator("#txt2img_batch_count input[type=number]")).to_have_value("2")
    expect(page.locator("#txt2img_sampling [role=combobox]")).to_have_value("DDIM")
    expect(page.locator("#txt2img_seed input")).to_have_value("11")
    expect(page.locator("#txt2img_taken")).to_contain_text("This job still waits")
    page.fill("#txt2img_prompt textarea", "a red fish")
    page.fill("#txt2img_seed input", "hello")
    tab.press("txt2img_generate")
    expect(page.locator("#txt2img_seed .sd-problem")).to_contain_text('Seed "hello" is not a whole number')
    assert waiting(program) == ["first", "a blue fish", "last"], "it is kept until the new one is accepted"
    page.fill("#txt2img_seed input", "9007199254740993")
    tab.generate()
    tab.says("Queued, 2nd of 3")
    expect(page.locator("#txt2img_taken")).to_be_hidden()
    assert waiting(program) == ["first", "a red fish", "last"]
    job = program.job(tab.job)
    request = job["request"]
    assert (request["cfg_scale"], request["seed"], job["retry_of"]) == (4.5, 9007199254740993, None)
    a_schedule_that_does_not_go_with_the_sampler_cannot_be_chosen(tab)


def test_generate_forever_is_switched_off_a_restart_waits_until_nothing_is_drawn_and_tabs_keep_their_choices(
    tab: Tab, context: BrowserContext, program: HoldableProgram
) -> None:
    page = tab.page
    tab.write("pizza", steps=4)
    tab.choose("Generate forever")
    page.wait_for_function("() => window.steady.state().shown")
    first = tab.job
    program.wait_for(first, "done")
    page.wait_for_function("(first) => window.steady.state().shown !== first", arg=first)
    page.click("#txt2img_more")
    expect(page.locator("#txt2img_forever")).to_have_attribute("aria-checked", "true")
    page.click("#txt2img_forever")
    tab.says("Done: ")
    assert program.job(tab.job)["forever"] is False
    # A restart waits for the idle engine and can be taken back.
    program.hold()
    tab.write("rocket", steps=2)
    tab.generate()
    program.wait_for_step(tab.job)
    tab.to("settings")
    page.click("#settings_restart_when [role=combobox]")
    page.click("[role=option] >> text=when idle")
    page.click("#settings_restart_engine")
    expect(page.locator("#settings_waiting")).to_contain_text("The engine restarts when nothing is drawn")
    expect(page.locator("#steady_status")).to_contain_text("restart waits")
    page.click("#settings_waiting >> text=Do not restart")
    expect(page.locator("#settings_waiting")).to_be_hidden()
    page.click("#steady_audit summary")
    expect(page.locator("#steady_audit_rows tr").first).to_contain_text("this browser")
    expect(page.locator("#steady_audit_rows tr").first).to_contain_text("took a restart back")
    assert page.inner_text("#steady_about").count(program.get("/internal/ping")["instance"]) == 1
    for _ in range(20):
        program.post("/sdapi/v1/queue/pause")
        program.post("/sdapi/v1/queue/resume")
    page.click("#steady_audit_again")
    expect(page.locator("#steady_audit_rows tr").first).to_contain_text("let the queue go on")
    asked: list[Route] = []
    page.route("**/audit?*before=*", lambda route: asked.append(route))
    page.dblclick("#steady_audit_more")
    wait_until(lambda: page.evaluate("() => true") and asked, 20, "older rows are asked for")
    assert len(asked) == 1, "and once"
    asked[0].continue_()
    told = len(program.get("/sdapi/v1/audit?limit=60")["audit"])
    expect(page.locator("#steady_audit_rows tr")).to_have_count(told)
    second = Tab(context.new_page(), tab.url)
    second.open()
    second.to("settings")
    choices_not_applied_yet_survive_what_another_tab_applies(tab, second, program)


def choices_not_applied_yet_survive_what_another_tab_applies(tab: Tab, second: Tab, program: Program) -> None:
    tab.page.bring_to_front()
    tab.number("setting_queue_history_shown", 40)
    expect(tab.page.locator("#settings_submit")).to_have_text("Apply (1)")
    second.page.bring_to_front()
    second.number("setting_live_preview_max_size", 500)
    second.page.click("#settings_submit")
    expect(second.page.locator("#settings_result")).to_contain_text("Saved: Longest side")
    tab.page.bring_to_front()
    expect(tab.page.locator("#setting_live_preview_max_size input")).to_have_value("500")
    expect(tab.page.locator("#setting_queue_history_shown input")).to_have_value("40")
    tab.page.click("#settings_submit")
    expect(tab.page.locator("#settings_result")).to_contain_text("Saved: Finished jobs")
    expect(tab.page.locator("#settings_submit")).to_have_text("Apply")
    stored = json.loads((program.data / "settings.json").read_text())
    assert (stored["queue_history_shown"], stored["live_preview_max_size"]) == (40, 500)


def a_schedule_that_does_not_go_with_the_sampler_cannot_be_chosen(tab: Tab) -> None:
    page = tab.page

    def choose(field: str, words: str) -> None:
        page.click(f"#{field} [role=combobox]")
        page.click(f"[role=option][aria-label='{words}']", force=True)

    schedule = page.locator("#txt2img_scheduler [role=combobox]")
    choose("txt2img_sampling", "Euler")
    choose("txt2img_scheduler", "Karras")
    expect(schedule).to_have_value("Karras")
    choose("txt2img_sampling", "DDIM")
    expect(schedule).to_have_value("Automatic")
    choose("txt2img_scheduler", "Karras")
    expect(page.locator("[role=option][aria-label='Karras']")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    expect(schedule).to_have_value("Automatic")
