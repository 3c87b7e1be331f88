"""A guest at the page's own listeners: what REST refuses him, they refuse too."""

from __future__ import annotations

import json
from typing import Any

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from tests.webui.tabs.drawing.test_submitting import GOOD
from tests.webui.test_commands import Page
from tests.webui.test_commands import page as page
from tests.webui.test_commands import port as port
from webui import takeover
from webui.tabs.drawing.submitting import submit
from webui.tabs.settings.applying import apply_settings

OWNER = Actor("owner-of-the-desk", "127.0.0.1")
GUEST = Actor("0123456789abcdef01234567", "10.0.0.3", only_own=True)


def queue(store: JobStore, catalogue: CheckpointCatalogue, who: Actor, *more: Any, **named: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(submit(store, catalogue, "txt2img", GOOD, who, *more, **named))
    return told


def test_a_guest_changes_no_settings(store: JobStore, options: Options) -> None:
    before = options.values
    assert "for those who log in" in apply_settings(store, {"show_progress_in_title": False}, GUEST)
    assert options.values == before and store.audit.rows(10) == []


def test_a_guest_chooses_the_model_of_his_own_jobs_alone(page: Page, options: Options) -> None:
    options.update({"sd_model_checkpoint": "another"})
    page.choose_model("emoji", "10.0.0.3")
    assert options.values.sd_model_checkpoint == "another"
    page.choose_model("emoji")
    assert options.values.sd_model_checkpoint == "emoji"


def test_a_guest_gets_at_no_job_of_others_by_its_id(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    queue(store, catalogue, OWNER, "theirs")
    told = queue(store, catalogue, GUEST, "theirs")
    assert "taken by another job" in told["message"] and "red heart" not in str(told)
    queue(store, catalogue, GUEST, "mine", retry_of="theirs")
    assert [store.jobs.get(id) is not None for id in ("theirs", "mine")] == [True, True], "it takes nobody's place"
    for kind in ("edit", "reuse"):
        answer = takeover.answer(json.dumps({"kind": kind, "job": "theirs"}), GUEST, store, catalogue)
        assert "problem" in json.loads(answer) and "red heart" not in answer
