"""What has ended can be forgotten, with its prompt, and nothing else changes by it."""

import sqlite3
from pathlib import Path

import pytest

from modules.errors import StorageError, UnknownJob
from modules.images.save import save_image
from modules.jobs.rows import Actor
from modules.jobs.store import deletion as store_deletion
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import get, submit
from tests.jobs.store.test_queue import claim, queue

SECRET = "Zebrafinch"
ME = Actor("me", "127.0.0.1")


def draw(store: JobStore, id: str, root: Path, save: bool = True, **more: str) -> Path:
    """Submit a job, draw one picture and end it; return the picture's path."""
    submit(store, id, **more)
    while (job := store.claims.claim("engine")) is not None and job.id != id:
        raise AssertionError("another job waits")
    image = store.images.reserve(id, 0, seed=7, width=64, height=64, save=save)
    save_image(b"picture", root / image.name)
    store.images.complete(id, 0, f"{SECRET}\nSteps: 5")
    store.claims.finish(id, "failed", f"no {SECRET}")
    return root / image.name


def bytes_on_disk(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.glob("jobs.sqlite*")))


def test_a_deleted_job_leaves_nothing_of_its_prompt(store: JobStore, tmp_path: Path) -> None:
    for number in range(60):
        store.queue.submit("txt2img", {"prompt": f"{SECRET} {'x' * 37 * number}"}, "me", id=f"secret-{number}", by=ME)
        store.queue.submit("txt2img", {"prompt": "daisy"}, "you", id=f"open-{number}")
    while (job := store.claims.claim("engine")) is not None:
        store.claims.set_resolved(job.id, job.request)
        store.claims.note(job.id, "told", f"{job.request['prompt']} is hard to draw")
        store.images.reserve(job.id, 0, seed=7, width=64, height=64, save=True)
        store.images.complete(job.id, 0, f"{job.request['prompt']}\nSteps: 5")
        store.claims.finish(job.id, "failed", f"no {job.request['prompt']}")
    assert SECRET.encode() in bytes_on_disk(tmp_path)
    assert store.deletion.delete("secret-0", by=ME)[0].accepted
    assert store.deletion.delete_jobs(JobFilter(text=SECRET.lower()), by=ME).jobs == 59
    left = bytes_on_disk(tmp_path)
    assert SECRET.encode() not in left
    assert left.count(b"daisy is hard to draw") >= 60
    assert store.jobs.page(limit=1)[1] == 60
    assert [row.action for row in store.audit.rows(3)] == ["delete-jobs", "delete-jobs", "delete"]


def test_only_what_has_ended_is_deleted(store: JobStore) -> None:
    submit(store, "runs")
    submit(store, "waits")
    store.claims.claim("engine")
    for id, status in (("runs", "running"), ("waits", "queued")):
        answer, deleted = store.deletion.delete(id)
        assert (answer.accepted, answer.was, deleted.jobs) == (False, status, 0)
    assert store.deletion.delete_jobs(JobFilter()).jobs == 0
    assert store.deletion.delete_jobs(JobFilter(("queued", "running"))).jobs == 0
    with pytest.raises(UnknownJob):
        store.deletion.delete("none")


def test_results_go_with_their_job_and_saved_pictures_when_asked(store: JobStore, tmp_path: Path) -> None:
    saved, result = draw(store, "a", tmp_path), draw(store, "b", tmp_path, save=False)
    also_saved = draw(store, "c", tmp_path)
    assert result.parent.name == "b"
    for id in "ab":
        store.deletion.delete(id)
    assert saved.exists()
    assert not result.parent.exists()
    assert store.deletion.delete("c", files=True)[1].files == 1
    assert not also_saved.exists()
    assert draw(store, "d", tmp_path).name.startswith("00002-")  # no number comes again


