"""A second tab that draws, made by the same builder: the scripts know neither of them by name, and keep them apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.paths import ROOT, DataFolder
from tests.e2e.feed import Feed, no_jobs, output
from tests.e2e.served_page import served_page
from tests.e2e.tab import choose_for_picture, settle
from tests.program import wait_until
from webui import ui
from webui.tabs import txt2img

OTHER = replace(txt2img.TAB, label="Other", prefix="other")
INFOTEXT = "a lighthouse\nNegative prompt: blurry\nSteps: 12, Sampler: Euler, CFG scale: 6.5, Seed: 42, Size: 192x128"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[JobStore]:
    opened = JobStore(folder / "jobs.sqlite", DataFolder(folder))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(store: JobStore, folder: Path) -> Iterator[str]:
    """The page with both tabs, served without engine and REST API."""
    catalogue = CheckpointCatalogue((ROOT / "models",), hash_cache=folder / "hashes.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui, "DRAWING_TABS", (txt2img.TAB, OTHER))
        with served_page(store, catalogue) as address:
            yield address


@pytest.fixture
def feed(other_context: BrowserContext, url: str) -> Feed:
    page = other_context.new_page()
    no_jobs(page)
    fed = Feed(page, url)
    fed.open()
    return fed


def go_to(page: Page, tab: str) -> None:
    page.click(f"[role=tab][data-tab-id={tab}]")
    expect(page.locator(f"#{tab}_page")).to_be_visible()
    settle(page)


def write(page: Page, tab: str, prompt: str, steps: int) -> None:
    page.fill(f"#{tab}_prompt textarea", prompt)
    page.fill(f"#{tab}_steps input[type=number]", str(steps))
    page.locator(f"#{tab}_steps input[type=number]").blur()


def shown(page: Page, tab: str) -> list[str]:
    places = ("prompt textarea", "steps input[type=number]", "width input", "height input")
    return [page.input_value(f"#{tab}_{place}") for place in places]


def test_each_has_its_own_fields_remembers_them_and_tells_what_is_wrong_in_them(feed: Feed) -> None:
    page = feed.page
    write(page, "txt2img", "a cat", 11)
    go_to(page, "other")
    write(page, "other", "a dog", 12)
    page.click("#other_sizes >> text=4:3")
    width, height = shown(page, "other")[2:]
    assert width != height
    page.click("#other_res_switch_btn")
    page.wait_for_function("(high) => document.querySelector('#other_width input').value === high", arg=height)
    page.fill("#other_seed input", "7")
    page.click("#other_random_seed")
    expect(page.locator("#other_seed input")).to_have_value("-1")
    first, second = shown(page, "txt2img"), shown(page, "other")
    assert (first[:2], second) == (["a cat", "11"], ["a dog", "12", height, width])
    assert first[2] == first[3], "nothing of it was done in the other tab"
    page.reload()
    page.wait_for_function("() => document.querySelector('#txt2img_sizes button')")
    go_to(page, "other")
    expect(page.locator("#other_prompt textarea")).to_have_value("a dog")
    assert [shown(page, "txt2img"), shown(page, "other")] == [first, second]
    what_is_wrong_is_told_in_the_tab_that_was_asked(page)
    another_checkpoint_brings_its_defaults_into_a_tab_that_is_opened_later_too(page)


def what_is_wrong_is_told_in_the_tab_that_was_asked(page: Page) -> None:
    page.fill("#other_seed input", "hello")
    page.click("#other_generate")
    expect(page.locator("#other_seed .sd-problem")).to_contain_text("hello")
    expect(page.locator(".sd-problem")).to_have_count(1)


def another_checkpoint_brings_its_defaults_into_a_tab_that_is_opened_later_too(page: Page) -> None:
    for tab in ("other", "txt2img"):
        go_to(page, tab)
        write(page, tab, "a cat", 33)
    # As if the values in the second tab had been chosen for another checkpoint.
    page.evaluate("() => localStorage.setItem('steady.other.checkpoint', 'another')")
    page.reload()
    page.wait_for_function("() => document.querySelector('#txt2img_sizes button')")
    assert shown(page, "txt2img")[1] == "33"
    go_to(page, "other")
    expect(page.locator("#other_steps input[type=number]")).to_have_value("20")
    assert shown(page, "other")[0] == "a cat"


def test_each_shows_the_picture_and_takes_settings_into_its_own_fields_and_generates_what_they_say(
    feed: Feed, store: JobStore
) -> None:
    each_shows_the_picture_and_takes_settings_into_its_own_fields(feed)
    page = feed.page
    page.keyboard.press("Escape")
    expect(page.locator(".sd-viewer[open]")).to_have_count(0)
    go_to(page, "txt2img")
    write(page, "txt2img", "a cat", 11)
    go_to(page, "other")
    write(page, "other", "a dog", 12)
    page.click("#other_generate")
    expect(page.locator("#other_phase")).to_contain_text("Queued")
    expect(page.locator("#other_interrupt")).to_be_visible()
    jobs, total = store.jobs.page()
    assert (total, jobs[0].request["prompt"], jobs[0].request["steps"]) == (1, "a dog", 12)
    go_to(page, "txt2img")
    page.keyboard.press("Control+Enter")
    wait_until(lambda: page.title() and store.jobs.page()[1] == 2, 30, "the first tab's is queued too")
    assert {job.request["prompt"] for job in store.jobs.page()[0]} == {"a dog", "a cat"}


def each_shows_the_picture_and_takes_settings_into_its_own_fields(feed: Feed) -> None:
    page = feed.page
    feed.shows(feed.job("done", [output(0), output(1)]))
    for tab in ("txt2img", "other"):
        go_to(page, tab)
        expect(page.locator(f"#{tab}_stage")).to_have_attribute("data-shows", "picture")
        page.click(f"#{tab}_gallery button:nth-child(2)")
        expect(page.locator(f"#html_info_{tab}")).to_contain_text("a heart 1")
        choose_for_picture(page, "reuse-seed", tab)
        expect(page.locator(f"#{tab}_seed input")).to_have_value("1")
    page.fill("#other_prompt textarea", INFOTEXT)
    page.click("#other_controls [data-take=paste]")
    expect(page.locator("#other_prompt textarea")).to_have_value("a lighthouse")
    assert shown(page, "other") == ["a lighthouse", "12", "192", "128"]
    assert shown(page, "txt2img")[0] == ""
    page.click("#other_open")
    expect(page.locator(".sd-viewer[open]")).to_have_count(1)
