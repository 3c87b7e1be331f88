"""From a finished picture to the next one: other seeds, a second pass, the same seed with other words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.answers import Answer, answer, as_json
from tests.e2e.answers import Asked as Request
from tests.e2e.feed import Feed, output
from tests.e2e.profiles import emptied
from tests.program import Program

SEED = "9007199254740993"  # more than a number of a browser holds
PICTURE = output(0, 64, 96, infotext=f"a heart\nSteps: 7, Seed: {SEED}")
REQUEST: dict[str, Any] = {"prompt": "a heart", "n_iter": 2, "steps": None, "width": 64, "height": 96, "seed": -1}
RESOLVED = {"prompt": "a heart", "steps": 7, "sampler_name": "DDIM", "checkpoint": "emoji", "seed": 5}


class Asked:
    """The page with a finished picture, and what it asks to be queued."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.bodies = page, list[Any]()
        self.feed = Feed(page, url)
        answer(page, ["*/sdapi/v1/jobs", r"*/sdapi/v1/jobs\?*", "*/sdapi/v1/jobs/" + 24 * "?"], self._answer)
        self.feed.open()

    def _answer(self, asked: Request) -> Answer:
        if asked.method == "POST":
            self.bodies.append(json.loads(asked.body or "{}"))
        job = self.feed.job("queued", [])
        return as_json({**job, "id": f"new-{len(self.bodies)}", "jobs": [], "total": 0})

    def shows(self, **job: Any) -> Page:
        wanted = {"kind": "txt2img", "request": REQUEST, "resolved": RESOLVED} | job
        self.feed.shows(self.feed.job("done", [PICTURE], **wanted))
        self.feed.wait_for_picture(PICTURE["url"])
        return self.page

    def press(self, deed: str) -> dict[str, Any]:
        """Return what a button asks for."""
        count = len(self.bodies) + 1
        self.page.click(f"#txt2img_send [data-do={deed}]")
        self.page.wait_for_function("(id) => window.steady.state().jobs[id]", arg=f"new-{count}")
        assert len(self.bodies) == count
        found: dict[str, Any] = self.bodies[-1]
        return found


@pytest.fixture(scope="module")
def asked(second_profile: BrowserContext, program: Program) -> Iterator[Asked]:
    with emptied(second_profile) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1366, "height": 768})
        yield Asked(page, program.url)


@pytest.fixture
def phone(phone_context: BrowserContext, program: Program) -> Asked:
    return Asked(phone_context.new_page(), program.url)


def test_variations_are_one_job_with_a_part_of_other_seeds_noise_and_the_model_of_the_picture(asked: Asked) -> None:
    asked.shows()
    job = asked.press("variations")
    varied = {"seed": SEED, "subseed": -1, "subseed_strength": 0.2, "n_iter": 4, "batch_size": 1}
    wanted = REQUEST | varied | {"override_settings": {"sd_model_checkpoint": "emoji"}}
    assert (job["kind"], job["request"]) == ("txt2img", wanted)


def test_a_second_pass_over_the_picture_has_its_seed_and_the_values_of_the_fields(asked: Asked) -> None:
    page = asked.shows()
    page.click("button[data-hires]")
    page.fill("#txt2img_hr_scale input[type=number]", "1.5")
    page.locator("#txt2img_hr_scale input[type=number]").blur()
    page.wait_for_function("() => JSON.parse(localStorage.getItem('steady.txt2img') || '{}').hr_scale === 1.5")
    request = asked.press("hires")["request"]
    told = {
        name: request[name] for name in ("enable_hr", "firstpass_image", "seed", "hr_scale", "hr_upscaler", "width")
    }
    assert told == {
        "enable_hr": True, "firstpass_image": PICTURE["url"], "seed": SEED, "hr_scale": 1.5, "hr_upscaler": "Latent",
        "width": 64,
    }  # fmt: skip
    assert (request["steps"], request["sampler_name"], request.get("n_iter")) == (7, "DDIM", None)


def test_what_has_no_room_beside_the_others_is_in_the_menu(phone: Asked) -> None:
    page = phone.shows()
    box, menu = page.locator("#txt2img_send"), page.locator("#txt2img_send [role=menu]")
    expect(box.locator("> .sd-ways")).to_be_hidden()
    box.locator("[aria-haspopup]").click()
    words = [one.strip() for one in menu.locator(":visible").all_inner_texts()]
    assert words == [
        "img2img", "inpaint", "extras", "hires", "Reuse settings", "Download", "Save", "Reuse seed", "Copy infotext",
        "Open in new tab",
    ]  # fmt: skip
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    # They are in one row however wide the window is.
    for width, shown in ((840, 3), (1100, 4), (1260, 5), (1440, 6)):
        page.set_viewport_size({"width": width, "height": 844})
        places = box.locator("> :visible").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
        assert (len(places), len(set(places))) == (shown, 1), f"at {width}"


def test_a_picture_that_was_made_larger_has_no_seed_to_go_on_from(asked: Asked) -> None:
    request = {"upscaling_resize": 2, "resize_mode": 0, "upscaler_1": "Lanczos", "image": "a.png"}
    page = asked.shows(kind="extras", request=request)
    expect(page.locator("#txt2img_send [data-do=variations]")).to_be_hidden()
    expect(page.locator("#txt2img_send > .sd-ways [data-do=img2img]")).to_be_visible()
