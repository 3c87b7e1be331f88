"""The img2img tab in the browser: a picture goes there, is masked with the mouse, drawn anew, and made larger."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page, Route, expect

from tests.e2e.tab import PATIENCE_MS, Tab
from tests.program import Program

SIDE = 128
DROP = """async ([data, type]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "photo.png", {type}));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
  }
}"""
PICTURE_OF = "async (url) => Array.from(new Uint8Array(await (await fetch(url)).arrayBuffer()))"
PLACE = "#img2img_editor .sd-editor-place"
BLUR_REACHES = 4 * 4  # pixels beside the mask: of a Gauss no more than four deviations count


def picture(width: int = SIDE, height: int = SIDE) -> Image.Image:
    """Return a picture of which no pixel is like the one beside it."""
    down, across = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([across * 2 % 256, down * 2 % 256, (across + down) * 7 % 256], -1).astype("uint8"))


def drop(page: Page, image: Image.Image) -> None:
    file = io.BytesIO()
    image.save(file, "PNG")
    page.evaluate(DROP, [base64.b64encode(file.getvalue()).decode(), "image/png"])
    expect(page.locator("#img2img_editor")).not_to_have_attribute("data-empty", re.compile(".*"))


def opens(tab: Tab, mode: str) -> None:
    tab.to("img2img")
    tab.page.click(f"#img2img_mode_{mode}")


def field(page: Page, part: str, value: float) -> None:
    number = page.locator(f"#img2img_{part} input[type=number]")
    number.fill(str(value))
    number.blur()


def stroke(page: Page) -> None:
    """Draw across the middle of what the editor shows."""
    box = page.locator(PLACE).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 20, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x - 20 + 5 * step, y)
    page.mouse.up()


def drawn(tab: Tab, program: Program) -> tuple[dict[str, Any], Image.Image]:
    """Press Generate, and return the job and its picture when it is done."""
    before = tab.job
    tab.press("img2img_generate")
    tab.page.wait_for_function("(before) => window.steady.state().shown !== before", arg=before, timeout=PATIENCE_MS)
    job = program.wait_for(tab.job, "done")
    return job, loaded(tab.page, job["outputs"][0]["url"])


def loaded(page: Page, url: str) -> Image.Image:
    return Image.open(io.BytesIO(bytes(page.evaluate(PICTURE_OF, url)))).convert("RGB")


def test_what_is_masked_with_the_mouse_is_drawn_anew_and_nothing_else_changes(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", steps=2)
    for side in ("width", "height"):
        page.fill(f"#txt2img_{side} input", str(SIDE))
    tab.generate()
    tab.says("Done")
    page.click("#txt2img_send [data-do=inpaint]")
    expect(page.locator("#img2img_prompt textarea")).to_have_value("red heart")
    expect(page.locator("#img2img_width input")).to_have_value(str(SIDE))
    with page.expect_request("**/sdapi/v1/inputs"):  # ahead of time, and later than it is kept
        stroke(page)
    tab.reload()  # what was painted is there again
    tab.to("img2img")
    expect(page.locator("#img2img_mode_inpaint")).to_have_attribute("aria-selected", "true")
    field(page, "steps", 4)
    job, after = drawn(tab, program)
    before = loaded(page, f"/sdapi/v1/inputs/{job['request']['init_images'][0]}")
    mask = loaded(page, f"/sdapi/v1/inputs/{job['request']['mask']}").convert("L")
    reach = mask.point(lambda grey: 255 if grey else 0).filter(ImageFilter.MaxFilter(2 * BLUR_REACHES + 1))
    changed = ImageChops.difference(before, after).convert("L").point(lambda grey: 255 if grey else 0)
    assert mask.getbbox() and before.size == after.size == (SIDE, SIDE)
    assert changed.getbbox(), "something was drawn"
    assert ImageChops.subtract(changed, reach).getbbox() is None, "and outside of the blurred mask nothing"
    # What was drawn takes the place of what it was drawn from, until that is taken back: with its mask and its sub-tab.
    page.click("#img2img_send [data-do=img2img]")
    expect(page.locator("#img2img_mode_img2img")).to_have_attribute("aria-selected", "true")
    page.click("#img2img_taken >> text=Undo")
    expect(page.locator("#img2img_mode_inpaint")).to_have_attribute("aria-selected", "true")
    request = drawn(tab, program)[0]["request"]
    assert [request[name] for name in ("init_images", "mask")] == [
        job["request"][name] for name in ("init_images", "mask")
    ]


def test_a_double_click_while_the_picture_is_on_its_way_is_one_job_edit_brings_all_of_it_back_and_it_grows(
    tab: Tab, program: Program
) -> None:
    page = tab.page
    program.post("/sdapi/v1/queue/pause")
    try:
        opens(tab, "inpaint")
        tab.press("img2img_generate")
        expect(page.locator("#img2img_start_said")).to_contain_text("no picture to start from")
        drop(page, picture())
        tab.press("img2img_generate")
        expect(page.locator("#img2img_start_said")).to_contain_text("Nothing is masked")
        held: list[Route] = []
        page.route("**/sdapi/v1/inputs", lambda route: held.append(route))
        stroke(page)
        tab.press("img2img_generate")
        expect(page.locator("#img2img_generate")).to_contain_text("Sending the picture")
        page.click("#img2img_generate")
        page.keyboard.press("Control+Enter")
        for route in held:
            route.continue_()
        page.unroute("**/sdapi/v1/inputs")
        expect(page.locator("#img2img_phase")).to_contain_text("Queued")
        jobs = program.get("/sdapi/v1/jobs?status=queued")["jobs"]
        assert len(jobs) == 1
        request = jobs[0]["request"]
        assert request["mask"] and len(request["init_images"]) == 1
        page.click("#img2img_mode_batch")
        field(page, "denoising_strength", 0.2)
        tab.to("queue")
        page.click("#steady_queue_waiting .sd-dots")
        page.click("#steady_queue_waiting [role=menuitem] >> text=Edit")
        expect(page.locator("#img2img_mode_inpaint")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#img2img_denoising_strength input[type=number]")).to_have_value("0.75")
        tab.press("img2img_enqueue")
        page.wait_for_function("(id) => window.steady.state().shown !== id", arg=jobs[0]["id"])
        (again,) = program.get("/sdapi/v1/jobs?status=queued")["jobs"]
        pictures = ("init_images", "mask")
        assert [again["request"][name] for name in pictures] == [request[name] for name in pictures]
    finally:
        program.post("/sdapi/v1/queue/resume")
    program.empty_queue()
    a_picture_grows_by_its_frame(tab, program)


def a_picture_grows_by_its_frame(tab: Tab, program: Program) -> None:
    page = tab.page
    page.click("#img2img_mode_outpaint")
    before = picture()
    drop(page, before)
    field(page, "steps", 2)
    tab.press("img2img_generate")
    expect(page.locator("#img2img_start_said")).to_contain_text("does not grow")
    handle = page.locator("#img2img_editor .sd-editor-handle[data-sides=right]")
    handle.hover()  # as soon as it rests: the page is being scrolled to what was said
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    expect(page.locator("#img2img_outpaint_told")).to_contain_text(f"{SIDE} × {SIDE} grows to")
    job, after = drawn(tab, program)
    margin = job["request"]["outpaint_right"]
    assert margin > 0 and after.size == (SIDE + margin, SIDE)
    kept = (0, 0, SIDE - job["request"]["outpaint_blend"] - BLUR_REACHES, SIDE)
    assert ImageChops.difference(before.crop(kept), after.crop(kept)).getbbox() is None
