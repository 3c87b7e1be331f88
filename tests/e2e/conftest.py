"""The real program and a real Chromium for the tests of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.e2e.tab import Tab
from tests.program import Program

# Chromium itself asks its maker for things; the tests count what the page asks for.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("e2e") / "data") as running:
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


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of the browser: from one test to the next it keeps the page's files alone."""
    kept = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
    yield kept
    kept.close()


@pytest.fixture
def context(profile: BrowserContext, program: Program) -> Iterator[BrowserContext]:
    """A profile that remembers nothing, so an owner of its own. What is left in the queue is ended after the test."""
    profile.clear_cookies()
    profile.clear_permissions()
    page = profile.new_page()
    remembered = {"origin": program.url, "storageTypes": "local_storage,indexeddb"}
    profile.new_cdp_session(page).send("Storage.clearDataForOrigin", remembered)
    page.close()
    yield profile
    for page in profile.pages:
        page.close()
    program.empty_queue()


@pytest.fixture
def tab(context: BrowserContext, program: Program) -> Iterator[Tab]:
    """An open page that must not log an error nor ask anyone but this machine for anything."""
    opened = Tab(context.new_page(), program.url)
    opened.open()
    yield opened
    assert opened.complaints == []
