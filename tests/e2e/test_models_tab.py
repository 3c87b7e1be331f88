"""The Models tab: models are found, used, annotated, renamed, thrown away, brought back and downloaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.conftest import DESKTOP
from tests.e2e.tab import PATIENCE_MS, Tab
from tests.hub.stand_in import StandIn, safetensors_of
from tests.jobs.made_library import make_library
from tests.jobs.made_models import safetensors_bytes
from tests.program import IdleProgram, wait_until

ODD = "<img src=x onerror=alert(1)> & 'so'.safetensors"
FILE = safetensors_of(["model.diffusion_model.x", "first_stage_model.x"], 3 << 20)

# What another page does.
WRITE = """async ([id, notes]) => {
  await fetch(`/sdapi/v1/models/${id}/notes`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(notes),
  });
}"""


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    with StandIn({"org/dream": {"dream.safetensors": FILE}}) as started:
        yield started


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_library(tmp_path_factory.mktemp("library") / "models", 15)
    (made / ODD).write_bytes(safetensors_bytes())
    return made


@pytest.fixture(scope="module")
def tab(browser: Browser, place: Path, hub: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    data = tmp_path_factory.mktemp("models-tab") / "data"
    with IdleProgram(data, "--models-dir", str(place.parent), environment={"HF_ENDPOINT": hub.url}) as program:
        context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened = Tab(context.new_page(), program.url)
        opened.open()
        opened.to("models")
        yield opened
        assert opened.complaints == []
        context.close()


def card(tab: Tab, name: str) -> Locator:
    return tab.page.locator(f'#steady_models_grid [data-name="{name}"]')


def choose(tab: Tab, name: str, words: str) -> None:
    """Press an item of a card's menu."""
    card(tab, name).locator(".sd-dots").click()
    card(tab, name).locator(f".sd-menu >> text={words}").click()


def test_a_model_is_found_used_and_annotated(tab: Tab, place: Path) -> None:
    page = tab.page
    cards = page.locator("#steady_models_grid .sd-card")
    odd = card(tab, ODD.replace('"', '\\"'))
    expect(odd.locator("h3")).to_have_text(ODD.removesuffix(".safetensors"))
    expect(odd.locator(".sd-card-problem")).to_contain_text("Cannot be used")
    expect(odd.locator("[data-act=use]")).to_be_disabled()
    page.fill("#steady_models_search", "xl base")
    expect(cards).to_have_count(1)
    expect(cards.locator(".sd-card-facts")).to_contain_text("Stable Diffusion XL")
    page.fill("#steady_models_search", "")
    page.select_option("#steady_models_kind", "lora")
    expect(card(tab, "papercut-xl.safetensors")).to_be_visible()
    expect(card(tab, "anything-v5")).to_have_count(0)
    ink = card(tab, "add_detail.safetensors")
    expect(ink.locator(".sd-card-facts")).to_contain_text("Stable Diffusion 1.x LoRA · rank 16")
    choose(tab, "add_detail.safetensors", "Picture from the stage")
    expect(page.locator("#steady_models_problem")).to_contain_text("There is no picture on the stage")
    choose(tab, "add_detail.safetensors", "Notes and details")
    page.fill("dialog input[type=number]", "0.6")
    page.fill("dialog textarea >> nth=1", "photo")
    page.click("dialog >> text=Save")
    expect(ink.locator(".sd-card-facts")).to_contain_text("rank 16 · weight 0.6")
    ink.locator("text=Copy tag").click()
    words = "<lora:add_detail:0.6> ink splash, bold outline, limited palette"
    assert page.evaluate("() => navigator.clipboard.readText()") == words
    beside = json.loads((place.parent / "Lora" / "add_detail.json").read_text())
    assert (beside["preferred weight"], beside["negative text"]) == (0.6, "photo")
    page.select_option("#steady_models_kind", "checkpoint")
    page.select_option("#steady_models_sort", "size,descending")
    expect(cards.first.locator(".sd-card-facts")).to_contain_text("MB")
    page.select_option("#steady_models_sort", "name")
    page.fill("#steady_models_search", "ink")
    expect(cards).to_have_count(1)
    cards.locator("[data-act=use]").click()
    expect(page.locator("#txt2img_prompt")).to_be_visible()
    expect(page.locator("#setting_sd_model_checkpoint input")).to_have_value(re.compile("^inkpunk-diffusion-v2"))
    tab.to("models")
    expect(cards.locator("[data-act=use]")).to_have_attribute("aria-pressed", "true")
    cards.locator(".sd-dots").click()
    other_words = {"notes": "of another page"}
    page.evaluate(WRITE, [cards.get_attribute("data-model"), other_words])
    (place / "newcomer.safetensors").write_bytes(safetensors_bytes())  # of which every page is told
    expect(cards.locator(".sd-card-notes")).to_have_text("of another page", timeout=PATIENCE_MS)
    expect(cards.get_by_role("menuitem").first).to_be_focused()
    cards.locator(".sd-menu >> text=Notes and details").click()
    page.fill("dialog textarea >> nth=0", "nvinkpunk, bold")
    page.fill("dialog textarea >> nth=1", "Steps 30 <b>")
    page.click("dialog >> text=Save")
    expect(cards.locator(".sd-card-notes")).to_have_text("Steps 30 <b>")
    cards.locator(".sd-chip >> text=nvinkpunk").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == "nvinkpunk"
    told = json.loads((place / "inkpunk-diffusion-v2.json").read_text())
    assert (told["activation text"], told["notes"]) == ("nvinkpunk, bold", "Steps 30 <b>")
    page.fill("#steady_models_search", "")


