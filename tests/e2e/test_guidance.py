"""Guidance and shift on the page: each kind of model has its own fields and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import ROOT, DataFolder
from modules.settings import Settings
from tests.e2e.feed import Feed, no_jobs
from tests.e2e.served_page import served_page
from tests.jobs.made_files import write_file
from tests.jobs.made_transformers import all_in_one_flux, all_in_one_sd3
from tests.program import wait_until
from webui import header, ui
from webui.tabs.drawing import submitting


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guidance")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[JobStore]:
    opened = JobStore(folder / "jobs.sqlite", DataFolder(folder))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Options]:
    """Settings of these tests, which are none of others."""
    made = Options(folder / "settings.json")
    with pytest.MonkeyPatch.context() as patch:
        for module in (header, submitting, ui):
            patch.setattr(module, "opts", made)
        yield made


@pytest.fixture(scope="module")
def url(store: JobStore, folder: Path, own: Options) -> Iterator[str]:
    """The page with the embedded model, one of Flux dev and one of Stable Diffusion 3."""
    write_file(folder / "Stable-diffusion" / "flux.safetensors", all_in_one_flux())
    write_file(folder / "Stable-diffusion" / "three.safetensors", all_in_one_sd3())
    catalogue = CheckpointCatalogue((ROOT / "models", folder), hash_cache=folder / "hashes.json")
    with served_page(store, catalogue) as address:
        yield address


@pytest.fixture
def page(other_context: BrowserContext, url: str, own: Options) -> Page:
    """That page with the embedded model chosen, as at first."""
    own.update({"sd_model_checkpoint": Settings().sd_model_checkpoint})
    opened = other_context.new_page()
    no_jobs(opened)
    Feed(opened, url).open()
    return opened


def choose(page: Page, field: str, name: str) -> None:
    page.click(f"#{field} input")
    page.locator("[role=option]").filter(has_text=name).first.click()


def test_fields_of_a_family_are_there_with_its_models_and_are_sent(page: Page, store: JobStore) -> None:
    choose(page, "txt2img_sampling", "Euler a")
    expect(page.locator("#txt2img_sampling_said")).to_be_hidden()
    distilled, shift = page.locator("#txt2img_distilled_cfg_scale"), page.locator("#txt2img_shift")
    expect(page.locator("#txt2img_cfg_scale .sd-help")).to_contain_text("1 is off")
    expect(distilled).to_be_hidden()
    expect(shift).to_be_hidden()
    choose(page, "setting_sd_model_checkpoint", "flux")
    expect(distilled).to_be_visible()
    expect(distilled.locator("input[type=number]")).to_have_value("3.5")
    expect(distilled.locator("input[type=number]")).to_have_attribute("aria-describedby", re.compile("_help"))
    expect(shift.locator("input, textarea")).to_have_attribute("placeholder", "The model's own: by the size")
    told = page.locator("#txt2img_neg_prompt .sd-help")
    expect(told).to_have_text("Has no effect: the CFG scale is 1, which is off.")
    page.fill("#txt2img_cfg_scale input[type=number]", "2")
    page.locator("#txt2img_cfg_scale input[type=number]").blur()
    expect(told).to_be_hidden()
    shift.locator("input, textarea").fill("1.5")
    page.click("#txt2img_generate:not([data-fresh])")
    wait_until(lambda: store.jobs.page()[1] == 1, 30, "it is queued")
    request = store.jobs.page()[0][0].request
    assert (request["distilled_cfg_scale"], request["shift"]) == (3.5, 1.5)
    a_sampler_that_strays_with_flow_models_is_told_of(page)


def a_sampler_that_strays_with_flow_models_is_told_of(page: Page) -> None:
    said = page.locator("#txt2img_sampling_said")
    choose(page, "setting_sd_model_checkpoint", "three")
    choose(page, "txt2img_sampling", "Euler a")
    expect(page.locator("#txt2img_shift input, #txt2img_shift textarea")).to_have_attribute(
        "placeholder", "The model's own: 3"
    )
    expect(said).to_contain_text("11 % from a fine solution in 20 steps, Euler 7 %")
    choose(page, "txt2img_scheduler", "Beta")
    expect(said).to_be_hidden()
