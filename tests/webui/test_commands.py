"""Buttons of the page that stop and restart: whom they are for, which job they mean, and who pressed them."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from modules.cmd_args import ENVIRONMENT_VARIABLE, Arguments
from modules.errors import SteadyError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor, RequestKind
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.shared_state import State
from webui import actors
from webui.ui import create_ui

RESTARTS = ("settings_restart_gradio", "settings_restart_engine", "settings_cancel_restart", "steady_start_engine")
STOPS = ("txt2img_interrupt", "txt2img_skip", "txt2img_stop_after")


class Page:
    """The page, pressed from an address. `sent` holds the commands that reach the launcher."""

    def __init__(self, blocks: gr.Blocks, state: State) -> None:
        self.sent: list[str] = []
        self.state = state
        state.command_port = self.sent.append
        ids = {block.elem_id: block._id for block in blocks.blocks.values() if getattr(block, "elem_id", None)}
        functions = {target: function.fn for function in blocks.fns.values() for target in function.targets}
        self._choose: Any = functions[ids["setting_sd_model_checkpoint"], "input"]
        self._reload: Any = functions[ids["steady_reload_models"], "click"]
        self._listeners: dict[str, Any] = {button: functions[ids[button], "click"] for button in (*RESTARTS, *STOPS)}

    def press(self, button: str, address: str, when: str = "") -> str:
        """Return the words that the page shows. `when` is the moment of a restart, and the job that a stop means."""
        asker: Any = SimpleNamespace(request=SimpleNamespace(scope={"client": (address, 1), "headers": []}))
        first = [when] if button.startswith(("settings_restart", "txt2img_")) else []
        return str(self._listeners[button](asker, *first, "tab-1"))

    def choose_model(self, name: Any, address: str = "127.0.0.1") -> None:
        """Send a name as the list of models does."""
        asker: Any = SimpleNamespace(request=SimpleNamespace(scope={"client": (address, 1), "headers": []}))
        self._choose(asker, name, "o" * 10_000)

    def reload_models(self, chosen: str) -> dict[str, Any]:
        """Hear of new models while `chosen` is chosen; return what becomes of the list."""
        found: dict[str, Any] = self._reload(SimpleNamespace(), chosen)[0]
        return found


class Port:
    """Takes what people ask of jobs, with who asks; refuses what is asked of "theirs"."""

    def __init__(self) -> None:
        self.asked: list[tuple[RequestKind, str | None, Actor]] = []

    def stop(self, kind: RequestKind, job: str | None, by: Actor) -> None:
        if job == "theirs":
            raise SteadyError("Job theirs is another owner's.")
        self.asked.append((kind, job, by))


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
async def page(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options, port: Port, monkeypatch: pytest.MonkeyPatch
) -> Page:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    state = State()
    monkeypatch.setattr(actors, "state", state)
    return Page(create_ui(store, catalogue, port.stop), state)


async def test_restarts_of_this_machine_are_ordered_and_kept(page: Page, store: JobStore) -> None:
    assert "replaced" in page.press("settings_restart_gradio", "127.0.0.1")
    assert "The engine starts again when idle." in page.press("settings_restart_engine", "127.0.0.1", "-when-idle")
    page.press("settings_cancel_restart", "::1")
    page.press("steady_start_engine", "127.0.0.1")
    assert page.sent == ["restart", "restart-engine-when-idle", "cancel-restart", "restart-engine"]
    rows = store.audit.rows(10)
    assert [row.action for row in reversed(rows)] == page.sent
    assert {(row.owner, row.address) for row in rows} == {("tab-1", "127.0.0.1"), ("tab-1", "::1")}


async def test_those_of_other_machines_need_the_flag_as_over_rest(
    page: Page, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for button in RESTARTS:
        try:
            words = page.press(button, "192.168.1.9")
        except gr.Error as error:  # where the page has no place for words of its own
            words = error.message
        assert "192.168.1.9" in words and "--api-server-stop" in words, button
        assert (page.sent, store.audit.rows(10)) == ([], []), button
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, Arguments(api_server_stop=True).to_json())
    for count, button in enumerate(RESTARTS, 1):
        page.press(button, "192.168.1.9")
        assert len(page.sent) == count, button


async def test_a_moment_that_the_page_does_not_offer_orders_nothing(page: Page, store: JobStore) -> None:
    moments: list[Any] = ["-at-noon", "-after-image; stop", ["-when-idle"], {"a": 1}, None, 5]
    for when, button in itertools.product(moments, ("settings_restart_gradio", "settings_restart_engine")):
        words = page.press(button, "127.0.0.1", when)
        assert "is no moment to restart at: choose now or after this image or when idle" in words, when
        assert (page.sent, store.audit.rows(10)) == ([], []), when


async def test_a_model_that_is_not_there_becomes_nobody_s(page: Page, options: Options) -> None:
    """It was written into the settings, and every request that named no model was refused from then on."""
    before = options.values
    for name in ("../..", "no such model", "x" * 5000):
        with pytest.raises(gr.Error, match="is not known: use one of emoji"):
            page.choose_model(name)
        assert options.values == before, name


async def test_news_of_models_do_not_take_back_what_was_chosen_while_they_came(page: Page, options: Options) -> None:
    assert "value" not in page.reload_models("emoji")
    assert page.reload_models("gone")["value"] == "emoji"


async def test_what_is_no_name_chooses_nothing(page: Page, options: Options) -> None:
    before = options.values
    names: list[Any] = [["emoji"], {"a": 1}, 5, None, ""]
    for name in names:
        page.choose_model(name)
        assert options.values == before, name


def test_who_presses_has_a_short_name() -> None:
    asker: Any = SimpleNamespace(request=SimpleNamespace(scope={"client": ("127.0.0.1", 1), "headers": []}))
    assert actors.actor("o" * 10_000, asker).owner == "o" * 200
    assert actors.actor("", asker).owner == "page"
    for nobody in (["me"], {"a": 1}, 5):
        assert actors.actor(nobody, asker).owner == "127.0.0.1"


async def test_stops_mean_the_job_that_is_shown_and_say_who_asks(page: Page, port: Port) -> None:
    me = Actor("tab-1", "127.0.0.1")
    assert page.press("txt2img_interrupt", me.address, "again mine") == ""
    assert page.press("txt2img_interrupt", me.address, "first ") == ""
    assert page.press("txt2img_skip", me.address, "mine") == ""
    assert page.press("txt2img_stop_after", me.address, "") == ""
    assert port.asked == [
        ("interrupt", "mine", me), ("interrupt", None, me), ("skip", "mine", me), ("stop", None, me),
    ]  # fmt: skip
    told = json.loads(page.press("txt2img_skip", me.address, "theirs"))
    assert told == {"message": "Job theirs is another owner's."}


async def test_the_first_interrupt_waits_for_the_image_where_the_setting_says_so(
    page: Page, port: Port, options: Options
) -> None:
    options.update({"interrupt_after_current": True})
    for job in ("first mine", "again mine"):
        page.press("txt2img_interrupt", "127.0.0.1", job)
    assert [kind for kind, _, _ in port.asked] == ["stop", "interrupt"]


async def test_without_a_launcher_the_page_says_what_rest_says(page: Page, store: JobStore) -> None:
    page.state.command_port = None
    words = page.press("settings_restart_gradio", "127.0.0.1")
    assert "No launcher follows the command restart" in words and "replaced" not in words
    assert store.audit.rows(10) == []


async def test_what_is_no_job_is_told_and_stops_nothing(page: Page, port: Port) -> None:
    jobs: list[Any] = [5, 2**70, True, ["theirs"], {"a": 1}]
    for job, button in itertools.product(jobs, STOPS):
        assert "no job" in json.loads(page.press(button, "127.0.0.1", job))["message"], job
        assert port.asked == [], job
