"""The real program with passwords, in a real browser: in, over a restart, out."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import DESKTOP
from tests.e2e.tab import Tab
from tests.program import IdleProgram, Program

PASSWORD = "gull:egg and more"
BASIC = "Basic " + base64.b64encode(f"anna:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("locked")
    (folder / "who").write_text(f"anna:{PASSWORD}\n")
    program = IdleProgram(folder / "data", "--gradio-auth-path", str(folder / "who"))
    program.headers["authorization"] = BASIC
    with program:
        yield program


@pytest.fixture
def page(browser: Browser, locked: Program) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
    yield context.new_page()
    context.close()


def log_in(page: Page, password: str) -> None:
    page.fill("#login_user", "anna")
    page.fill("#login_password", password)
    page.click("text=Log in")


def test_a_browser_logs_in_stays_in_over_a_restart_and_logs_out(page: Page, locked: Program) -> None:
    page.goto(locked.url)
    log_in(page, "gull")
    expect(page.locator(".sd-login-problem")).to_have_text("Incorrect username or password.")
    tab = Tab(page, locked.url)
    log_in(page, PASSWORD)
    tab.is_ready()
    before = tab.page.evaluate("() => window.steady.state().instance")
    locked.post("/sdapi/v1/server-restart")
    page.wait_for_function("before => window.steady.state().instance !== before", arg=before)
    tab.reload()
    assert tab.complaints == []
    second = page.context.new_page()
    second.goto(locked.url + "/docs")
    expect(second.locator("h1")).to_contain_text("REST API")
    tab.to("settings")
    expect(page.locator("#steady_user")).to_contain_text("Logged in as anna.")
    page.click("text=Log out")
    page.wait_for_selector("#login_user")
    second.goto(locked.url)
    second.wait_for_selector("#login_user")


def test_no_password_is_to_be_seen_in_processes_or_files(locked: Program) -> None:
    assert locked.launcher is not None
    pids = [locked.launcher.pid, *locked.children()]
    assert len(pids) >= 3
    for pid in pids:
        for name in ("cmdline", "environ"):
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    engine = Path(f"/proc/{locked.pid_of('modules.engine')}/environ").read_bytes()
    assert b"STEADY_ACCOUNTS" not in engine, "who needs no hashes gets none"
    for path in locked.data.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    flags = locked.get("/sdapi/v1/cmd-flags")
    assert flags["gradio_auth"] is None and PASSWORD not in str(flags)
