"""The real program and a real Chromium for the tests of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.e2e.editor_page import EditorServer, editor_page
from tests.e2e.editor_tab import Editor, packed, picture
from tests.e2e.tab import Tab
from tests.program import HoldableProgram

# Chromium itself asks its maker for things; the tests count what the page asks for.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


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
    path = os.environ.get("STEADY_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    assert Path(path).exists(), "These tests need a Chromium: set STEADY_CHROMIUM to its path."
    started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", *QUIET])
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser, program: HoldableProgram) -> Iterator[BrowserContext]:
    """A fresh profile, so an owner of its own. What the test left running, or a paused queue, is ended after it."""
    fresh = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
    yield fresh
    fresh.close()
    program.let_go()  # of what `held` has left so
    program.empty_queue()


@pytest.fixture
def held(program: HoldableProgram) -> HoldableProgram:
    """The program, whose jobs go no further than the first step of a picture until it is told to `let_go`."""
    program.hold()
    return program


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
def editor(browser: Browser, editor_server: EditorServer) -> Iterator[Editor]:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
    opened = Editor(context.new_page(), editor_server)
    yield opened
    context.close()
    assert opened.complaints == []
