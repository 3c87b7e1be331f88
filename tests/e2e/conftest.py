"""The real program and a real Chromium for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from modules.launcher.browser import needed_chromium
from tests.e2e.editor_page import EditorServer, editor_page
from tests.e2e.editor_tab import Editor, packed, picture
from tests.e2e.profiles import TOGETHER, emptied, warm_profile
from tests.e2e.tab import Tab
from tests.program import HoldableProgram

# Chromium itself asks its maker for things; the tests count what the page asks for.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
expect.set_options(timeout=30_000)  # for a machine with much else to do; Playwright's own are 5 s


@pytest.fixture(scope="package")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HoldableProgram]:
    with HoldableProgram(tmp_path_factory.mktemp("e2e") / "data") as running:
        yield running


# Playwright's loop runs in this thread for as long as it is open: asynchronous tests of other folders need it closed.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", TOGETHER, *QUIET]
    # A desk has scrollbars that take room, which Playwright hides; its phones have none.
    started = playwright.chromium.launch(
        executable_path=needed_chromium(), args=flags, ignore_default_args=["--hide-scrollbars"]
    )
    yield started
    started.close()


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """That of most tests: a desk of somebody who wants no motion, which is half of what a page takes that waits."""
    with warm_profile(browser, viewport=DESKTOP, reduced_motion="reduce") as opened:
        yield opened


@pytest.fixture(scope="package")
def second_profile(browser: Browser) -> Iterator[BrowserContext]:
    """That of another person, and of pages that serve a file of tests. Things move there, as on the phone."""
    with warm_profile(browser, viewport=DESKTOP) as opened:
        yield opened


@pytest.fixture(scope="package")
def phone_profile(browser: Browser) -> Iterator[BrowserContext]:
    with warm_profile(browser, viewport=PHONE, has_touch=True, is_mobile=True) as opened:
        yield opened


@pytest.fixture
def tidy_program(program: HoldableProgram) -> Iterator[HoldableProgram]:
    """The program. What the test left running, or a paused queue, is ended after it."""
    yield program
    program.let_go()
    program.empty_queue()


@pytest.fixture
def context(tidy_program: HoldableProgram, profile: BrowserContext) -> Iterator[BrowserContext]:
    """An empty profile, so an owner of its own."""
    with emptied(profile) as lent:
        yield lent


@pytest.fixture
def other_context(tidy_program: HoldableProgram, second_profile: BrowserContext) -> Iterator[BrowserContext]:
    """An empty profile of another person."""
    with emptied(second_profile) as lent:
        yield lent


@pytest.fixture
def phone_context(tidy_program: HoldableProgram, phone_profile: BrowserContext) -> Iterator[BrowserContext]:
    """An empty profile on a phone."""
    with emptied(phone_profile) as lent:
        yield lent


@pytest.fixture
def held(tidy_program: HoldableProgram) -> HoldableProgram:
    """The program, whose jobs go no further than the first step of a picture until it is told to `let_go`."""
    tidy_program.hold()
    return tidy_program


@pytest.fixture
def tab(context: BrowserContext, program: HoldableProgram) -> Iterator[Tab]:
    """An open page that must not log an error nor ask anyone but this machine for anything."""
    opened = Tab(context.new_page(), program.url)
    opened.open()
    yield opened
    assert opened.complaints == []


@pytest.fixture(scope="package")
def editor_server() -> Iterator[EditorServer]:
    with editor_page() as served:
        served.inputs["0.png"] = packed(picture())
        yield served


@pytest.fixture
def editor(profile: BrowserContext, editor_server: EditorServer) -> Iterator[Editor]:
    with emptied(profile) as context:
        opened = Editor(context.new_page(), editor_server)
        yield opened
    assert opened.complaints == []
