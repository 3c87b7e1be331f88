"""What Generate answers: a job, or words for a field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from webui.tabs.drawing.submitting import submit

WHO = Actor("owner-1", "127.0.0.1")
GOOD: dict[str, Any] = {
    "prompt": "red heart", "negative_prompt": "", "sampler_name": "Euler", "scheduler": "Automatic", "steps": 20,
    "cfg_scale": 5, "width": 128, "height": 128, "n_iter": 2, "batch_size": 1, "seed": -1,
    "override_settings": {"sd_model_checkpoint": "emoji"},
}  # fmt: skip


def answer(store: JobStore, catalogue: CheckpointCatalogue, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(submit(store, catalogue, "txt2img", {**GOOD, **changes}, WHO))
    return found


def test_a_good_request_is_queued_for_its_owner(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    told = answer(store, catalogue)["job"]
    assert (told["status"], told["position"], told["owner"]) == ("queued", 1, "owner-1")
    job = store.jobs.get(told["id"])
    assert job is not None
    assert (job.request["prompt"], job.request["n_iter"], job.owner) == ("red heart", 2, "owner-1")


def test_what_was_sent_twice_is_one_job(store: JobStore, catalogue: CheckpointCatalogue, options: Options) -> None:
    told = [json.loads(submit(store, catalogue, "txt2img", GOOD, WHO, "0a1b2c")) for _ in range(2)]
    assert [one["job"]["id"] for one in told] == ["0a1b2c", "0a1b2c"]
    assert store.jobs.page()[1] == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("width", 100, "96 or 104"),
        ("steps", 0, "0"),
        ("steps", 10_000, "150"),
        ("batch_size", 1000, "16"),
        ("sampler_name", "Wishful", "Euler"),
        ("prompt", "a" * 100_000, "10,000"),
        ("prompt", "a\0b", "NUL"),
        ("width", "wide", "wide"),
    ],
)
def test_a_bad_value_is_told_for_its_field_and_nothing_is_queued(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options, field: str, value: object, words: str
) -> None:
    told = answer(store, catalogue, **{field: value})
    assert told["field"] == field
    assert words in told["message"]
    assert store.jobs.page()[1] == 0


def test_an_unknown_checkpoint_lists_the_known_ones(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    told = answer(store, catalogue, override_settings={"sd_model_checkpoint": "no-such"})
    assert "no-such" in told["message"] and "emoji" in told["message"]
    assert store.jobs.page()[1] == 0


def test_an_empty_number_means_the_model_decides(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    told = answer(store, catalogue, width=None, height=None, steps=None)["job"]
    assert (told["request"]["width"], told["request"]["steps"]) == (None, None)


def test_who_asked_and_what_was_edited_are_kept(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    first = store.queue.submit("txt2img", GOOD, "owner-1")
    store.claims.claim("engine")
    store.claims.finish(first.id, "done")
    told = json.loads(submit(store, catalogue, "txt2img", GOOD, WHO, "0a1b2c", forever=True, retry_of=first.id))["job"]
    assert (told["forever"], told["retry_of"]) == (True, first.id)
    assert [(row.owner, row.address) for row in store.audit.rows(1)] == [("owner-1", "127.0.0.1")]


def test_an_edited_job_that_waits_is_replaced_by_its_owner_alone_where_the_setting_says_so(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    options.update({"only_own_jobs": True})
    mine, theirs = (store.queue.submit("txt2img", GOOD, owner) for owner in (WHO.owner, "owner-2"))
    for number, edited in enumerate((theirs, mine)):
        submit(store, catalogue, "txt2img", GOOD, WHO, f"new-{number}", retry_of=edited.id)
    assert store.jobs.get(mine.id) is None
    assert store.jobs.get(theirs.id) is not None
    assert sorted(store.jobs.queued_ids()) == sorted(["new-0", "new-1", theirs.id])


def test_a_seed_is_kept_to_the_last_digit_and_no_word_becomes_one(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    told = answer(store, catalogue, seed="9007199254740993")["job"]
    job = store.jobs.get(told["id"])
    assert job is not None and job.request["seed"] == 9007199254740993
    refused = answer(store, catalogue, seed="hello")
    assert refused["field"] == "seed" and "hello" in refused["message"]
