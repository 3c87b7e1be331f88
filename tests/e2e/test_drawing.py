"""One picture, from the click to the file, and every way to stop one."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.tab import WATCH_BAR, WATCH_PICTURE, Tab
from tests.program import HoldableProgram, wait_until

# How many previews were there, as WATCH_PICTURE has noted them?
PREVIEWS = "(count) => new Set(sources.filter((one) => one.startsWith('data:image/'))).size >= count"
LONG = {"steps": 20, "count": 6}


def test_a_job_is_watched_from_click_to_file(tab: Tab, program: HoldableProgram) -> None:
    page = tab.page
    tab.write("red heart", steps=8, count=2)
    page.fill("#txt2img_neg_prompt textarea", "worm")
    page.evaluate(WATCH_PICTURE)
    page.evaluate(WATCH_BAR)
    program.hold(step=2)
    tab.generate()
    page.wait_for_function(PREVIEWS, arg=1)
    program.hold(step=4)
    page.wait_for_function(PREVIEWS, arg=2)
    page.wait_for_function("() => /^\\[\\d+ %\\] Steady Diffusion$/.test(document.title)")
    program.let_go()
    tab.says("Done: 2 pictures")
    picture = page.locator("#txt2img_live_preview")  # decoded before it is shown, so a moment after the words
    expect(picture).to_have_attribute("src", f"/sdapi/v1/jobs/{tab.job}/images/0.png")

    sources = page.evaluate("window.sources")
    previews = [source for source in sources if source.startswith("data:image/")]
    assert len(set(previews)) >= 2
    shares = page.evaluate("window.shares")
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert page.locator("#txt2img_gallery button img").count() == 2
    info = page.inner_text("#html_info_txt2img")
    seed = program.job(tab.job)["outputs"][0]["seed"]
    assert info.startswith("red heart\n")
    assert f"Seed: {seed}" in info
    assert page.title() == "Steady Diffusion"

    page.click("#txt2img_gallery button >> nth=1")
    expect(page.locator("#html_info_txt2img")).to_contain_text(f"Seed: {seed + 1}")
    page.click("#txt2img_reuse_seed")
    expect(page.locator("#txt2img_seed input")).to_have_value(str(seed + 1))
    page.click("#txt2img_random_seed")
    expect(page.locator("#txt2img_seed input")).to_have_value("-1")
    with page.expect_download() as download:
        page.click("#txt2img_send [data-do=download]")
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"
    the_full_size_view_closes_by_escape_and_reuse_all_puts_back_what_made_the_picture(tab)


def the_full_size_view_closes_by_escape_and_reuse_all_puts_back_what_made_the_picture(tab: Tab) -> None:
    page = tab.page
    page.click("#txt2img_open")
    expect(page.locator("dialog.sd-viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sd-viewer")).to_be_hidden()
    tab.write("something else", steps=44)
    page.fill("#txt2img_neg_prompt textarea", "")
    page.click("#txt2img_send [data-do=reuse-all]")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("red heart")
    expect(page.locator("#txt2img_neg_prompt textarea")).to_have_value("worm")
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value("8")
    expect(page.locator("#txt2img_taken")).to_contain_text("All settings of this picture are in the fields.")


def test_interrupt_and_skip_are_answered_at_once_nothing_jumps_and_keys_do_the_same(
    tab: Tab, held: HoldableProgram
) -> None:
    page = tab.page
    tab.write("rocket", **LONG)
    before = page.locator("#txt2img_actions").bounding_box()
    stage = page.locator("#txt2img_stage").bounding_box()
    tab.generate()
    tab.draws()
    assert page.locator("#txt2img_actions").bounding_box() == before
    assert page.locator("#txt2img_stage").bounding_box() == stage
    job = tab.job
    tab.answers_before_the_server("txt2img_interrupt", "Stopping")
    tab.says("Interrupted after 0 of 6")
    assert held.job(job)["status"] == "interrupted"
    expect(page.locator("#txt2img_generate")).to_be_visible()
    assert page.locator("#txt2img_actions").bounding_box() == before
    assert page.locator("#txt2img_stage").bounding_box() == stage
    # By keys.
    tab.write("cat face", **LONG)
    page.focus("#txt2img_prompt textarea")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("(job) => window.steady.state().shown !== job", arg=job)
    tab.says("Drawing image 1 of 6")
    tab.draws()
    assert tab.prompt() == "cat face"
    job = tab.job
    page.keyboard.press("Alt+Enter")
    tab.says("Drawing image 2 of 6")
    page.keyboard.press("Escape")
    tab.says("Interrupted after 0 of 6")
    assert held.job(job)["outputs"] == []
    # A skip leaves the other images, and a double click on it is one.
    tab.write("cat face", steps=2, count=3)
    tab.generate()
    tab.says("Drawing image 1 of 3")
    tab.draws()
    page.evaluate(
        "() => { window.came = []; document.addEventListener('click', (event) => came.push(event.timeStamp)); }"
    )
    tab.answers_before_the_server("txt2img_skip", "Skipping", clicks=2)
    came = page.evaluate("came")
    assert len(came) == 1 or came[1] - came[0] >= 500  # a machine with much else to do makes two clicks of it
    tab.says("Drawing image 2 of 3")
    held.let_go()
    tab.says("Done: 2 of 3")
    assert [output["index"] for output in held.job(tab.job)["outputs"]] == [1, 2]


def test_escape_stops_a_job_of_which_the_page_has_not_heard_yet(tab: Tab, held: HoldableProgram) -> None:
    strangers = held.submit(prompt="moon", steps=2)
    tab.draws()
    tab.write("cat face", steps=20)
    tab.page.evaluate(
        """() => {
          const press = (init) => document.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
          press({ key: "Enter", ctrlKey: true });
          press({ key: "Escape" });
        }"""
    )
    known = f"/sdapi/v1/jobs?owner={tab.page.evaluate('window.steady.state().owner')}"
    wait_until(lambda: [job["status"] for job in held.get(known)["jobs"]] == ["interrupted"], 20, "it is stopped")
    assert held.job(strangers)["status"] == "running"
    held.post("/sdapi/v1/interrupt", {"task_id": strangers})
    held.wait_for(strangers)
    a_button_adds_to_the_queue_and_the_menu_stops_after_this_image(tab, held)


def a_button_adds_to_the_queue_and_the_menu_stops_after_this_image(tab: Tab, held: HoldableProgram) -> None:
    page = tab.page
    tab.write("smiling face", steps=2, count=5)
    tab.generate()
    tab.draws()
    first = tab.job
    tab.press("txt2img_enqueue")
    expect(page.locator("#steady_queue_pill")).to_have_text("Queue 1")
    assert tab.job == first
    tab.to("queue")
    expect(page.locator("#steady_queue_waiting .sd-row")).to_have_count(1)
    expect(page.locator("#steady_queue_running .sd-row")).to_have_count(1)
    drawn = page.locator("#steady_queue_running [data-drawn] img")
    expect(drawn).to_have_attribute("src", re.compile("^data:image/"))
    page.click("#steady_queue_waiting button >> text=Cancel")
    expect(page.locator("#steady_queue_waiting .sd-row")).to_have_count(0)
    tab.to("txt2img")
    tab.choose("Stop after this image")
    expect(page.locator("#txt2img_interrupt")).to_contain_text("Stop now")
    held.let_go()
    tab.says("Interrupted after 1 of 5")
    outputs = held.job(first)["outputs"]
    assert len(outputs) == 1
    tab.to("queue")
    expect(page.locator(f"#steady_queue_past [data-job='{first}'] img")).to_have_count(len(outputs))
