"""Make the pictures of the README: starts the program on a temporary data folder, draws, and photographs the page.

    .venv/bin/python docs/screenshots.py [--prompt "unicorn"] [--out docs/screenshots]

Needs a Chromium (STEADY_CHROMIUM names it) and requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from modules.launcher.browser import needed_chromium  # noqa: E402  (found through the line above)
from tests.jobs.made_library import make_library  # noqa: E402
from tests.program import Program  # noqa: E402

PATIENCE_MS = 300_000
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
HELPED = (
    "a castle on a hill at the edge of the sea, (soft evening light:1.2), [summer meadow:first snow:0.5] around it, "
    "tall towers with red and blue flags, a winding path with an old wooden gate, {one|two|three} small boats, "
    "seagulls above the waves, (clouds like cotton, warm colours, clean lines, storybook picture, many small details,"
)
TAGS = "pine_tree,0,900\npineapple,0,2400\npink_sky,0,3100\npirate,0,800\n"


def main() -> None:
    """Draw, and write a picture of each tab, of the viewer, of a phone and of the login."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", default="unicorn")
    parser.add_argument("--more", default="crying face", help="what the phone draws")
    parser.add_argument(
        "--waiting", nargs="+", default=["christmas tree", "pink flamingo", "hamburger"], help="what waits in the queue"
    )
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Program(Path(folder) / "data") as program,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=needed_chromium(), args=["--no-sandbox", "--disable-gpu"])
        photograph_desktop(browser, program.url, options)
        photograph_phone(browser, program.url, options)
        photograph_grid(browser, program.url, options)
        photograph_from_a_picture(browser, program.url, options)
        photograph_prompt_help(browser, program, options)
        photograph_models(browser, Path(folder), options)
        photograph_login(browser, Path(folder), options)
        browser.close()


def photograph_desktop(browser: Browser, url: str, options: argparse.Namespace) -> None:
    """The page while a job runs (dark), when it is done (light), the queue and the settings."""
    with browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:  # type: ignore[arg-type]
        page = open_page(context.new_page(), url)
        generate(page, options.prompt, options.steps, count=4)
        wait_for_preview(page, image=2, share=0.6)
        page.screenshot(path=options.out / "desktop-dark.png")
        wait_for_words(page, "Done")
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(400)
        page.screenshot(path=options.out / "desktop-light.png")
        page.emulate_media(color_scheme="dark")
        photograph_batch(page, options)
        fill_the_queue(page, options)
        page.screenshot(path=options.out / "queue.png")
        page.click("#steady_queue_clear")
        page.click("#steady_queue_clear")
        photograph_history(page, options)
        page.click("[role=tab][data-tab-id=settings]")
        page.wait_for_timeout(400)
        page.screenshot(path=options.out / "settings.png")
        page.click("[role=tab][data-tab-id=txt2img]")
        page.click("#txt2img_interrupt")
        wait_for_words(page, "Interrupted")


def photograph_batch(page: Page, options: argparse.Namespace) -> None:
    """Four pictures that are drawn at once, and one of them in full size."""
    generate(page, options.more, options.steps, count=1, size=4)
    wait_for_preview(page, image=0, share=0.7)
    page.screenshot(path=options.out / "batch.png")
    wait_for_words(page, "Done: 4 pictures")
    page.click("#txt2img_gallery button:nth-last-child(3)")
    page.click("#txt2img_open")
    page.wait_for_selector(".sd-viewer[open] .pswp__img")
    page.mouse.move(5, 5)
    page.wait_for_timeout(600)
    page.screenshot(path=options.out / "viewer.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(".sd-viewer", state="hidden")


def photograph_history(page: Page, options: argparse.Namespace) -> None:
    """What was drawn before, filtered and searched, as it is asked about before it is removed."""
    page.click("#steady_queue_filter [data-group=done]")
    page.fill("#steady_queue_search", options.prompt)
    page.wait_for_function(
        "() => /^Remove (this|these)/.test(document.getElementById('steady_queue_remove').textContent)"
    )
    page.wait_for_timeout(800)
    page.click("#steady_queue_remove")
    page.wait_for_selector("dialog[open]")
    page.screenshot(path=options.out / "history.png")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.fill("#steady_queue_search", "")


def fill_the_queue(page: Page, options: argparse.Namespace) -> None:
    """Leave one job paused, one drawn and some waiting, and go to the Queue tab."""
    generate(page, options.more, options.steps, count=2)
    wait_for_preview(page, image=0, share=0.5)
    page.click("#txt2img_pause")
    wait_for_words(page, "Paused")
    generate(page, options.prompt, 150, count=4)
    wait_for_preview(page, image=0, share=0.3)
    for prompt in options.waiting:
        page.fill("#txt2img_prompt textarea", prompt)
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(400)
    page.click("[role=tab][data-tab-id=queue]")
    page.wait_for_function(
        "(n) => document.querySelectorAll('#steady_queue_waiting li').length === n", arg=len(options.waiting)
    )
    page.wait_for_timeout(800)


def photograph_phone(browser: Browser, url: str, options: argparse.Namespace) -> None:
    """The page on a phone while a job runs."""
    with browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        color_scheme="dark",
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
    ) as context:
        page = open_page(context.new_page(), url)
        generate(page, options.more, options.steps, count=3)
        page.evaluate("scrollTo(0, 0)")
        wait_for_preview(page, image=1, share=0.8)
        page.screenshot(path=options.out / "phone.png")
        wait_for_words(page, "Done")


