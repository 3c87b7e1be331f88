"""Extras from the page: a picture that is chosen, one that was drawn, and a folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.feed import picture
from tests.e2e.tab import Tab
from tests.program import Program


@pytest.fixture
def extras(tab: Tab) -> Tab:
    tab.to("extras")
    expect(tab.page.locator("#extras_image")).to_be_visible()
    return tab


def choose(page: Page, data: bytes) -> None:
    file = FilePayload(name="a.png", mimeType="image/png", buffer=data)
    page.set_input_files("#extras_image input[type=file]", files=[file])


def made(program: Program, tab: Tab) -> list[tuple[int, int]]:
    return [(one["width"], one["height"]) for one in program.job(tab.job)["outputs"]]


def done(tab: Tab, words: str) -> None:
    expect(tab.page.locator("#extras_phase")).to_have_text(re.compile(f"^{words}"), timeout=60_000)


def test_a_picture_or_a_folder_is_taken_in_enlarged_and_compared_and_stays_over_a_reload(
    extras: Tab, program: Program, tmp_path: Path
) -> None:
    page = extras.page
    page.click("#extras_generate")
    expect(page.locator("#extras_image .sd-problem")).to_have_text("Choose a picture first.")
    choose(page, b"no picture")
    expect(page.locator("#extras_image .sd-source-words")).to_contain_text("a.png: ")
    assert page.locator("#extras_image img").count() == 0
    extras.complaints.clear()  # the browser tells of each answer that refuses
    choose(page, picture(60, 40))
    expect(page.locator("#extras_becomes")).to_have_text("60 × 40 becomes 120 × 80")
    expect(page.locator("#extras_image .sd-problem")).to_have_count(0)
    page.click("#extras_generate")
    done(extras, "Done: 1 picture")
    assert made(program, extras) == [(120, 80)]
    page.click("#extras_compare")
    source = page.locator("#extras_comparing img").get_attribute("src") or ""
    assert source == page.locator("#extras_image img").get_attribute("src")
    assert program.call("GET", source)[0] == 200
    extras.reload()
    extras.to("extras")
    expect(page.locator("#extras_image img")).to_have_attribute("src", source)
    extras.to("queue")
    expect(page.locator("#steady_queue_past .sd-row-prompt").first).to_have_text("Upscale 2× by Lanczos")
    extras.to("extras")
    a_folder_is_enlarged_and_its_pictures_come_into_the_strip(extras, program, tmp_path)


def test_from_what_was_drawn_one_goes_on_with_its_seed_and_sends_it_here(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", steps=1)
    tab.generate()
    tab.says("Done: 1 picture")
    drawn = tab.job
    page.fill("#txt2img_prompt textarea", "")
    page.click("#txt2img_open")
    page.click(".sd-viewer-actions [data-do=onward]")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("red heart")
    expect(page.locator("#txt2img_prompt textarea")).to_be_focused()
    expect(page.locator("#txt2img_seed input")).to_have_value(str(program.job(drawn)["outputs"][0]["seed"]))
    page.click("#txt2img_send [data-do=extras]")
    expect(page.locator("#extras_image img")).to_have_attribute("src", f"/sdapi/v1/jobs/{drawn}/images/0.png")
    page.wait_for_function("() => JSON.parse(localStorage.getItem('steady.extras') || '{}').image")
    page.click("#extras_generate")
    page.wait_for_function("(drawn) => window.steady.state().shown !== drawn", arg=drawn)
    done(tab, "Done: 1 picture")
    assert made(program, tab) == [(512, 512)]


def a_folder_is_enlarged_and_its_pictures_come_into_the_strip(extras: Tab, program: Program, tmp_path: Path) -> None:
    page = extras.page
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(picture(32, 24 + 8 * number))
    radio = page.locator("#extras_source input[type=radio]")
    page.focus("#extras_generate")
    for _ in range(40):  # they are one stop on the way, the one that is chosen
        if radio.first.evaluate("(one) => one === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    expect(radio.last).to_be_focused()
    expect(page.locator("#extras_source")).to_have_role("radiogroup")
    expect(page.locator("#extras_source")).to_have_accessible_name("Pictures")
    page.fill("#extras_batch_input_dir textarea, #extras_batch_input_dir input", str(tmp_path))
    page.locator("#extras_batch_input_dir textarea, #extras_batch_input_dir input").blur()
    page.click("#extras_upscaler_1 input")
    page.locator("[role=option]", has_text="emoji-2x").first.click()
    page.click("#extras_generate")
    done(extras, "Done: 3 pictures")
    assert made(program, extras) == [(64, 48), (64, 64), (64, 80)]
    expect(page.locator("#extras_gallery button[data-state=there]")).to_have_count(1 + 3)
    page.click('#extras_source label:has-text("Single")')
    job = extras.job
    extras.to("queue")
    page.locator(f"#steady_queue_past [data-job='{job}'] [data-act=edit]").click()
    expect(page.locator("#extras_batch_input_dir textarea, #extras_batch_input_dir input")).to_have_value(str(tmp_path))
    expect(page.locator("#extras_batch_input_dir")).to_be_visible()
