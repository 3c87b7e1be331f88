"""An X/Y/Z plot on the page: from its fields to its sheet, over a reload and with a cell that was skipped."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import FilePayload, expect

from tests.e2e.tab import PATIENCE_MS, Tab
from tests.program import HoldableProgram

FIELDS = "#script_txt2img_xyz_plot_"
TOO_LONG = "p.txt is too long: a list of prompts has at most 100,000 characters."
STATES = "() => [...document.querySelectorAll('#txt2img_grid .sd-cell')].map((one) => one.dataset.state).join(' ')"


def states_are(tab: Tab, states: str) -> None:
    """Wait until the cells of the grid stand like this, in the order of their places."""
    tab.page.wait_for_function(f"(states) => ({STATES})() === states", arg=states, timeout=PATIENCE_MS)


def choose_plot(tab: Tab) -> None:
    """Fill in the fields of two samplers by two numbers of steps, one of which is wrong at first."""
    page = tab.page
    page.click("#txt2img_page button[data-script]")
    page.select_option("#script_list", "X/Y/Z plot")
    page.select_option(f"{FIELDS}x_type select", "Sampler")
    names = page.locator(f"{FIELDS}x_values_dropdown")
    names.locator(".sd-choices-open").click()
    for name in ("Euler", "DDIM"):
        names.get_by_label(name, exact=True).check()
    page.keyboard.press("Escape")
    expect(names.locator(".sd-token > span")).to_have_text(["Euler", "DDIM"])
    page.select_option(f"{FIELDS}y_type select", "Steps")
    page.fill(f"{FIELDS}y_values textarea", "4, many")
    problem = page.locator(f"{FIELDS}y_values .sd-live-problem")
    expect(problem).to_contain_text("many")
    page.fill(f"{FIELDS}y_values textarea", "4, 5")
    expect(page.locator("#txt2img_script_count")).to_contain_text("2 × 2 = 4 pictures")
    expect(problem).to_have_count(0)


def test_a_plot_from_its_fields_to_its_sheet(tab: Tab, held: HoldableProgram) -> None:
    page = tab.page
    tab.write("red heart")
    choose_plot(tab)
    tab.generate()
    states_are(tab, "drawn awaited awaited awaited")
    tab.says("Drawing image 1 of 4")
    tab.press("txt2img_skip")
    tab.says("Drawing image 2 of 4")
    tab.reload()
    tab.says("Drawing image 2 of 4")
    states_are(tab, "missing drawn awaited awaited")
    job = tab.job
    expect(page.locator("#script_list")).to_have_value("X/Y/Z plot")
    expect(page.locator(f"{FIELDS}y_values textarea")).to_have_value("4, 5")
    held.let_go()
    tab.says("Done: 3 of 4")
    states_are(tab, "missing there there there")
    page.click("[data-redraw='0']")
    states_are(tab, "there there there there")
    tab.says("Done: 4 pictures")
    sheet = page.request.get(tab.url + str(page.get_attribute("[data-grid=sheet]", "href")))
    with Image.open(io.BytesIO(sheet.body())) as picture:
        assert picture.width > 2 * 256
    page.select_option("#script_list", "Prompts from file or textbox")
    expect(page.locator("#txt2img_script_count")).to_contain_text("There is no prompt")
    expect(page.locator("#txt2img_script_container .sd-live-problem")).to_have_count(0)  # nobody has come to it yet
    for written, said in ((b"x" * 100_001, TOO_LONG), (b"a cat\r\na dog", "p.txt is in the box.")):
        file = FilePayload(name="p.txt", mimeType="text/plain", buffer=written)
        page.set_input_files("#txt2img_script_container .sd-pick input", files=[file])
        expect(page.locator(".sd-prompts-file [role=status]")).to_have_text(said)
    expect(page.locator(".sd-prompts-file textarea")).to_have_value("a cat\na dog")
    page.select_option("#script_list", "None")
    expect(page.locator("#txt2img_page button[data-script] .sd-parts-set")).to_have_text("")
    page.click("[data-grid=edit]")
    expect(page.locator("#script_list")).to_have_value("X/Y/Z plot")
    expect(page.locator(f"{FIELDS}x_values_dropdown .sd-token > span")).to_have_text(["Euler", "DDIM"])
    tab.to("queue")
    row = page.locator(f"#steady_queue_past [data-job='{job}']")
    expect(row).to_contain_text("2 × 2 grid")
    expect(row.locator(".sd-sample img")).to_have_count(4)
