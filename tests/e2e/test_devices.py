"""One person on two devices, and somebody of another machine, in real browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import PHONE
from tests.e2e.tab import Tab
from tests.program import Program

OWNER = "() => localStorage.getItem('steady.owner')"
# A proxy that nobody named: who comes through it may be anywhere.
ELSEWHERE = {"x-forwarded-for": "10.0.0.3"}


@pytest.fixture
def phone(other_context: BrowserContext) -> Page:
    page = other_context.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a TypedDict in the stubs
    return page


def test_both_devices_show_the_same_jobs_once_the_link_is_taken(tab: Tab, phone: Page, program: Program) -> None:
    tab.write("a red heart", steps=2)
    tab.generate()
    drawn = tab.job
    owner = tab.page.evaluate(OWNER)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    other = Tab(phone, f"{program.url}/#owner={owner}")
    other.open()
    assert phone.url == f"{program.url}/"
    assert phone.evaluate(OWNER) != owner, "a stranger's link alone changes nothing"
    assert not [url for url in asked if owner in url], "no address of the link's page has it"
    phone.click("text=Use it here too")
    phone.wait_for_function("owner => window.steady?.state().owner === owner", arg=owner)
    other.is_ready()
    phone.wait_for_function("job => window.steady.state().shown === job", arg=drawn)
    expect(phone.locator("#steady_banners")).not_to_contain_text("other device")
    other.write("a blue heart", steps=2)
    other.generate()
    tab.page.wait_for_function("job => window.steady.state().jobs[job]", arg=other.job)
    assert other.complaints == []


def test_a_link_of_a_stranger_can_be_refused(phone: Page, program: Program) -> None:
    tab = Tab(phone, f"{program.url}/#owner={'ab' * 12}")
    tab.open()
    own = phone.evaluate(OWNER)
    phone.get_by_role("button", name="No", exact=True).click()
    expect(phone.locator("#steady_banners")).not_to_contain_text("other device")
    assert phone.evaluate(OWNER) == own
    phone.evaluate("() => { location.hash = '#owner=<img src=x>'; }")
    expect(phone.locator("#steady_banners")).not_to_contain_text("other device")


# The page is told that the engine was given up, and draws its banner at once.
ENGINE_GIVEN_UP = """async () => {
  const { renderHeader } = await import("/steady/assets/header/header.js");
  const engine = { status: "given_up", deaths: 5, log: [] };
  renderHeader({ ...window.steady.state(), supervisor: { engine } });
  const box = document.getElementById("steady_banners");
  return { words: box.textContent, buttons: box.querySelectorAll("button").length };
}"""


def test_a_guest_sees_what_he_drew_and_is_offered_nothing_that_would_be_refused(phone: Page, program: Program) -> None:
    program.post("/sdapi/v1/queue/pause")
    phone.context.set_extra_http_headers(ELSEWHERE)
    tab = Tab(phone, program.url)
    tab.open()
    tab.write("a red heart", steps=2)
    tab.generate()
    tab.to("queue")
    row = phone.locator(f'#steady_queue_waiting [data-job="{tab.job}"]')
    expect(row).to_be_visible()
    for control in (".sd-grip", "[data-act=front]", "[data-act=priority]"):
        assert row.locator(control).count() >= 1
        assert not any(one.is_visible() for one in row.locator(control).all())
    assert program.call("POST", f"/sdapi/v1/jobs/{tab.job}/move", {"to": "front"}, ELSEWHERE)[0] == 403
    program.post("/sdapi/v1/queue/resume")
    tab.to("txt2img")
    tab.says("Done: 1 picture")
    phone.wait_for_function("""() => [...document.querySelectorAll("#txt2img_gallery img, #txt2img_live_preview")]
      .every((image) => image.complete && image.naturalWidth > 0 && image.src.includes("/images/"))""")
    finds_no_button_that_would_be_refused(tab)
    assert tab.complaints == []


def finds_no_button_that_would_be_refused(tab: Tab) -> None:
    """A guest does not."""
    phone = tab.page
    sent: list[str] = []
    phone.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    tab.to("settings")
    for name in ("settings_submit", "settings_restart_gradio", "settings_restart_engine"):
        button = phone.locator(f"#{name}")
        expect(button).to_have_attribute("aria-disabled", "true")
        assert "for those who log in" in (button.get_attribute("title") or "")
        button.click(force=True)
    expect(phone.locator("#settings_rights")).to_contain_text("Changing settings is for those who log in")
    assert phone.locator(".sd-section:not([inert]) .sd-setting").count() == 0
    expect(phone.locator("#steady_audit")).to_be_hidden()
    tab.to("queue")
    phone.locator("#steady_queue_pause").click(force=True)
    expect(phone.locator("#steady_queue_pause")).to_have_attribute("aria-disabled", "true")
    assert sent == []
    banner = phone.evaluate(ENGINE_GIVEN_UP)
    assert "The engine has stopped." in banner["words"] and "for those who log in" in banner["words"]
    assert "Start the engine" not in banner["words"] and banner["buttons"] == 0