def test_a_model_is_renamed_thrown_away_and_brought_back(tab: Tab, place: Path) -> None:
    page = tab.page
    page.fill("#steady_models_search", "pixel")
    choose(tab, "pixel-art-diffusion", "Rename")
    page.fill("dialog input", "../up")
    page.keyboard.press("Enter")
    expect(page.locator("#steady_models_problem")).to_contain_text("which no file may have")
    tab.complaints.clear()  # the browser's own word on that 422
    choose(tab, "pixel-art-diffusion", "Rename")
    page.fill("dialog input", "pixel-art")
    page.keyboard.press("Enter")
    expect(card(tab, "pixel-art")).to_be_visible()
    assert (place / "pixel-art" / "model_index.json").is_file()
    choose(tab, "pixel-art", "Delete")
    page.click("dialog >> text=Keep")
    assert (place / "pixel-art").exists()
    choose(tab, "pixel-art", "Delete")
    page.click("dialog button.sd-danger")
    expect(card(tab, "pixel-art")).to_have_count(0)
    assert not (place / "pixel-art").exists()
    page.click("#steady_models_trash")
    page.click("dialog >> text=Bring back")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(card(tab, "pixel-art")).to_be_visible()
    assert (place / "pixel-art" / "model_index.json").is_file()
    expect(page.locator("#steady_models_trash")).to_be_hidden()
    page.fill("#steady_models_search", "")


def test_a_model_is_downloaded_once_that_is_allowed(tab: Tab, place: Path, hub: StandIn) -> None:
    page = tab.page
    page.click("#steady_downloads_open")
    expect(page.locator("#steady_downloads_off")).to_contain_text("the one thing that leaves this machine")
    assert hub.asked == []
    page.click("#steady_downloads_allow")
    hub.cuts = [1 << 20]
    hub.go.clear()
    page.fill("#steady_downloads_address", "https://huggingface.co/org/dream/blob/main/dream.safetensors")
    page.keyboard.press("Enter")
    row = page.locator("#steady_downloads_list .sd-download")
    expect(row.locator(".sd-row-state")).to_contain_text("of 3.1 MB")
    row.locator("text=Pause").click()
    expect(row.locator(".sd-row-state")).to_contain_text("Paused at")
    hub.go.set()
    row.locator("text=Resume").click()
    expect(row.locator(".sd-row-state")).to_contain_text("Done")
    expect(card(tab, "dream.safetensors")).to_be_visible()
    assert (place / "dream.safetensors").read_bytes() == FILE
    row.locator("text=OK").click()
    expect(row).to_have_count(0)
    wait_until(lambda: not any((place.parent / ".downloads").iterdir()), 20, "nothing is left of it")
