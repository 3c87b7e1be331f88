"""The picture editor in a real browser: strokes, steps, masks, zoom, keys, fingers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.editor_page import EditorServer
from tests.e2e.editor_tab import GREEN, HEIGHT, WIDTH, Editor, packed
from tests.program import wait_until


def test_a_stroke_is_on_the_screen_and_in_the_mask_and_steps_lead_to_the_same_pixels(editor: Editor) -> None:
    editor.start()
    editor.set("size", 40)
    editor.stroke((200, 150), (420, 150))
    assert editor.shown(300, 150) == [255, 77, 109, 255]
    assert editor.shown(300, 250) == [0, 0, 0, 0]
    one = editor.mask()
    assert one[150, 200:421].min() == 255 and one[120].max() == 0 and one[:, 178].max() == 0
    editor.stroke((50, 300), (550, 350))
    two = editor.mask()
    assert two[300, 50] == 255
    editor.page.keyboard.press("Control+z")
    assert np.array_equal(editor.mask(), one)
    assert editor.shown(50, 300) == [0, 0, 0, 0]
    editor.page.keyboard.press("Control+z")
    assert editor.result()["mask"] is None
    editor.page.keyboard.press("Control+Shift+Z")
    editor.page.keyboard.press("Control+y")
    assert np.array_equal(editor.mask(), two)
    assert editor.page.evaluate("() => changes.filter((what) => what === 'layer').length") == 6


def test_what_is_drawn_while_painting_is_what_is_drawn_anew(editor: Editor) -> None:
    large = np.full((1500, 2100, 3), GREEN, np.uint8)
    editor.server.inputs["large.png"] = packed(large)
    editor.start(opens=False)
    assert editor.page.evaluate("() => editor.open('/sdapi/v1/inputs/large.png')")
    for size, tool in ((90, "brush"), (31, "brush"), (60, "erase"), (7, "brush")):
        editor.set("size", size)
        editor.set("tool", tool)
        editor.stroke((300, 300), (1700, 900 + size), (size, 700), (1024, 512))
    image = "editor.screen.above.getImageData(0, 0, editor.place.clientWidth, editor.place.clientHeight).data"
    same = (
        f"() => {{ editor.screen.draw(); const before = {image}; editor.screen.stale = true; editor.screen.draw();"
        f" const anew = {image};"
        " return before.some((one) => one > 0) && before.every((one, i) => Math.abs(one - anew[i]) < 8); }"
    )
    assert editor.page.evaluate(same)  # but for what the browser rounds otherwise at the edge of a clip


def test_a_pen_draws_as_wide_as_it_is_pressed(editor: Editor) -> None:
    editor.start()
    editor.set("size", 100)
    pen = editor.page.context.new_cdp_session(editor.page)
    x, y = editor.on_screen(300, 200)
    for kind, force, shift in (("mousePressed", 0.5, 0), ("mouseMoved", 0.5, 40), ("mouseReleased", 0, 40)):
        at = {"x": x + shift, "y": y, "button": "left", "buttons": 1, "pointerType": "pen", "force": force}
        pen.send("Input.dispatchMouseEvent", {"type": kind, "clickCount": 1, **at})
    column = editor.mask()[:, 310]
    assert 48 <= (column == 255).sum() <= 52


def test_thirty_steps_and_more_can_be_undone_and_cost_little(editor: Editor) -> None:
    editor.start()
    editor.page.evaluate(
        "() => { for (let i = 0; i < 20; i += 1) { editor.painting.fill(); editor.painting.clear(); } }"
    )
    assert editor.get("work.history.done.length") == 40
    runs = "work.history.done.flatMap(({ runs }) => [...runs.values()])"
    assert editor.get(f"{runs}.reduce((sum, one) => sum + (one?.byteLength || 0), 0)") < 100_000
    for _ in range(39):
        editor.page.evaluate("() => editor.run('undo')")
    assert editor.mask().min() == 255


def test_the_wheel_zooms_at_the_cursor_and_leaves_the_page_alone_until_the_editor_is_used(editor: Editor) -> None:
    editor.start()
    at = editor.on_screen(150, 150)
    editor.page.mouse.move(*at)
    before = editor.get("view.scale")
    editor.page.mouse.wheel(0, -300)
    editor.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    assert editor.get("view.scale") == before
    editor.page.locator(".sd-editor-place").focus()
    for turn in (-300, -200, 150):
        editor.page.mouse.wheel(0, turn)
        editor.page.wait_for_function("before => editor.view.scale !== before", arg=before)
        before = editor.get("view.scale")
        assert editor.on_screen(150, 150) == pytest.approx(at, abs=1)
    assert editor.get("view.scale") > 1
    editor.page.keyboard.press("0")
    assert editor.get("view.fitted")


def test_the_brush_grows_and_shrinks_by_keys_wheel_and_number(editor: Editor) -> None:
    editor.start()
    editor.set("size", 50)
    editor.page.mouse.move(*editor.on_screen(300, 200))
    editor.page.keyboard.press("]")
    assert editor.get("settings.diameter") == 60
    editor.page.keyboard.press("[")
    assert editor.get("settings.diameter") == 50
    scale = editor.get("view.scale")
    editor.page.keyboard.down("Control")
    editor.page.mouse.wheel(0, -120)
    editor.page.wait_for_function("() => editor.settings.diameter === 72")
    editor.page.keyboard.up("Control")
    assert editor.get("view.scale") == scale
    ring = editor.page.locator(".sd-editor-ring").bounding_box()
    assert ring is not None and ring["width"] == pytest.approx(72 * scale, abs=0.5)
    number = editor.page.get_by_label("Size of the brush, as a number")
    number.fill("7")
    number.press("Enter")
    assert editor.get("settings.diameter") == 7
    number.fill("100000")
    number.press("Enter")
    expect(number).to_have_value("300")


def test_the_eraser_takes_away_what_it_touches_alone(editor: Editor) -> None:
    editor.start()
    editor.page.evaluate("() => editor.run('fill')")
    editor.page.keyboard.press("e")
    editor.page.keyboard.press("Tab")
    editor.set("size", 60)
    editor.page.get_by_label("Eraser").click()
    editor.stroke((100, 200), (300, 200))
    mask = editor.mask()
    assert mask[200, 100:301].max() == 0
    assert mask[200, 335] == 255 and mask[235, 200] == 255


def test_a_mask_from_a_colour_takes_what_hangs_together_or_all_of_it(editor: Editor) -> None:
    editor.start()
    editor.page.mouse.move(*editor.on_screen(150, 150))
    editor.page.keyboard.press("w")
    editor.page.mouse.click(*editor.on_screen(150, 150))
    editor.page.wait_for_function("() => editor.painting.chosen?.step")
    alone = np.zeros((HEIGHT, WIDTH), np.uint8)
    alone[100:200, 100:200] = 255
    assert np.array_equal(editor.mask(), alone)
    editor.set("connected", False)  # done anew, in place of the last one
    editor.page.wait_for_function("() => editor.painting.chosen?.step")
    both = alone.copy()
    both[200:300, 450:550] = 255
    assert np.array_equal(editor.mask(), both)
    assert editor.get("work.history.done.length") == 1
    editor.page.keyboard.down("Shift")
    editor.page.mouse.click(*editor.on_screen(500, 250))
    editor.page.keyboard.up("Shift")
    editor.page.wait_for_function("() => editor.work.history.done.length === 2")
    assert editor.mask().max() == 0


def test_invert_clear_and_a_mask_from_a_file(editor: Editor) -> None:
    editor.start()
    editor.set("size", 80)
    editor.stroke((100, 100), (200, 120))
    painted = editor.mask()
    editor.page.evaluate("() => editor.run('invert')")
    assert np.array_equal(editor.mask(), 255 - painted)
    editor.page.evaluate("() => editor.run('clear')")
    assert editor.result()["mask"] is None
    wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted[50:350, 100:500] = 255
    wanted[0, 0] = 128
    editor.server.inputs["mask.png"] = packed(wanted)
    assert editor.page.evaluate("() => editor.openMask('/sdapi/v1/inputs/mask.png')")
    assert np.array_equal(editor.mask(), wanted)


def test_a_colour_is_picked_from_the_picture(editor: Editor) -> None:
    editor.start("sketch")
    editor.page.keyboard.down("Alt")
    editor.page.mouse.click(*editor.on_screen(150, 150))
    editor.page.keyboard.up("Alt")
    assert editor.get("settings.colour") == "#1428c8"
    assert editor.get("painting.empty")
    editor.page.keyboard.press("i")
    editor.page.mouse.click(*editor.on_screen(500, 50))
    assert editor.get("settings.colour") == "#28a050"
    assert editor.get("tool") == "brush"


def test_all_can_be_done_by_keyboard(editor: Editor) -> None:
    editor.start()
    editor.set("size", 40)
    page = editor.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Brush", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("b")
    page.locator(".sd-editor-place").focus()
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("status")).to_have_text("Brush down: arrows draw, Enter lifts it")
    page.keyboard.press("Enter")
    mask = editor.mask()
    assert mask[200, 300:501].min() == 255 and mask[240].max() == 0
    page.keyboard.press("s")
    box = page.locator(".sd-editor").bounding_box()
    assert box is not None and (box["width"], box["height"]) == (DESKTOP["width"], DESKTOP["height"])
    ends = page.get_by_role("button", name="Whole window"), page.locator(".sd-editor [data-tool][tabindex='0']")
    for keys, (begin, end) in {"Tab": ends, "Shift+Tab": ends[::-1]}.items():
        begin.focus()
        page.keyboard.press(keys)
        expect(end).to_be_focused()  # and nothing behind, where no eye can follow
    page.evaluate("() => document.addEventListener('keydown', (event) => { window.reached = event.key; })")
    page.get_by_label("Size of the brush, as a number").focus()
    page.keyboard.press("Escape")
    assert editor.get("full.on") is False
    assert page.evaluate("() => window.reached ?? null") is None  # it stops no job
    page.keyboard.press("Escape")
    assert page.evaluate("() => window.reached") == "Escape"


def test_the_frame_is_drawn_larger_by_mouse_keys_and_numbers(editor: Editor) -> None:
    editor.start("view", frame=True)
    page = editor.page
    box: Any = page.get_by_role("slider", name="pixels at the right").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 101 * editor.get("view.scale"), box["y"], steps=3)
    page.mouse.up()
    assert editor.result()["margins"] == {"left": 0, "top": 0, "right": 104, "bottom": 0}
    above = page.get_by_role("slider", name="pixels above")
    above.press("ArrowUp")
    above.press("Shift+ArrowUp")
    above.press("ArrowDown")
    expect(above).to_have_attribute("aria-valuenow", "64")
    page.get_by_label("Pixels left").fill("30")
    page.get_by_label("Pixels left").blur()
    expect(page.get_by_label("Pixels left")).to_have_value("32")
    expect(page.locator(".sd-editor-facts")).to_have_text("736 × 464")
    page.evaluate("() => { editor.frame = false; }")
    assert set(editor.result()["margins"].values()) == {0}


def test_fingers_draw_pinch_and_move(browser: Browser, editor_server: EditorServer) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]  # a TypedDict in the stubs
    editor = Editor(context.new_page(), editor_server)
    editor.start()
    touches = context.new_cdp_session(editor.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        editor.page.evaluate("() => new Promise(requestAnimationFrame)")  # Chromium guesses between events of one frame

    left, right = editor.on_screen(200, 200), editor.on_screen(400, 200)
    middle = editor.on_screen(300, 200)
    scale = editor.get("view.scale")
    touch("touchStart", left)
    touch("touchStart", left, right)
    for step in range(1, 9):
        touch("touchMove", (left[0] - 10 * step, left[1]), (right[0] + 10 * step, right[1]))
    apart = right[0] - left[0]
    wanted = pytest.approx((scale * (apart + 160) / apart, middle[0] - 30, middle[1] + 20), rel=0.01)

    def arrives() -> bool:
        touch("touchMove", (left[0] - 110, left[1] + 20), (right[0] + 50, right[1] + 20))
        return bool((editor.get("view.scale"), *editor.on_screen(300, 200)) == wanted)

    wait_until(arrives, 20, "two fingers move the picture and make it larger")
    touch("touchEnd")
    assert editor.get("painting.empty")  # the first finger drew nothing
    touch("touchStart", editor.on_screen(250, 150))
    for x in range(260, 360, 20):
        touch("touchMove", editor.on_screen(x, 150))
    touch("touchEnd")
    assert editor.mask()[150, 250:340].min() == 255
    context.close()
    assert editor.complaints == []
