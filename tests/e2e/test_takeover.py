"""Settings from outside: an infotext is copied here and pasted back, a picture is dropped, the last one is taken."""

from __future__ import annotations

import base64
import io

from PIL import ExifTags, Image
from playwright.sync_api import Page, expect

from tests.e2e.tab import Tab, choose_for_picture

A1111 = (
    "a lighthouse <lora:pixel-art:0.8><lora:gone:1>\nNegative prompt: blurry\n"
    "Steps: 12, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 42, Size: 192x128, "
    "Model hash: 6ce0161689, Model: v1-5-pruned, Clip skip: 2, "
    'Lora hashes: "gone: 0123456789ab", Version: v1.10.1'
)
DRAG = """([name, type, data, kinds]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type}));
  for (const kind of kinds) {
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
  }
}"""
PASTE = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], name, {type: "image/jpeg"}));
  document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


def value(page: Page, place: str) -> str:
    return page.input_value(f"#txt2img_{place}")


def drag(page: Page, name: str, kind: str, data: bytes, *events: str) -> None:
    page.evaluate(DRAG, [name, kind, base64.b64encode(data).decode(), events])


def jpeg(infotext: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"UNICODE\0" + infotext.encode("utf-16-be")
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_copy_and_paste_are_the_two_ends_of_one_thing_and_a_dropped_picture_says_what_is_missing(tab: Tab) -> None:
    page, taken = tab.page, tab.page.locator("#txt2img_taken")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.write("red heart", steps=2)
    page.fill("#txt2img_neg_prompt textarea", "blurry")
    page.fill("#txt2img_seed input", "9007199254740993")
    page.click("#txt2img_sizes >> text=4:3")
    tab.generate()
    tab.says("Done: 1 picture")
    with page.expect_response("**/images/0/save") as saved:
        choose_for_picture(page, "save")
    assert saved.value.json()["name"].startswith("outputs/saved/")
    choose_for_picture(page, "copy")
    choose_for_picture(page, "reuse-seed")
    assert value(page, "seed input") == "9007199254740993", "no digit is lost in the browser"
    tab.write("something else", steps=9)
    page.fill("#txt2img_seed input", "-1")
    page.click("#txt2img_res_switch_btn")
    page.focus("#txt2img_prompt textarea")
    page.keyboard.press("Control+V")
    expect(taken).to_contain_text("All settings are in the fields.")
    places = ("prompt textarea", "neg_prompt textarea", "steps input[type=number]", "seed input", "width input")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("red heart")
    assert [value(page, place) for place in places] == ["red heart", "blurry", "2", "9007199254740993", "288"]
    taken.locator("text=Undo").click()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("something else")
    assert [value(page, place) for place in places] == ["something else", "blurry", "9", "-1", "224"]
    expect(taken).to_be_hidden()
    page.click("#paste")  # A1111's arrow: the prompt holds no infotext, so the last picture's is taken
    expect(taken).to_contain_text("All settings of your last picture are in the fields.")
    assert [value(page, place) for place in places] == ["red heart", "blurry", "2", "9007199254740993", "288"]
    # Megabytes are told of and do not come into the field: it would stand still, as would what looks for settings.
    hostile = "'Steps: 1,' + ':'.repeat(1e6) + '\\n'.repeat(1e6)"
    looked = "async () => (await import('/steady/assets/fields/takeover.js')).SETTINGS_LINE.test(%s)"
    assert page.evaluate(looked % hostile) is False
    page.evaluate(f"navigator.clipboard.writeText({hostile})")
    page.focus("#txt2img_prompt textarea")
    page.keyboard.press("Control+V")
    expect(taken).to_contain_text("What was pasted has 2,000,009 characters")
    assert value(page, "prompt textarea") == "red heart"
    a_dropped_picture_says_what_could_not_be_taken_over(tab)


def a_dropped_picture_says_what_could_not_be_taken_over(tab: Tab) -> None:
    page, taken = tab.page, tab.page.locator("#txt2img_taken")
    tab.to("queue")
    drag(page, "old.jpg", "image/jpeg", jpeg(A1111), "dragenter")
    expect(page.locator(".sd-drop")).to_be_visible()
    drag(page, "old.jpg", "image/jpeg", jpeg(A1111), "dragover", "drop")
    expect(page.locator(".sd-drop")).to_be_hidden()
    expect(taken).to_contain_text("Settings of old.jpg are in the fields, save for what is listed here.")
    expect(taken.locator("li")).to_have_text(
        [
            "Checkpoint v1-5-pruned [6ce0161689]: is not here; the chosen one stays.",
            "LoRA gone [0123456789ab]: is not here; it stays in the prompt, and is left out of the picture.",
        ]
    )
    places = (
        "neg_prompt textarea",
        "sampling input",
        "scheduler input",
        "cfg_scale input[type=number]",
        "height input",
    )
    assert [value(page, place) for place in places] == ["blurry", "DPM++ 2M", "Karras", "6.5", "128"]
    expect(page.locator("#txt2img_page .sd-parts-set:not([id]):not(:empty)")).to_have_text("clip skip 2")
    expect(page.locator("#txt2img_hints")).to_be_hidden()
    drag(page, "bare.jpg", "image/jpeg", jpeg("just words"), "drop")
    words = "This picture holds no settings: they were not saved with it, or taken out on the way."
    expect(taken).to_have_text(f"{words}Open in img2img×")
    drag(page, "notes.pdf", "application/pdf", b"x", "drop")
    expect(taken).to_contain_text("notes.pdf is no picture of a kind that is read: use PNG, JPEG, WebP, AVIF or GIF.")
    assert value(page, "neg_prompt textarea") == "blurry"
    page.evaluate(PASTE, ["copied.jpg", base64.b64encode(jpeg(A1111.replace("a lighthouse", "a tower"))).decode()])
    expect(taken).to_contain_text("Settings of copied.jpg are in the fields")
    assert value(page, "prompt textarea").startswith("a tower")
    page.fill("#txt2img_prompt textarea", "a (lighthouse")
    expect(page.locator("#txt2img_hints")).to_have_text("This ( is not closed: it counts to the end of the prompt.")
