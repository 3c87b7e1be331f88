"""Apply: all or nothing, told in words."""

from __future__ import annotations

import html
import json

import pytest

from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from webui.tabs.settings.applying import apply_settings, names_in
from webui.tabs.settings.tab import shown, shown_fields


def test_what_changed_is_named_and_announced(store: JobStore, options: Options) -> None:
    values: dict[str, object] = {one.name: one.default for one in shown_fields()}
    words = apply_settings(store, {**values, "results_kept_hours": 48, "torch_threads": 2})
    assert "Saved: " in words and "Hours to keep" in words and "CPU threads" in words
    assert "Restart the engine" in words and "Restart the server" not in words
    assert (options.values.results_kept_hours, options.values.torch_threads) == (48, 2)
    assert [event.kind for event in store.events.after(0)] == ["settings"]


def test_one_bad_value_changes_nothing(store: JobStore, options: Options) -> None:
    words = apply_settings(store, {"results_kept_hours": 48, "live_preview_max_size": 3})
    assert "Nothing was changed: “Longest side of a preview, in pixels” cannot be so." in words
    assert "3 is not possible: use 64 to 2048." in words and "live_preview_max_size" in words
    assert options.values.results_kept_hours == 24
    assert store.events.last() == 0


def test_every_fault_is_told_at_its_field_without_internal_names(store: JobStore, options: Options) -> None:
    told = apply_settings(store, {"queue_limit": None, "theme": "pink", "torch_threads": 1.5})
    faults = json.loads(html.unescape(told.split('data-faults="')[1].split('"')[0]))
    assert faults == {
        "queue_limit": "This is empty, or no number: use 0 to 100,000.",
        "theme": '"pink" is not possible: use auto, light or dark.',
        "torch_threads": "1.5 is not possible: use a whole number.",
    }


def test_no_two_answers_are_alike_for_gradio_shows_none_again(store: JobStore, options: Options) -> None:
    assert apply_settings(store, {}) != apply_settings(store, {})


def test_a_value_cannot_write_html(store: JobStore, options: Options) -> None:
    words = apply_settings(store, {"theme": "<img src=x>"})
    assert "<img" not in words


def test_nothing_new_is_said_as_such(store: JobStore, options: Options) -> None:
    assert "set already" in apply_settings(store, {"results_kept_hours": 24})


def test_values_are_said_as_the_page_says_them() -> None:
    assert (shown(True), shown(False), shown(512), shown("auto")) == ("on", "off", "512", "auto")


def test_who_applied_what_is_kept(store: JobStore, options: Options) -> None:
    apply_settings(store, {"results_kept_hours": 48}, Actor("owner-1", "127.0.0.1"))
    row = store.audit.rows(1)[0]
    assert (row.owner, row.action, row.detail["changed"]) == ("owner-1", "settings", ["results_kept_hours"])


@pytest.mark.parametrize("sent", [5, ["theme"], {"a": 1}, None, "", "theme", "5", "[" * 100_000])
def test_what_is_no_list_of_names_names_nothing(sent: object) -> None:
    assert names_in(sent) == []