def photograph_grid(browser: Browser, url: str, options: argparse.Namespace) -> None:
    """An X/Y/Z plot while it is drawn, with its fields, and on a phone when it is done."""
    with browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:  # type: ignore[arg-type]
        page = open_page(context.new_page(), url)
        field = "#script_txt2img_xyz_plot_"
        page.fill("#txt2img_prompt textarea", options.prompt)
        page.click("#txt2img_page button[data-script]")
        page.select_option("#script_list", "X/Y/Z plot")
        page.select_option(f"{field}x_type select", "Prompt S/R")
        page.fill(f"{field}x_values textarea", ", ".join([options.prompt, *options.waiting]))
        page.select_option(f"{field}y_type select", "Steps")
        page.fill(f"{field}y_values textarea", "5, 15, 40")
        page.wait_for_function("() => / = /.test(document.getElementById('txt2img_script_count').textContent)")
        page.add_style_tag(content="#txt2img_folder { visibility: hidden }")  # a folder of this machine
        generate(page, options.prompt, options.steps, count=1)
        page.locator("#txt2img_script_count").scroll_into_view_if_needed()
        wait_for_preview(page, image=9, share=0.5)
        page.screenshot(path=options.out / "grid.png")
        wait_for_words(page, "Done")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(800)
        page.screenshot(path=options.out / "grid-phone.png")


def photograph_from_a_picture(browser: Browser, url: str, options: argparse.Namespace) -> None:
    """A part of a picture painted over and drawn anew (light, also on a phone), and a picture made larger (dark)."""
    with browser.new_context(viewport=DESKTOP, color_scheme="light") as context:  # type: ignore[arg-type]
        page = open_page(context.new_page(), url)
        generate(page, options.prompt, options.steps, count=1)
        wait_for_words(page, "Done")
        photograph_png_info(page, options)
        page.click("[role=tab][data-tab-id=txt2img]")
        inpaint(page)
        page.fill("#img2img_prompt textarea", options.more)
        page.click("#img2img_generate")
        wait_for_kind(page, "img2img")
        wait_for_words(page, "Done", "img2img")
        page.screenshot(path=options.out / "inpaint.png")
        page.emulate_media(color_scheme="dark")
        page.click("#img2img_results button[data-do=extras]")
        page.click("#extras_upscaler_1 input")
        page.click("[role=option]:has-text('emoji-2x')")
        page.click("#extras_generate")
        wait_for_kind(page, "extras")
        wait_for_words(page, "Done", "extras")
        page.wait_for_timeout(600)
        page.screenshot(path=options.out / "extras.png")
        page.emulate_media(color_scheme="light")
        page.click("[role=tab][data-tab-id=img2img]")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(800)
        page.screenshot(path=options.out / "inpaint-phone.png")


def photograph_png_info(page: Page, options: argparse.Namespace) -> None:
    """All that the file of the picture on the stage says, wide and on a phone."""
    address = page.evaluate(
        "() => location.origin + window.steady.state().jobs[window.steady.state().shown].outputs[0].url"
    )
    picture = page.request.get(address).body()
    page.click("[role=tab][data-tab-id=png_info]")
    page.set_input_files("#pnginfo_file", FilePayload(name="00000-7.png", mimeType="image/png", buffer=picture))
    page.wait_for_selector("#pnginfo_rows table")
    page.screenshot(path=options.out / "png-info.png")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.wait_for_timeout(400)
    page.screenshot(path=options.out / "png-info-phone.png")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


