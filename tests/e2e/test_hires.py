"""Hires fix from the page: two passes, stopped and paused in the second one, and gone on with over a restart."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.e2e.tab import Tab
from tests.program import HoldableProgram, wait_until

FIRST = {"width": 128, "height": 128, "hr_scale": 1.5, "denoising_strength": 0.6, "enable_hr": True, "seed": "7"}

IN_SECOND_PASS = """() => {
  const { progress } = window.steady.state();
  return progress?.phase === "sample" && progress.pass === 1 && progress.step > 0;
}"""


def opened(tab: Tab, steps: int, second_steps: int) -> None:
    """Load the page with a small picture and a long second pass in its fields."""
    kept = json.loads(tab.page.evaluate("localStorage.getItem('steady.txt2img')") or "{}")
    kept |= FIRST | {"prompt": "red heart", "steps": steps, "hr_second_pass_steps": second_steps}
    tab.page.evaluate("kept => localStorage.setItem('steady.txt2img', kept)", json.dumps(kept))
    tab.reload()
    expect(tab.page.locator("#txt2img_hr_finalres")).to_have_text("from 128 × 128 to 192 × 192")


def in_second_pass(tab: Tab) -> None:
    """Wait until a step of the second pass is done."""
    tab.page.wait_for_function(IN_SECOND_PASS)
    tab.says("Drawing, second pass")


def test_the_second_pass_goes_on_after_a_pause_and_a_restart_to_the_same_bits_and_is_interrupted(
    tab: Tab, program: HoldableProgram
) -> None:
    opened(tab, 2, 8)
    program.hold(step=3, steps=8)
    tab.generate()
    in_second_pass(tab)
    job = tab.job
    tab.press("txt2img_pause")
    tab.says("Paused")
    program.let_go()
    engine = program.pid_of("modules.engine")
    program.post("/sdapi/v1/engine-restart")
    wait_until(lambda: any("modules.engine" in one and pid != engine for pid, one in program.children().items()), 60,
               "another engine")  # fmt: skip
    tab.press("txt2img_resume")
    tab.says("Done: 1 picture")
    told = program.job(job)
    assert [(one["width"], one["height"]) for one in told["outputs"]] == [(192, 192)]
    assert any(note["kind"] == "continued" for note in told["notes"])
    again = program.submit(**told["request"])
    program.wait_for(again)
    pictures = [program.call("GET", f"/sdapi/v1/jobs/{one}/images/0.png")[1] for one in (job, again)]
    assert pictures[0] == pictures[1]
    program.hold(step=1, steps=8)
    tab.generate()
    in_second_pass(tab)
    tab.press("txt2img_interrupt")
    tab.says("Interrupted")
    assert program.job(tab.job)["status"] == "interrupted"
    program.let_go()
    a_finished_picture_gets_its_second_pass_by_one_click(tab, program)


def a_finished_picture_gets_its_second_pass_by_one_click(tab: Tab, program: HoldableProgram) -> None:
    tab.number("txt2img_hires_steps", 2)
    tab.page.uncheck("#txt2img_hr-checkbox input")
    expect(tab.page.locator("#txt2img_hr_finalres")).to_have_text("")
    tab.generate()
    tab.says("Done: 1 picture")
    first = tab.job
    tab.page.click("#txt2img_send [data-do=hires]")
    tab.page.wait_for_function("(first) => window.steady.state().shown !== first", arg=first)
    tab.says("Done: 1 picture")
    told = program.job(tab.job)
    assert [(one["width"], one["height"], one["seed"]) for one in told["outputs"]] == [(192, 192, 7)]
    expect(tab.page.locator("#txt2img_compare")).to_be_visible()
