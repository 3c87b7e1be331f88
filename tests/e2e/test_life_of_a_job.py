"""A job on the page from the first click to the last word: too quick hands, the keyboard, other people's jobs."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.feed import SNAPSHOT, Feed
from tests.e2e.tab import Tab
from tests.program import HoldableProgram, Program, wait_until

LONG = {"steps": 20, "count": 10}


def own_jobs(tab: Tab, program: Program) -> list[dict[str, Any]]:
    """The jobs of this browser, the oldest first."""
    owner = tab.page.evaluate("window.steady.state().owner")
    jobs: list[dict[str, Any]] = program.get(f"/sdapi/v1/jobs?owner={owner}")["jobs"]
    return jobs[::-1]


def stop(tab: Tab, program: Program) -> None:
    """End the job on the stage, as a script does."""
    job = tab.job
    tab.page.evaluate("document.getElementById('txt2img_interrupt').click()")
    program.wait_for(job)
    expect(tab.page.locator("#txt2img_generate")).to_be_visible()


# What a button judges a click by: the moment that the browser gives it.
NOTE_CLICKS = """() => {
  window.clicks = [];
  addEventListener("click", (event) => event.isTrusted && clicks.push(event.timeStamp), true);
}"""


def click_twice(page: Page, share: float, gap_ms: int) -> None:
    """A double click on Generate, at this share of its width, of which the second half comes when the job has begun.

    The browser is told when it was: no machine is too slow to click so fast.
    """
    button = page.locator("#txt2img_generate:not([data-fresh])")
    button.wait_for()
    box = button.bounding_box()
    assert box
    where = {"x": box["x"] + share * box["width"], "y": box["y"] + box["height"] / 2, "button": "left"}
    page.evaluate("() => (clicks.length = 0)")
    now: float = page.evaluate("() => (performance.timeOrigin + performance.now()) / 1000")
    session = page.context.new_cdp_session(page)
    for number, at in enumerate((now, now + gap_ms / 1000), 1):
        for kind in ("mousePressed", "mouseReleased"):
            press = {"type": kind, **where, "clickCount": number, "timestamp": at}
            session.send("Input.dispatchMouseEvent", press)
        if gap_ms:
            expect(page.locator("#txt2img_interrupt")).to_be_visible()
    session.detach()
    gap: float = page.evaluate("clicks[1] - clicks[0]")
    assert abs(gap - gap_ms) < 5


def has_jobs(tab: Tab, program: Program, number: int) -> bool:
    return len(own_jobs(tab, program)) >= number


def draws_the(number: int, tab: Tab, held: HoldableProgram) -> list[dict[str, Any]]:
    """Wait until so many jobs of this browser are there and the page shows the last one being drawn; return them."""
    wait_until(partial(has_jobs, tab, held, number), 20, "the job is there")
    last = own_jobs(tab, held)[-1]["id"]
    held.wait_for_step(last)
    tab.page.wait_for_function("(last) => window.steady.state().shown === last", arg=last)
    tab.draws()
    return own_jobs(tab, held)


def test_a_double_click_on_generate_or_a_key_that_is_held_begins_one_job_and_stops_none(
    tab: Tab, held: HoldableProgram
) -> None:
    tab.write("red heart", **LONG)
    tab.page.evaluate(NOTE_CLICKS)
    for gap_ms, share in ((0, 0.15), (100, 0.15), (250, 0.34), (400, 0.15)):
        number = len(own_jobs(tab, held)) + 1
        click_twice(tab.page, share, gap_ms)
        jobs = draws_the(number, tab, held)
        assert len(jobs) == number, gap_ms
        assert (jobs[-1]["status"], jobs[-1]["requested"], jobs[-1]["image_index"]) == ("running", None, 0), gap_ms
        stop(tab, held)
    second_half_before_the_next_frame(tab, held)
    a_key_that_is_held_or_pressed_twice_does_one_thing(tab, held)


# Frames as a machine with much to do has them: none before `frames` is called. `heard`: the server has answered.
NO_FRAMES = """() => {
  const held = [];
  const plain = window.requestAnimationFrame;
  window.requestAnimationFrame = (run) => held.push(run);
  window.frames = () => {
    window.requestAnimationFrame = plain;
    held.forEach(plain);
  };
  const { call } = window.steady;
  window.steady.call = (what, values) => {
    const told = call(what, values);
    window.heard ||= what.name === "answered";
    return told;
  };
}"""


def second_half_before_the_next_frame(tab: Tab, held: HoldableProgram) -> None:
    """It begins nothing either. `held`, as `tab`, has done nothing for a moment."""
    page, before = tab.page, len(own_jobs(tab, held))
    page.locator("#txt2img_generate:not([data-fresh])").wait_for()
    box = page.locator("#txt2img_generate").bounding_box()
    assert box
    x, y = box["x"] + 20, box["y"] + 20
    page.evaluate(NO_FRAMES)
    page.mouse.click(x, y)
    page.wait_for_function("() => window.heard", polling=10)
    page.mouse.click(x, y)
    page.evaluate("frames()")
    assert len(draws_the(before + 1, tab, held)) == before + 1
    stop(tab, held)


def click_at_the_end(tab: Tab, x: float, y: float) -> float:
    """Draw, and click where Interrupt was when Generate is back. Return how many milliseconds later that was."""
    page = tab.page
    tab.generate()
    page.evaluate(
        """() => new Promise((done) => {
          addEventListener("mousedown", (event) => (window.late = event.timeStamp - window.ended));
          const look = () => {
            if (document.documentElement.dataset.job !== "none") return requestAnimationFrame(look);
            window.ended = performance.now();
            done();
          };
          look();
        })"""
    )
    page.mouse.click(x, y)  # of the hand, not of a script
    late: float = page.evaluate("window.late")
    return late


def test_a_click_on_interrupt_just_after_the_end_begins_nothing(tab: Tab, program: Program) -> None:
    page = tab.page
    box = page.locator("#txt2img_generate").bounding_box()
    assert box
    x, y = box["x"] + 20, box["y"] + 20
    tab.write("red heart", steps=20)
    expected = 1
    while click_at_the_end(tab, x, y) > 480:  # a machine with much to do, and no quick hand: it began another one
        tab.says("Done: 1 picture")
        expected += 2
    page.wait_for_timeout(600)
    assert len(own_jobs(tab, program)) == expected
    page.mouse.click(x, y)
    wait_until(lambda: len(own_jobs(tab, program)) == expected + 1, 20, "a later click is one")


def a_key_that_is_held_or_pressed_twice_does_one_thing(tab: Tab, held: HoldableProgram) -> None:
    page, before = tab.page, len(own_jobs(tab, held))
    page.focus("#txt2img_generate:not([data-fresh])")
    page.keyboard.down("Enter")
    page.wait_for_timeout(700)
    for _ in range(5):
        page.keyboard.down("Enter")  # Playwright marks it as a repetition
    page.keyboard.up("Enter")
    tab.draws()
    (job,) = own_jobs(tab, held)[before:]
    assert (job["status"], job["requested"]) == ("running", None)
    page.keyboard.press("Control+Enter")
    wait_until(lambda: len(own_jobs(tab, held)) == before + 2, 20, "another one waits")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_function("(first) => window.steady.state().shown !== first", arg=job["id"])
    page.keyboard.press("Escape")  # a moment too late for the first one, and not meant for the second
    held.wait_for(job["id"], "interrupted")
    tab.draws()
    first, second = own_jobs(tab, held)[before:]
    assert first["stop_requests"] == 1
    assert (second["status"], second["requested"]) == ("running", None)
    stop(tab, held)


def test_the_whole_flow_by_keyboard_alone_and_a_second_job_one_click_away(tab: Tab, held: HoldableProgram) -> None:
    page = tab.page
    tab.write("red heart", **LONG)

    def has_focus(elem_id: str) -> None:
        expect(page.locator(f"#{elem_id}")).to_be_focused()
        page.wait_for_timeout(600)  # a hand takes longer than a button takes no press

    page.focus("#txt2img_neg_prompt textarea")
    for _ in range(8):  # past what stands between the prompts and the buttons, such as the styles
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "txt2img_generate":
            break
    has_focus("txt2img_generate")
    page.keyboard.press("Enter")
    has_focus("txt2img_interrupt")
    tab.draws()
    for _ in range(2):
        page.keyboard.press("Tab")
    has_focus("txt2img_pause")
    page.keyboard.press("Enter")
    has_focus("txt2img_resume")
    tab.says("Paused")
    page.keyboard.press("Space")
    has_focus("txt2img_pause")
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    has_focus("txt2img_interrupt")
    page.keyboard.press("Enter")
    has_focus("txt2img_generate")
    held.wait_for(tab.job, "interrupted")
    held.let_go()
    tab.write("red heart", steps=2)
    page.focus("#txt2img_generate")
    page.keyboard.press("Enter")
    tab.says("Done: 1 picture")
    has_focus("txt2img_generate")
    held.hold()
    a_second_job_is_one_click_away_tells_when_its_turn_comes_and_goes_on_after_a_pause(tab, held)


def test_jobs_that_follow_each_other_grow_one_strip(tab: Tab, program: Program) -> None:
    page = tab.page
    places = page.locator("#txt2img_gallery button")
    for count, prompt in enumerate(("pizza", "red heart"), 1):
        tab.write(prompt, steps=2)
        tab.generate()
        tab.says("Done: 1 picture")
        expect(places).to_have_count(count)
    tab.write("moon", steps=8)
    tab.choose("Generate forever")
    page.wait_for_function("() => document.querySelectorAll('#txt2img_gallery [data-state=there]').length >= 4")
    page.locator("#txt2img_gallery button").first.click()
    expect(page.locator("#html_info_txt2img b")).to_have_text("pizza")
    first = tab.job
    page.wait_for_function("(first) => window.steady.state().shown !== first", arg=first)
    expect(page.locator("#html_info_txt2img b")).to_have_text("pizza")  # a picture that was chosen stays
    page.keyboard.press("Escape")
    wait_until(lambda: not program.unfinished(), 60, "the last link has ended")
    links = [job for job in own_jobs(tab, program) if job["request"]["prompt"] == "moon"]
    pictures = sum(len(job["outputs"]) for job in links)
    assert pictures >= 2
    # The link that was being drawn may have been through before the engine saw the request: then it is done.
    begins = "Done:" if links[-1]["status"] == "done" else "Interrupted after"
    tab.says(f"{begins} {pictures} pictures")
    there = page.locator("#txt2img_gallery [data-state=there]")
    expect(there).to_have_count(2 + pictures)
    expect(places).to_have_count(2 + pictures)  # the link that was stopped leaves no empty one
    there.last.click()
    page.click("#txt2img_open")
    expect(page.locator("dialog.sd-viewer")).to_contain_text(f"{2 + pictures} of {2 + pictures}")
    page.keyboard.press("Escape")
    tab.reload()
    expect(there).to_have_count(2 + pictures)
    tab.says(f"{begins} {pictures} pictures")
    expect(page.locator("#txt2img_stage")).to_have_attribute("data-shows", "picture")


def test_my_picture_stays_while_others_draw(tab: Tab, program: HoldableProgram) -> None:
    page = tab.page
    tab.write("pizza", steps=2)
    tab.generate()
    tab.says("Done: 1 picture")
    mine = tab.job
    program.hold()
    strangers = program.submit(prompt="moon", steps=2, n_iter=6)
    look, back = page.locator("#txt2img_other"), page.locator("#txt2img_back")
    expect(look).to_have_text("See what another page draws")
    program.wait_for_step(strangers)
    tab.reload()
    expect(page.locator("#html_info_txt2img b")).to_have_text("pizza")
    assert tab.job == mine
    look.focus()
    page.keyboard.press("Enter")
    tab.says("Drawing image 1 of 6")
    expect(page.locator("#txt2img_note")).to_contain_text("Another page's job")
    expect(back).to_be_focused()
    back.click()
    expect(page.locator("#html_info_txt2img b")).to_have_text("pizza")
    look.click()
    program.post("/sdapi/v1/interrupt", {"task_id": strangers})
    tab.says("Interrupted after")  # also the end of what one looks at waits for one's own choice
    back.click()
    assert tab.job == mine
    expect(look).to_be_hidden()


def a_second_job_is_one_click_away_tells_when_its_turn_comes_and_goes_on_after_a_pause(
    tab: Tab, held: HoldableProgram
) -> None:
    page, before = tab.page, len(own_jobs(tab, held))
    add = page.locator("#txt2img_enqueue")
    expect(add).to_be_hidden()
    place = page.locator("#txt2img_more").bounding_box()
    tab.write("red heart", **LONG)
    tab.generate()
    tab.draws()
    assert page.locator("#txt2img_more").bounding_box() == place
    expect(add).to_have_attribute("data-when", re.compile(r"^in about \d+ (s|min)$"))
    tab.press("txt2img_enqueue")
    wait_until(lambda: len(own_jobs(tab, held)) == before + 2, 20, "a second job")
    expect(page.locator("#steady_queue_pill")).to_have_text("Queue 1")
    # A queue that is paused goes on from where one sees it.
    held.empty_queue()
    held.let_go()
    expect(page.locator("#txt2img_generate")).to_be_visible()
    held.post("/sdapi/v1/queue/pause")
    tab.write("red heart", steps=2)
    tab.generate()
    tab.says("Queued, next")
    expect(page.locator("#txt2img_interrupt")).to_contain_text("Cancel")
    tab.press("txt2img_queue_go_on")
    tab.says("Done: 1 picture")
    expect(page.locator("#txt2img_queue_go_on")).to_be_hidden()


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LISTEN = """() => {
  window.told = [];
  window.Notification = class { constructor(title, more) { told.push([title, more.body]); } };
  window.Notification.permission = "default";
  window.Notification.requestPermission = async () => (told.push("asked"), window.Notification.permission = "granted");
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { told.push("note"); return start.apply(this, when); };
}"""


def test_an_unseen_end_is_told_by_title_and_where_asked_by_sound_and_notification(tab: Tab, program: Program) -> None:
    page = tab.page

    def draw_unseen() -> None:
        page.evaluate(HIDE, True)
        page.evaluate("document.getElementById('txt2img_generate').click()")
        expect(page).to_have_title("✓ Done: 1 picture – red heart", timeout=60_000)

    page.evaluate(LISTEN)
    tab.write("red heart", steps=2)
    draw_unseen()
    assert page.evaluate("told") == []  # off until asked
    page.evaluate(HIDE, False)
    expect(page).to_have_title("Steady Diffusion")
    tab.to("settings")
    expect(page.locator("#steady_done_try")).to_be_disabled()
    for name in ("sound", "notification"):
        page.check(f"#steady_when_done [data-done={name}]")
    assert page.evaluate("told") == ["note", "note", "asked"]  # how it sounds, at once
    tab.to("txt2img")
    tab.reload()
    page.evaluate(LISTEN)
    draw_unseen()
    assert page.evaluate("told") == ["note", "note", ["Done: 1 picture", "red heart"]]
    page.evaluate(HIDE, False)
    tab.generate()
    tab.says("Done: 1 picture")
    assert len(page.evaluate("told")) == 3  # who looks sees it


def test_what_is_pressed_or_read_while_the_server_is_gone_is_told(context: BrowserContext, program: Program) -> None:
    page = context.new_page()
    feed = Feed(page, program.url)
    tab = Tab(page, program.url)
    tab.open()
    tab.to("settings")
    tab.number("setting_queue_history_shown", 41)
    feed.first = None  # no stream begins any more
    feed.sockets[-1].close()
    expect(page.locator("html")).to_have_attribute("data-standing", "lost", timeout=20_000)
    page.click("#settings_submit")
    expect(page.locator("#settings_unsent")).to_contain_text("The server does not answer, so nothing was sent.")
    tab.to("queue")
    expect(page.locator("#steady_queue_no_past")).to_contain_text("the list comes when it is back")
    tab.to("txt2img")
    tab.says("The server does not answer")
    feed.first = SNAPSHOT
    feed.sockets[-1].close()
    tab.says("Ready")
    tab.to("settings")
    expect(page.locator("#settings_unsent")).to_be_hidden()
    expect(page.locator("#settings_submit")).to_have_text("Apply (1)")
