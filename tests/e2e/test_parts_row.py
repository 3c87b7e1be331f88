"""VAE, clip skip and refiner on the page: closed until needed, said on their button, opened where one is wrong."""

import json

from playwright.sync_api import expect

from tests.e2e.tab import Tab
from tests.program import Program


def choose(tab: Tab, field: str, words: str) -> None:
    tab.page.click(f"#txt2img_{field} input")
    tab.page.locator(f"#txt2img_{field} [role=option]", has_text=words).first.click()


def test_what_few_need_is_closed_says_what_is_set_is_sent_and_opens_where_a_file_is_gone(
    tab: Tab, program: Program
) -> None:
    page, button = tab.page, tab.page.locator("button[data-parts]")
    expect(page.locator("#txt2img_clip_skip")).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    choose(tab, "clip_skip", "2")
    choose(tab, "vae", "None")
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(button.locator(".sd-parts-set")).to_have_text("clip skip 2")
    tab.write("red heart", steps=1)
    tab.generate()
    request = program.job(tab.job)["request"]
    assert request["override_settings"] | {"sd_model_checkpoint": ""} == {
        "sd_model_checkpoint": "", "sd_vae": "None", "CLIP_stop_at_last_layers": 2,
    }  # fmt: skip
    files_that_are_gone_are_told_beside_their_fields_which_open(tab)


def files_that_are_gone_are_told_beside_their_fields_which_open(tab: Tab) -> None:
    page = tab.page
    for kept, said, field, words in (
        ({"sd_vae": "gone.safetensors"}, "VAE gone", "vae", "VAE 'gone.safetensors' is not known: use Automatic"),
        ({"forge_additional_modules": ["gone.safetensors"]}, "1 beside the model", "modules",
         "Text encoder or VAE 'gone.safetensors' is not known"),
    ):  # fmt: skip
        page.evaluate("kept => localStorage.setItem('steady.txt2img', kept)", json.dumps(kept))
        tab.reload()
        expect(page.locator("button[data-parts] .sd-parts-set")).to_have_text(said)
        tab.write("red heart", steps=1)
        page.click("#txt2img_generate")
        expect(page.locator(f"#txt2img_{field} .sd-problem")).to_contain_text(words)
        expect(page.locator(f"#txt2img_{field}")).to_be_visible()
