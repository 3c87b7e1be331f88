"""What the picture editor keeps over a reload, what it sends to the server, and when."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.editor_tab import GREEN, HEIGHT, PICTURE, WIDTH, Editor, picture
from tests.program import wait_until


def test_a_reload_brings_back_picture_mask_and_frame_and_sends_nothing_again(editor: Editor) -> None:
    editor.start(frame=True)
    editor.stroke((200, 150), (420, 150))
    editor.page.evaluate("() => { editor.margins = { left: 64, bottom: 32 }; }")
    before = editor.result()
    mask = editor.mask()
    editor.page.evaluate("() => editor.keeper.save()")
    posts = editor.server.posts
    editor.page.reload()
    editor.is_there()
    assert editor.get("picture") == {"width": WIDTH, "height": HEIGHT}
    assert editor.shown(300, 150) == [255, 77, 109, 255]
    assert editor.result() == before
    assert before["margins"] == {"left": 64, "top": 0, "right": 0, "bottom": 32}
    assert editor.server.posts == posts
    editor.stroke((200, 350), (420, 350))
    assert not np.array_equal(editor.mask(), mask)
    editor.page.evaluate("() => editor.refresh()")  # the server lost what it had
    fresh = editor.result()
    assert np.array_equal(np.asarray(editor.server.picture(fresh["picture"])), picture())


def test_of_two_windows_the_one_that_painted_last_is_kept_whole(editor: Editor) -> None:
    editor.start()
    editor.stroke((100, 50), (500, 60))
    editor.page.evaluate("() => editor.keeper.save()")
    other = Editor(editor.page.context.new_page(), editor.server)
    other.start()  # another picture, in the same browser
    other.stroke((100, 300), (500, 310))
    other.page.evaluate("() => editor.keeper.save()")
    editor.stroke((300, 50), (300, 350))
    mask = editor.mask()
    editor.page.evaluate("() => editor.keeper.save()")
    other.page.reload()
    other.is_there()
    assert np.array_equal(other.mask(), mask)


def test_where_nothing_can_be_kept_it_says_so_and_works(editor: Editor) -> None:
    editor.page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: null });")
    editor.start()
    editor.stroke((200, 150), (420, 150))
    assert editor.mask()[150, 300] == 255
    expect(editor.page.get_by_text("This browser keeps nothing")).to_be_visible()


def test_what_another_picture_replaced_can_be_brought_back(editor: Editor) -> None:
    editor.start()
    editor.stroke((200, 150), (420, 150))
    mask = editor.mask()
    assert editor.page.evaluate(f"() => editor.open('{PICTURE}')")
    assert editor.mask().max() == 0
    editor.page.get_by_role("button", name="Bring it back").click()
    assert np.array_equal(editor.mask(), mask)
    editor.page.evaluate("() => editor.remove()")
    expect(editor.page.get_by_text("The picture was removed.")).to_be_visible()
    assert editor.result() is None
    editor.page.get_by_role("button", name="Bring it back").click()
    assert np.array_equal(editor.mask(), mask)


def test_colours_go_into_the_picture_and_are_the_mask_too(editor: Editor) -> None:
    editor.start("mask+colour")
    editor.set("colour", "#00ff00")
    editor.set("size", 40)
    editor.stroke((200, 150), (420, 150))
    result = editor.result()
    mask = editor.mask()
    painted = np.asarray(editor.server.picture(result["picture"]))
    assert painted.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(painted[mask == 0], picture()[mask == 0])
    assert (painted[mask == 255] == (0, 255, 0)).all() and (mask == 255).sum() > 220 * 38
    editor.set("paintOpacity", 50)
    half = np.asarray(editor.server.picture(editor.result()["picture"]))
    assert np.abs(half[150, 300].astype(int) - np.add(GREEN, (0, 255, 0)) / 2).max() <= 1
    editor.page.evaluate("() => { editor.mode = 'sketch'; }")
    assert editor.result()["mask"] is None
    editor.page.evaluate("() => { editor.mode = 'view'; }")
    assert editor.result()["picture"] == PICTURE


def test_what_the_server_refuses_is_told_and_nothing_is_lost(editor: Editor) -> None:
    editor.start()
    editor.stroke((200, 150), (420, 150))
    editor.server.refusal = "The disk is full: delete some inputs."
    try:
        refused = editor.page.evaluate("() => editor.result().catch((error) => error.message)")
    finally:
        editor.server.refusal = ""
    assert refused == "The disk is full: delete some inputs."
    expect(editor.page.get_by_role("alert")).to_have_text(refused)
    assert editor.mask()[150, 300] == 255
    expect(editor.page.get_by_role("alert")).to_be_hidden()
    text = "new File(['no picture'], 'a.png', { type: 'image/png' })"
    assert editor.page.evaluate(f"() => editor.open({text})") is False
    expect(editor.page.get_by_role("alert")).to_contain_text("send a PNG")
    assert editor.mask()[150, 300] == 255
    editor.complaints = [one for one in editor.complaints if "422" not in one]


def test_what_the_server_has_is_not_sent_again(editor: Editor) -> None:
    editor.start("view")
    assert editor.result()["picture"] == PICTURE
    editor.page.evaluate("() => editor.refresh()")
    name = editor.result()["picture"]
    posts = editor.server.posts
    assert editor.page.evaluate("name => editor.open(`/sdapi/v1/inputs/${name}`)", name)
    assert editor.result()["picture"] == name
    assert editor.server.posts == posts


def test_it_is_sent_ahead_of_time(editor: Editor) -> None:
    editor.start()
    posts = editor.server.posts
    editor.stroke((200, 150), (420, 150))
    wait_until(lambda: editor.page.evaluate("() => true") and editor.server.posts == posts + 1, 20, "it is sent")
    editor.page.wait_for_function("() => !editor.keeper.uploads.busy")
    editor.result()
    assert editor.server.posts == posts + 1


def test_what_is_written_is_read_by_others_and_by_itself(editor: Editor) -> None:
    editor.start(opens=False)
    random = np.random.default_rng(0)
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        pixels = random.integers(0, 256, (37, 23, channels), dtype=np.uint8)
        data = editor.page.evaluate(
            """async ([bytes, channels]) => {
              const { writePng } = await import("/steady/assets/editor/png.js");
              const row = 23 * channels;
              const rows = (y, count) => new Uint8Array(bytes.slice(y * row, (y + count) * row));
              const file = await writePng({ width: 23, height: 37, channels, rows, band: 10 });
              return Array.from(new Uint8Array(await file.arrayBuffer()));
            }""",
            [pixels.flatten().tolist(), channels],
        )
        read = Image.open(io.BytesIO(bytes(data)))
        assert read.mode == mode and np.array_equal(np.asarray(read).reshape(pixels.shape), pixels)
    runs = """async (tiles) => {
      const { encode, decode } = await import("/steady/assets/editor/runs.js");
      return tiles.map((tile) => Array.from(decode(encode(new Uint32Array(tile)), new Uint32Array(tile.length))));
    }"""
    tiles = [random.integers(0, 3, size).tolist() for size in (1, 2, 3, 50, 999)]
    tiles += [[7] * 500, [1, 1, 2, 2, 2, 2], [2**32 - 1] * 4 + [5], [5] + [2**31] * 9]
    assert editor.page.evaluate(runs, tiles) == tiles
