"""Styles on the page: written, chosen, drawn with, found in a picture's settings, put into the prompt."""

from playwright.sync_api import expect

from tests.e2e.tab import Tab
from tests.program import Program


def test_a_style_is_written_drawn_with_taken_over_put_into_the_prompt_and_deleted(tab: Tab, program: Program) -> None:
    page, chosen = tab.page, tab.page.locator("#txt2img_styles")
    tab.write("heart", steps=1)
    page.click("#txt2img_styles_edit_button")
    page.fill("#txt2img_edit_style_name", "in red")
    page.click("#txt2img_style_copy")
    expect(page.locator("#txt2img_edit_style_prompt")).to_have_value("heart")
    page.fill("#txt2img_edit_style_prompt", "red {prompt}, {flat|3d}")
    page.click("#txt2img_edit_style_save")
    expect(page.locator("dialog .sd-answer")).to_have_text("in red is saved.")
    page.click("#txt2img_edit_style_close")
    page.click("#txt2img_styles input")
    page.locator("#txt2img_styles [role=option]", has_text="in red").click()
    expect(chosen).to_contain_text("in red")
    expect(page.locator("#txt2img_combinatorial")).to_be_visible()
    page.check("#txt2img_combinatorial input")
    tab.generate()
    tab.says("Done")
    job = program.job(tab.job)
    assert (job["request"]["prompt"], job["request"]["styles"]) == ("heart", ["in red"])
    drawn = [output["infotext"].split("\n")[0] for output in job["outputs"]]
    assert drawn == ["red heart, flat", "red heart, 3d"]
    tab.reload()
    expect(chosen).to_contain_text("in red")
    page.click("#txt2img_send [data-do=reuse-all]")
    expect(page.locator("#txt2img_taken")).to_contain_text("in the fields")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("red heart, flat")
    expect(chosen).not_to_contain_text("in red")
    page.click("#txt2img_taken [data-take=template]")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("heart")
    expect(chosen).to_contain_text("in red")
    page.click("#txt2img_style_apply")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("red heart, {flat|3d}")
    expect(chosen).not_to_contain_text("in red")
    page.click("#txt2img_styles_edit_button")
    page.select_option("#txt2img_edit_style_select", "in red")
    page.click("#txt2img_edit_style_delete")
    page.click("dialog button.sd-danger")
    expect(page.locator("#txt2img_edit_style_select option")).to_have_text(["New style"])
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