def test_files_that_cannot_go_now_go_later(store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw(store, "a", tmp_path)

    def refuse(_path: Path) -> None:
        raise StorageError("no")

    with monkeypatch.context() as refusing:
        refusing.setattr(store_deletion, "remove_image", refuse)
        deleted = store.deletion.delete("a", files=True)[1]
    assert (deleted.files, deleted.files_left) == (0, 1)
    assert path.exists()
    assert store.deletion.finish() == 1
    assert not path.exists()
    assert store.deletion.finish() == 0


def test_what_a_new_job_of_the_same_id_draws_stays(
    store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise StorageError("no")

    path = draw(store, "a", tmp_path, save=False)
    with monkeypatch.context() as refusing:
        refusing.setattr(store_deletion, "remove_image", refuse)
        assert store.deletion.delete("a")[1].files_left == 1
    assert draw(store, "a", tmp_path, save=False) == path
    assert store.deletion.finish() == 0
    assert path.exists()


def test_filters_join(store: JobStore, tmp_path: Path, clock: Clock) -> None:
    for id in "abcd":
        draw(store, id, tmp_path, owner="x" if id in "ab" else "y")
        clock.now += 100
    assert store.deletion.delete_jobs(JobFilter(("done",))).jobs == 0
    assert store.deletion.delete_jobs(JobFilter(owner="x", finished_until=clock.now - 350)).jobs == 1
    assert [job.id for job in store.jobs.page()[0]] == ["d", "c", "b"]
    assert store.deletion.delete_jobs(JobFilter(("failed",), owner="y")).jobs == 2
    assert [job.id for job in store.jobs.page()[0]] == ["b"]


def test_too_many_for_once_are_told(store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_deletion, "MOST_DELETED_AT_ONCE", 2)
    for id in "abc":
        draw(store, id, tmp_path)
    deleted = store.deletion.delete_jobs(JobFilter())
    assert (deleted.jobs, deleted.left) == (2, 1)
    assert [job.id for job in store.jobs.page()[0]] == ["c"]


def test_the_rule_keeps_days_and_the_last(store: JobStore, tmp_path: Path, clock: Clock) -> None:
    for id in "abcdef":
        path = draw(store, id, tmp_path)
        clock.now += 86_400
    assert store.deletion.delete_old(0, 0).jobs == 0
    assert store.deletion.delete_old(5, 0).jobs == 1
    assert store.deletion.delete_old(0, 3).jobs == 2
    assert [job.id for job in store.jobs.page()[0]] == ["f", "e", "d"]
    draw(store, "g", tmp_path)
    draw(store, "h", tmp_path)
    assert store.deletion.delete_old(0, 1).jobs == 3  # g ended just now: its client may still ask for it
    assert [job.id for job in store.jobs.page()[0]] == ["h", "g"]
    assert path.exists()


def test_deletion_changes_no_turn(store: JobStore) -> None:
    for id in ("a1", "a2", "b1", "c1", "c2"):
        submit(store, id, owner=id[0])
    assert [claim(store), claim(store)] == ["a1", "b1"]
    before = queue(store)
    assert before == "c1 a2 c2"
    store.deletion.delete_jobs(JobFilter())
    assert queue(store) == before
    submit(store, "b2", owner="b")
    assert queue(store) == "c1 a2 b2 c2"


def test_watchers_hear_of_it_and_no_number_is_missing(store: JobStore, tmp_path: Path) -> None:
    draw(store, "a", tmp_path)
    draw(store, "b", tmp_path)
    before = store.events.after(0)
    store.deletion.delete("a")
    after = store.events.after(0)
    assert [event.number for event in after] == list(range(1, len(before) + 2))
    assert {(event.kind, str(event.payload)) for event in after if event.job_id == "a"} == {("removed", "{}")}
    assert [event for event in after if event.job_id == "b"] == [event for event in before if event.job_id == "b"]


def test_a_chain_holds_without_its_middle(store: JobStore) -> None:
    store.queue.submit("txt2img", {"prompt": "x"}, "me", id="first", forever=True)
    ids = []
    for _ in range(3):
        job = store.claims.claim("engine")
        assert job is not None
        ids.append(job.id)
        store.claims.finish(job.id, "done")
    store.deletion.delete_jobs(JobFilter(finished_until=0.0))
    for id in ids[1:]:
        store.deletion.delete(id)
    answer = store.control.ask("interrupt", "first")
    assert answer.accepted
    assert answer.job not in ids
    assert get(store, str(answer.job)).status == "interrupted"


def test_results_add_no_row_of_folders(store: JobStore, tmp_path: Path) -> None:
    draw(store, "a", tmp_path, save=False)
    with sqlite3.connect(tmp_path / "jobs.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM image_folders").fetchone() == (0,)
    connection.close()
