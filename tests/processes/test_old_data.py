"""A data folder that an earlier version left behind, amid its work: everything in it is there, and goes on.

`old_data.tar.xz` was made by running that version (0.1.0, of the time when a row held one pass with all values side by
side), with jobs of every status, and by killing it while it drew "running". "paused" asks for the picture of "done".
The embedded model had other weights then: the rows are told the hash that that version would have written of today's.
"""

import contextlib
import io
import itertools
import re
import sqlite3
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules.paths import ROOT
from tests.jobs.made_models import hash_of_the_first_versions
from tests.processes.ending import a_stop_over_rest_ends_everything
from tests.program import Program

ARCHIVE = Path(__file__).with_name("old_data.tar.xz")
HASH_THEN = "8395155179225aaeb09c3c80b847feffa207304d6e73e0c86a983be30a721a71"
ENDED = {
    "done": "done",
    "batch": "done",
    "interrupted": "interrupted",
    "failed": "failed",
    "quarantined": "quarantined",
}
SETTINGS = {
    "torch_threads": 1, "save_incomplete_images": True, "queue_limit": 77,
    "snapshot_every_seconds": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    with contextlib.closing(sqlite3.connect(folder / "data" / "jobs.sqlite")) as database, database:
        today = hash_of_the_first_versions(ROOT / "models" / "Stable-diffusion" / "emoji")
        database.execute("UPDATE jobs SET resolved = replace(resolved, ?, ?)", (HASH_THEN, today))
        # 300 steps were there to be killed amid, and are more than what is left of them has to show.
        fewer = "replace(request, :then, :now), resolved = replace(resolved, :then, :now)"
        steps = {"then": '"steps": 150', "now": '"steps": 40'}
        database.execute(f"UPDATE jobs SET request = {fewer} WHERE id = 'running'", steps)
    with Program(folder / "data") as started:
        yield started


def pictures(program: Program, job: dict[str, Any]) -> list[bytes]:
    answers = [program.call("GET", output["url"]) for output in job["outputs"]]
    assert [status for status, _ in answers] == [200] * len(answers)
    return [data for _, data in answers]


def test_jobs_that_had_ended_are_there_with_their_pictures(program: Program) -> None:
    jobs = {identity: program.job(identity) for identity in ENDED}
    assert {identity: job["status"] for identity, job in jobs.items()} == ENDED
    assert {identity: len(job["outputs"]) for identity, job in jobs.items()} == {
        "done": 1, "batch": 4, "interrupted": 1, "failed": 0, "quarantined": 0,
    }  # fmt: skip
    for job in jobs.values():
        for data, output in zip(pictures(program, job), job["outputs"], strict=True):
            with Image.open(io.BytesIO(data)) as picture:
                assert picture.size == (64, 64)
                assert picture.info["parameters"] == output["infotext"]
    assert jobs["interrupted"]["outputs"][0]["partial"]
    assert "gone" in jobs["failed"]["error"]
    assert "died 2 times" in jobs["quarantined"]["error"]


def test_requests_and_what_became_of_them_are_told_as_ever(program: Program) -> None:
    done = program.job("done")
    asked = {"seed": 4711, "steps": 60, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "cfg_scale": 3.5}
    for told in (done["request"], done["resolved"]):
        assert told.items() >= {"prompt": "red heart, ünïcode", "negative_prompt": "blue", **asked}.items()
    assert done["resolved"]["checkpoint"] == "emoji"
    assert program.job("batch")["resolved"].items() >= {"batch_size": 2, "n_iter": 2, "save_images": True}.items()


def test_settings_audit_and_events_are_there(program: Program) -> None:
    assert program.get("/sdapi/v1/options").items() >= SETTINGS.items()
    told = {(row["action"], row["job_id"]) for row in program.get("/sdapi/v1/audit?limit=1000")["audit"]}
    assert told >= {("submit", "done"), ("interrupt", "interrupted"), ("pause", "paused")}
    request = urllib.request.Request(program.url + "/sdapi/v1/events", headers={"Last-Event-ID": "1"})
    with urllib.request.urlopen(request, timeout=30) as stream:
        numbers = (int(line.removeprefix(b"id: ")) for line in stream if line.startswith(b"id: "))
        assert list(itertools.islice(numbers, 20)) == list(range(1, 21))  # the snapshot's is the one that is named


def test_what_waited_or_ran_when_it_was_killed_is_drawn(program: Program) -> None:
    assert program.wait_for("running")["status"] == "done"
    assert [output["seed"] for output in program.job("running")["outputs"]] == [21, 22]
    queued = program.wait_for("queued")
    assert (queued["status"], queued["owner"], queued["resolved"]["steps"]) == ("done", "somebody else", 3)


def test_the_paused_job_is_drawn_anew_since_its_snapshot_is_of_other_weights(program: Program) -> None:
    paused = program.job("paused")
    assert (paused["status"], paused["outputs"], 0 < paused["progress"] < 1) == ("paused", [], True)
    program.post("/sdapi/v1/jobs/paused/resume")
    resumed = program.wait_for("paused")
    assert (resumed["status"], resumed["error"]) == ("done", None)
    assert re.fullmatch(r"Cannot be continued exactly: .*; it began again\.", resumed["notes"][-1]["text"])
    anew = program.wait_for(program.submit(**paused["request"]))
    [file], [file_anew] = (pictures(program, job) for job in (resumed, anew))
    assert pixels(file) == pixels(file_anew)


def test_a_stop_over_rest_ends_everything(program: Program) -> None:
    """The last one here, since it ends this file's program."""
    a_stop_over_rest_ends_everything(program)


def pixels(file: bytes) -> bytes:
    with Image.open(io.BytesIO(file)) as picture:
        return picture.tobytes()