def photograph_prompt_help(browser: Browser, program: Program, options: argparse.Namespace) -> None:
    """A prompt while it is written: what it may go on with, its tokens in chunks, and a bracket that is not closed."""
    (program.data / "tags").mkdir(exist_ok=True)
    (program.data / "tags" / "tags.csv").write_text(TAGS)
    with browser.new_context(viewport=DESKTOP, color_scheme="light") as context:  # type: ignore[arg-type]
        page = open_page(context.new_page(), program.url)
        prompt = page.locator("#txt2img_prompt textarea")
        prompt.fill(HELPED)
        page.wait_for_function("() => document.querySelector('#txt2img_hints').textContent.includes('not closed')")
        prompt.focus()
        page.keyboard.press("Control+End")
        page.keyboard.type(" pi")
        page.wait_for_selector("#sd-suggestions [role=option]")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("() => /150/.test(document.querySelector('#txt2img_token_counter').textContent)")
        page.wait_for_timeout(600)
        box = page.locator("#txt2img_page .sd-prompts").bounding_box()
        assert box is not None
        clip = {"x": box["x"] - 8, "y": box["y"] - 8, "width": box["width"] + 16, "height": box["height"] + 16}
        page.screenshot(path=options.out / "prompt-help.png", clip=clip)  # type: ignore[arg-type]


def inpaint(page: Page) -> None:
    """Take the picture on the stage into the editor, and paint over its middle."""
    page.click("#txt2img_results button[data-do=inpaint]")
    page.wait_for_function("() => document.querySelector('.sd-editor canvas')?.offsetParent")
    page.wait_for_timeout(1500)
    box = page.locator(".sd-editor canvas").last.bounding_box()
    assert box is not None
    points = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.42), (0.5, 0.5)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.wait_for_timeout(800)


def photograph_models(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """The Models tab over a folder as people have it, also on a phone."""
    make_library(folder / "models", whole=True)
    program = Program(folder / "library", "--models-dir", str(folder / "models"))
    with program, browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:  # type: ignore[arg-type]
        page = open_page(context.new_page(), program.url)
        wait_for_words(page, "Ready")
        page.click("[role=tab][data-tab-id=models]")
        page.wait_for_selector("#steady_models_grid .sd-card img")
        page.wait_for_timeout(2000)
        page.screenshot(path=options.out / "models.png")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.wait_for_timeout(800)
        page.screenshot(path=options.out / "models-phone.png")


def photograph_login(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """The page that asks for a name and a password, where the program has some."""
    names = folder / "names"
    names.write_text("anna:picture\n")
    program = Program(folder / "locked", "--gradio-auth-path", str(names))
    program.headers["authorization"] = "Basic " + base64.b64encode(b"anna:picture").decode()
    with program, browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(program.url)
        page.wait_for_selector("#login_password")
        page.screenshot(path=options.out / "login.png")


def open_page(page: Page, url: str) -> Page:
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.wait_for_function("() => window.steady?.state().instance && document.querySelector('#txt2img_sizes button')")
    return page


def generate(page: Page, prompt: str, steps: int, count: int, size: int = 1) -> None:
    page.fill("#txt2img_prompt textarea", prompt)
    for field, value in (("txt2img_steps", steps), ("txt2img_batch_count", count), ("txt2img_batch_size", size)):
        number = page.locator(f"#{field} input[type=number]")
        number.fill(str(value))
        number.blur()
    page.click("#txt2img_generate")
    page.mouse.move(5, 5)


def wait_for_preview(page: Page, image: int, share: float) -> None:
    """Wait until the preview of this image (from 0) has done at least this share of its steps."""
    page.wait_for_function(
        """([image, share]) => {
            const {preview, progress} = window.steady.state();
            return preview && progress && preview.image === image && preview.step >= share * progress.steps
              && ["preview", "grid"].includes(document.getElementById("txt2img_stage").dataset.shows);
        }""",
        arg=[image, share],
    )


def wait_for_kind(page: Page, kind: str) -> None:
    """Wait until a job of this kind is on the stage, where one of another kind that is done may stand."""
    page.wait_for_function("(kind) => window.steady.state().jobs[window.steady.state().shown]?.kind === kind", arg=kind)


def wait_for_words(page: Page, words: str, tab: str = "txt2img") -> None:
    page.wait_for_function(
        "([id, words]) => document.getElementById(id).textContent.startsWith(words)", arg=[f"{tab}_phase", words]
    )


if __name__ == "__main__":
    main()
