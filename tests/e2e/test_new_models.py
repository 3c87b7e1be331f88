"""A model that somebody copies into a folder is on the open page, without a click; what was chosen there stays."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import DESKTOP
from tests.e2e.tab import PATIENCE_MS, Tab
from tests.jobs.made_models import make_model
from tests.program import IdleProgram, wait_until

CHOSEN = re.compile(r"quiet sea \[[0-9a-f]{10}\]")
LOUD = "<i>loud 'city'"
CHOOSER = "#setting_sd_model_checkpoint input"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A ComfyUI's models folder."""
    make_model(tmp_path / "models" / "checkpoints" / "quiet sea")
    return tmp_path / "models"


@pytest.fixture
def watching(browser: Browser, tmp_path: Path, models: Path) -> Iterator[Tab]:
    with IdleProgram(tmp_path / "data", "--models-dir", str(models)) as program:
        context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]  # a TypedDict in the stubs
        tab = Tab(context.new_page(), program.url)
        tab.open()
        yield tab
        context.close()
        assert tab.complaints == []


def is_listed(page: Page) -> bool:
    """Open the list, and tell whether the new model is in it; then close it."""
    page.click(CHOOSER)
    expect(page.get_by_role("option").filter(has_text="quiet sea")).to_be_visible()
    found = page.get_by_role("option").filter(has_text=LOUD).count() == 1
    page.keyboard.press("Escape")
    expect(page.locator(CHOOSER)).to_have_attribute("aria-expanded", "false")
    return found


def test_what_comes_and_goes_is_on_the_open_page(watching: Tab, models: Path, tmp_path: Path) -> None:
    page = watching.page
    page.click(CHOOSER)
    page.click("[role=option] >> text=quiet sea")
    expect(page.locator(CHOOSER)).to_have_value(CHOSEN, timeout=PATIENCE_MS)
    make_model(tmp_path / "made").rename(models / "checkpoints" / LOUD)
    wait_until(lambda: is_listed(page), 60, "the new model is in the list")
    expect(page.locator(CHOOSER)).to_have_value(CHOSEN)
    page.click(CHOOSER)  # What goes while the list is open is in it until it closes.
    shutil.rmtree(models / "checkpoints" / LOUD)
    page.wait_for_timeout(1500)
    expect(page.get_by_role("option").filter(has_text=LOUD)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(CHOOSER)).to_have_attribute("aria-expanded", "false")
    page.wait_for_timeout(400)  # a hand takes longer to open it again than Gradio to put the new list in place
    wait_until(lambda: not is_listed(page), 60, "the model is gone from the list")
    expect(page.locator(CHOOSER)).to_have_value(CHOSEN)
