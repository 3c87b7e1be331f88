"""PNG Info from the page: a picture of another program is chosen, dropped, pasted; its settings are used."""

from __future__ import annotations

import base64
import io

from PIL import Image, PngImagePlugin
from playwright.sync_api import FilePayload, expect

from tests.e2e.tab import Tab
from tests.e2e.test_takeover import A1111, PASTE, drag, jpeg
from tests.images.foreign.comfy_samples import BASE
from tests.images.foreign.sample import as_json

MARKUP = "<img src=x onerror=alert(1)>"


def comfy() -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", as_json(BASE).replace("blurry", MARKUP))
    buffer = io.BytesIO()
    Image.new("RGB", (96, 64), "teal").save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def test_a_picture_of_another_program_says_all_and_its_settings_are_used(tab: Tab) -> None:
    page = tab.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.to("png_info")
    expect(page.locator("#tab_png_info #pnginfo_image")).to_be_visible()
    page.set_input_files("#pnginfo_file", [FilePayload(name="fox.png", mimeType="image/png", buffer=comfy())])
    expect(page.locator("#pnginfo_title")).to_have_text("fox.png: settings of ComfyUI")
    rows = page.locator("#pnginfo_rows tbody tr")
    expect(rows.nth(3)).to_have_text("SamplerDPM++ 2Mprompt, PNG tEXt")
    expect(rows.nth(1)).to_contain_text(MARKUP)
    assert page.locator("#pnginfo_found img").count() == 0, "what a file says is text"
    expect(page.locator("#pnginfo_models li")).to_have_text(["Checkpoint v1-5 you do not have it"])
    page.click("#pnginfo_rows [data-whole]")
    expect(rows.last.locator("td").first).to_have_text(as_json(BASE).replace("blurry", MARKUP))
    page.click("#pnginfo_text [data-pnginfo=copy]")
    assert page.evaluate("navigator.clipboard.readText()").endswith("Size: 512x768, Model: v1-5")

    page.click("#pnginfo_inpaint")
    expect(page.locator("#img2img_prompt textarea")).to_have_value("a cat, (sitting:1.2), easy")
    expect(page.locator("#img2img_taken")).to_contain_text("Checkpoint v1-5: is not here; the chosen one stays.")
    expect(page.locator("#img2img_editor canvas").first).to_be_visible()
    expect(page.locator("#img2img_neg_prompt textarea")).to_have_value(MARKUP)

    tab.to("png_info")
    page.evaluate(PASTE, ["copied.jpg", base64.b64encode(jpeg(A1111)).decode()])
    expect(page.locator("#pnginfo_title")).to_have_text("copied.jpg: settings of A1111")
    missing = "Checkpoint v1-5-pruned [6ce0161689] you do not have it"
    expect(page.locator("#pnginfo_models li").first).to_have_text(missing)
    drag(page, "00001-42.txt", "text/plain", A1111.encode(), "drop")
    expect(page.locator("#pnginfo_title")).to_have_text("00001-42.txt: settings of A1111")
    expect(page.locator("#pnginfo_extras")).to_be_hidden()
    page.click("#pnginfo_txt2img")
    expect(page.locator("#txt2img_seed input")).to_have_value("42")
    tab.to("png_info")
    drag(page, "note.pdf", "application/pdf", b"%PDF-1.4", "drop")
    expect(page.locator("#pnginfo_problem")).to_contain_text("The image cannot be read: send a PNG, JPEG, WebP")
    expect(page.locator("#pnginfo_send")).to_be_hidden()
    tab.complaints.clear()  # the browser tells of each answer that refuses
