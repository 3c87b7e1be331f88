"""Apply: all or nothing, told in words."""

from __future__ import annotations

from modules.jobs.rows import Actor
from modules.jobs.store import JobStore
from modules.options import Options
from webui.tabs.settings import apply_settings, shown, shown_fields


def test_what_changed_is_named_and_announced(store: JobStore, options: Options) -> None:
    values: dict[str, object] = {one.name: one.default for one in shown_fields()}
    words = apply_settings(store, {**values, "results_kept_hours": 48, "torch_threads": 2})
    assert "Saved: " in words and "Hours to keep" in words and "CPU threads" in words
    assert "Restart the engine" in words and "Restart the server" not in words
    assert (options.values.results_kept_hours, options.values.torch_threads) == (48, 2)
    assert [event.kind for event in store.events_after(0)] == ["settings"]


def test_one_bad_value_changes_nothing(store: JobStore, options: Options) -> None:
    words = apply_settings(store, {"results_kept_hours": 48, "live_preview_max_size": 3})
    assert "Nothing was changed" in words and "3 is not possible" in words
    assert options.values.results_kept_hours == 24
    assert store.last_event() == 0


def test_a_value_cannot_write_html(store: JobStore, options: Options) -> None:
    words = apply_settings(store, {"theme": "<img src=x>"})
    assert "<img" not in words


def test_nothing_new_is_said_as_such(store: JobStore, options: Options) -> None:
    assert "set already" in apply_settings(store, {"results_kept_hours": 24})


def test_values_are_said_as_the_page_says_them() -> None:
    assert (shown(True), shown(False), shown(512), shown("auto")) == ("on", "off", "512", "auto")


def test_who_applied_what_is_kept(store: JobStore, options: Options) -> None:
    apply_settings(store, {"results_kept_hours": 48}, Actor("owner-1", "127.0.0.1"))
    row = store.audit(1)[0]
    assert (row.owner, row.action, row.detail["changed"]) == ("owner-1", "settings", ["results_kept_hours"])
