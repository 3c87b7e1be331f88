"""A tab of the browser, with the words of a user: write, generate, interrupt, read."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Route, expect

from tests.program import wait_until

PATIENCE_MS = 90_000  # drawing shares two cores with whatever else a machine of the tests does
WATCH_PICTURE = """() => {
  window.sources = [];
  const image = document.getElementById("txt2img_live_preview");
  const note = () => window.sources.push(image.src);
  new MutationObserver(note).observe(image, {attributes: true, attributeFilter: ["src"]});
}"""
WATCH_BAR = """() => {
  window.shares = [];
  const bar = document.getElementById("txt2img_progress");
  const note = () => window.shares.push(Number(bar.getAttribute("aria-valuenow")));
  new MutationObserver(note).observe(bar, {attributes: true, attributeFilter: ["aria-valuenow"]});
}"""
SETTLED = """() => new Promise((done) => {
  setTimeout(done, 3000);
  requestAnimationFrame(() => requestAnimationFrame(() => requestIdleCallback(done)));
})"""
ASKS_GRADIO = "**/gradio_api/run/**"


def settle(page: Page) -> None:
    """Wait until a tab that was opened for the first time stands: Gradio makes its fields then, frame by frame."""
    page.evaluate(SETTLED)


def choose_for_picture(page: Page, deed: str, tab: str = "txt2img") -> None:
    """Open the menu under the picture and press what scripts call `deed`."""
    page.click(f"#{tab}_send [aria-haspopup]")
    page.click(f"#{tab}_send [role=menu] [data-do={deed}]")


class Tab:
    """`page` is Playwright's; `complaints` are errors of the console and requests to other machines."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.complaints.append(f"asked {request.url}")

    def open(self) -> None:
        """Load the page and wait until it knows how things stand."""
        self.page.goto(self.url)
        self.is_ready()

    def reload(self) -> None:
        self.page.reload()
        self.is_ready()

    def is_ready(self) -> None:
        """Wait until Gradio, the remembered inputs and the live stream are all there."""
        self.page.wait_for_function(
            "() => window.steady?.state().instance && document.querySelector('#txt2img_sizes button')"
            " && document.querySelector('#txt2img_prompt textarea')"
        )

    def write(self, prompt: str, steps: int = 20, count: int = 1) -> None:
        self.page.fill("#txt2img_prompt textarea", prompt)
        self.number("txt2img_steps", steps)
        self.number("txt2img_batch_count", count)

    def number(self, elem_id: str, value: int) -> None:
        field = self.page.locator(f"#{elem_id} input[type=number]")
        field.fill(str(value))
        field.blur()

    def press(self, elem_id: str) -> None:
        """Click a button that acts as soon as it takes a press: one that has just come does not, for half a second.

        Playwright, told to click a button that takes no press, would scroll the page to and fro in its tries.
        """
        self.page.click(f"#{elem_id}:not([data-fresh])")

    def choose(self, words: str) -> None:
        """Open the menu beside the buttons and press what has these words."""
        self.press("txt2img_more")
        self.page.click(f"#txt2img_menu:not([data-fresh]) >> text={words}")

    def generate(self) -> None:
        """Click, and wait until another job is on the stage; a short one may be done by then."""
        before = self.job
        self.press("txt2img_generate")
        self.page.wait_for_function("before => window.steady.state().shown !== before", arg=before, timeout=PATIENCE_MS)

    @property
    def job(self) -> str:
        """The id of the job on the stage."""
        identity: str = self.page.evaluate("() => window.steady.state().shown")
        return identity

    def answers_before_the_server(self, elem_id: str, words: str, clicks: int = 1) -> None:
        """Press a button whose request is held back, and wait until it says `words` all the same; then let it go."""
        held: list[Route] = []
        self.page.route(ASKS_GRADIO, lambda route: held.append(route))
        with self.page.expect_request(ASKS_GRADIO):
            self.page.click(f"#{elem_id}:not([data-fresh])", click_count=clicks)
        expect(self.page.locator(f"#{elem_id}")).to_contain_text(words)
        wait_until(lambda: self.page.evaluate("() => true") and held, 20, "the request is held back")
        for route in held:
            route.continue_()
        self.page.unroute(ASKS_GRADIO)

    def phase(self) -> str:
        return self.page.locator("#txt2img_phase b").inner_text()

    def says(self, words: str) -> None:
        """Wait until the line under the bar begins with `words`."""
        line = self.page.locator("#txt2img_phase")
        expect(line).to_have_text(re.compile("^" + re.escape(words)), timeout=PATIENCE_MS)

    def draws(self) -> None:
        """Wait until a preview of the job on the stage is to be seen."""
        self.page.wait_for_function(
            "() => document.getElementById('txt2img_stage').dataset.shows === 'preview'"
            " && document.getElementById('txt2img_live_preview').src.startsWith('data:')"
        )

    def prompt(self) -> str:
        return self.page.input_value("#txt2img_prompt textarea")

    def to(self, name: str) -> None:
        """Go to a tab of the page."""
        self.page.click(f"[role=tab][data-tab-id={name}]")
        settle(self.page)
