"""Restarts from the page: whom they are for, and who ordered them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from modules.cmd_args import ENVIRONMENT_VARIABLE, Arguments
from modules.jobs.checkpoints import CheckpointCatalogue
from modules.jobs.store import JobStore
from modules.options import Options
from modules.shared_state import State
from webui import actors
from webui.ui import create_ui

BUTTONS = ("settings_restart_gradio", "settings_restart_engine", "settings_cancel_restart", "steady_start_engine")


class Page:
    """The page, pressed from an address. `sent` holds the commands that reach the launcher."""

    def __init__(self, blocks: gr.Blocks, state: State) -> None:
        self.sent: list[str] = []
        state.command_port = self.sent.append
        ids = {block.elem_id: block._id for block in blocks.blocks.values() if getattr(block, "elem_id", None)}
        functions = {target: function.fn for function in blocks.fns.values() for target in function.targets}
        self._listeners: dict[str, Any] = {button: functions[ids[button], "click"] for button in BUTTONS}

    def press(self, button: str, address: str, when: str = "") -> str:
        """Return the words that the page shows."""
        asker: Any = SimpleNamespace(client=SimpleNamespace(host=address))
        moment = [when] if button.startswith("settings_restart") else []
        return str(self._listeners[button](*moment, "tab-1", asker))


@pytest.fixture
async def page(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options, monkeypatch: pytest.MonkeyPatch
) -> Page:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    state = State()
    monkeypatch.setattr(actors, "state", state)
    return Page(create_ui(store, catalogue), state)


async def test_restarts_of_this_machine_are_ordered_and_kept(page: Page, store: JobStore) -> None:
    assert "replaced" in page.press("settings_restart_gradio", "127.0.0.1")
    assert page.press("settings_restart_engine", "127.0.0.1", "-when-idle") == ""
    page.press("settings_cancel_restart", "::1")
    page.press("steady_start_engine", "127.0.0.1")
    assert page.sent == ["restart", "restart-engine-when-idle", "cancel-restart", "restart-engine"]
    rows = store.audit(10)
    assert [row.action for row in reversed(rows)] == page.sent
    assert {(row.owner, row.address) for row in rows} == {("tab-1", "127.0.0.1"), ("tab-1", "::1")}


@pytest.mark.parametrize("button", BUTTONS)
async def test_those_of_other_machines_need_the_flag_as_over_rest(
    page: Page, store: JobStore, button: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        words = page.press(button, "192.168.1.9")
    except gr.Error as error:  # where the page has no place for words of its own
        words = error.message
    assert "192.168.1.9" in words and "--api-server-stop" in words
    assert (page.sent, store.audit(10)) == ([], [])
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, Arguments(api_server_stop=True).to_json())
    page.press(button, "192.168.1.9")
    assert len(page.sent) == 1
