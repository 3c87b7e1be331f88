"""Pictures: a number is given once, a rerun draws none twice, results go after their time."""

import os
import time
from pathlib import Path, PurePosixPath

import pytest

from modules.errors import UnknownJob
from modules.images.naming import FileName
from modules.images.save import save_image
from modules.jobs.rows import Image
from modules.jobs.store.job_store import JobStore
from modules.paths import temporary_beside
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import DIED, get, submit

HOUR = 3600


def reserve(store: JobStore, id: str, index: int, save: bool = True) -> Image:
    return store.images.reserve(id, index, seed=100 + index, width=64, height=32, save=save)


@pytest.fixture
def day(clock: Clock) -> str:
    return f"outputs/txt2img-images/{time.strftime('%Y-%m-%d', time.localtime(clock.now))}"


def test_names_count_up_in_the_folder_of_the_day(store: JobStore, day: str) -> None:
    submit(store, "a")
    submit(store, "b")
    assert reserve(store, "a", 0).name == f"{day}/00000-100.png"
    assert reserve(store, "b", 0).name == f"{day}/00001-100.png"
    assert reserve(store, "a", 1).name == f"{day}/00002-101.png"
    assert reserve(store, "a", 7, save=False).name == "results/a/00007-107.png"


def test_the_date_is_that_of_the_job(store: JobStore, clock: Clock, day: str) -> None:
    submit(store, "a")
    clock.now += 24 * HOUR
    assert reserve(store, "a", 0).name.startswith(day)


def test_numbers_go_on_above_the_files_that_are_there(store: JobStore, tmp_path: Path, day: str) -> None:
    submit(store, "a")
    assert reserve(store, "a", 0).name.endswith("/00000-100.png")
    save_image(b"", tmp_path / day / "00041-9.png")
    assert reserve(store, "a", 1).name.endswith("/00042-101.png")


def test_a_number_is_not_given_again_when_row_and_file_are_gone(store: JobStore, tmp_path: Path) -> None:
    submit(store, "a")
    first = reserve(store, "a", 0)
    with store.database.write() as transaction:
        transaction.execute("DELETE FROM jobs")
    submit(store, "b")
    second = reserve(store, "b", 0)
    assert not (tmp_path / first.name).exists()
    assert second.name.endswith("/00001-100.png")


def test_a_picture_keeps_its_name_until_it_is_complete_and_after(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    reserved = reserve(store, "a", 0)
    assert (reserved.status, reserved.completed_at) == ("reserved", None)
    assert reserve(store, "a", 0) == reserved
    assert store.jobs.images("a") == []
    clock.now += 1
    complete = store.images.complete("a", 0, "infotext")
    assert (complete.name, complete.status, complete.completed_at) == (reserved.name, "complete", clock.now)
    assert reserve(store, "a", 0) == complete
    assert store.images.complete("a", 0, "other") == complete
    assert store.jobs.images("a") == [complete]


def test_after_a_death_only_what_is_missing_is_drawn(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine-1")
    reserve(store, "a", 0)
    store.images.complete("a", 0, "x")
    unfinished = reserve(store, "a", 1)
    store.claims.recover(DIED)
    store.claims.claim("engine-2")
    again = [reserve(store, "a", index) for index in range(3)]
    assert [image.status for image in again] == ["complete", "reserved", "reserved"]
    assert again[1] == unfinished
    assert len({image.name for image in again}) == 3


def test_pictures_of_unknown_jobs_are_refused(store: JobStore) -> None:
    with pytest.raises(UnknownJob):
        reserve(store, "unknown", 0)
    submit(store, "a")
    with pytest.raises(UnknownJob):
        store.images.complete("a", 0, "never reserved")


def test_what_a_killed_engine_left_goes_when_its_job_has_ended(store: JobStore, tmp_path: Path) -> None:
    left = []
    for id in ("ended", "waiting"):
        submit(store, id)
        store.claims.claim("engine")
        for index in range(2):
            path = tmp_path / reserve(store, id, index).name
            save_image(b"png", path)
            left.append(temporary_beside(path))
            left[-1].write_bytes(b"cut sh")
        store.images.complete(id, 0, "whole")
        store.control.ask("interrupt", id) if id == "ended" else store.claims.requeue(id)
        store.claims.finish(id, "interrupted")
    assert store.images.remove_unfinished() == 1
    assert [path.exists() for path in left] == [True, False, True, True]  # the others are written over, or not ours
    assert store.images.remove_unfinished() == 0
    store.queue.retry("ended")
    left[1].write_bytes(b"it goes on")
    assert store.images.remove_unfinished() == 0


def test_results_go_after_their_time_and_saved_pictures_stay(store: JobStore, clock: Clock, tmp_path: Path) -> None:
    for id in ("old", "new", "unfinished"):
        submit(store, id)
        store.claims.claim("engine")
        for index, save in ((0, True), (1, False), (2, False)):
            save_image(b"png", tmp_path / reserve(store, id, index, save).name)
            store.images.complete(id, index, "x")
        if id != "unfinished":
            store.claims.finish(id, "done")
        clock.now += HOUR
    assert store.images.expire_results(hours=2.5) == 2
    assert [image.index for image in store.jobs.images("old")] == [0]
    assert [image.index for image in store.jobs.images("new")] == [0, 1, 2]
    assert not (tmp_path / "results" / "old").exists()
    assert all(
        (tmp_path / image.name).exists() for id in ("old", "new", "unfinished") for image in store.jobs.images(id)
    )
    event = store.events.after(store.events.last() - 1)[0]
    assert (event.kind, event.job_id, event.payload) == ("job", "old", {"status": "done"})
    clock.now += 100 * HOUR
    assert store.images.expire_results(hours=2.5) == 2
    assert len(store.jobs.images("unfinished")) == 3
    assert store.images.expire_results(hours=2.5) == 0
    assert get(store, "new").status == "done"


def test_a_result_whose_file_is_gone_expires_all_the_same(store: JobStore, clock: Clock) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    reserve(store, "a", 0, save=False)
    store.images.complete("a", 0, "x")
    store.claims.finish("a", "done")
    clock.now += HOUR
    assert store.images.expire_results(hours=0.5) == 1
    assert store.jobs.images("a") == []


def test_folders_of_forgotten_jobs_go_too(store: JobStore, clock: Clock, tmp_path: Path) -> None:
    submit(store, "known")
    for id in ("known", "orphan", "fresh"):
        folder = tmp_path / "results" / id
        folder.mkdir(parents=True)
        (folder / "00000-1.png").touch()
        age = 0 if id == "fresh" else 2 * HOUR
        os.utime(folder, (clock.now - age, clock.now - age))
    reserve(store, "known", 0, save=False)
    store.images.expire_results(hours=1)
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["fresh", "known"]


def test_what_a_killed_engine_left_is_written_over(store: JobStore, tmp_path: Path) -> None:
    submit(store, "a")
    path = tmp_path / reserve(store, "a", 0).name
    path.parent.mkdir(parents=True)
    path.with_name(f".{path.name}.tmp").write_bytes(b"half")
    save_image(b"whole", path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_names_of_a_pattern_are_never_given_twice(store: JobStore, tmp_path: Path) -> None:
    submit(store, "a")
    folder = PurePosixPath("outputs/cats")

    def name(index: int, stem: str, save: bool = True, numbered: bool = False) -> str:
        named = FileName(folder, stem, ".jpg", numbered)
        return store.images.reserve("a", index, 5, 64, 32, save, named).name

    assert [name(0, "cat"), name(1, "cat-1"), name(2, "cat")] == [
        "outputs/cats/cat.jpg", "outputs/cats/cat-1.jpg", "outputs/cats/cat-2.jpg",
    ]  # fmt: skip
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "Dog.png").touch()
    assert name(3, "dog") == "outputs/cats/dog-1.jpg"
    assert name(0, "other") == "outputs/cats/cat.jpg", "it keeps its name"
    assert name(4, "cat", numbered=True) == "outputs/cats/00000-cat.jpg"
    assert name(5, "", numbered=False) == "outputs/cats/00001.jpg"
    assert name(6, "cat", save=False) == "results/a/00006-5.jpg"


def test_what_lies_beside_pictures_goes_with_them(store: JobStore, tmp_path: Path) -> None:
    submit(store, "a")
    job = store.claims.claim("first")
    assert job is not None
    saving = {"save_txt": True, "grid": {"form": {"form": "jpg"}}}
    store.claims.set_resolved("a", {"saving": saving})
    picture = tmp_path / reserve(store, "a", 0).name
    grid = tmp_path / picture.parent.parent.parent / "txt2img-grids" / picture.parent.name / f"grid-{picture.stem}.jpg"
    files = [picture, picture.with_suffix(".txt"), grid]
    others = [picture.with_name("mine.txt"), grid.with_name("grid.jpg")]
    for path in files + others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    store.images.complete("a", 0, "text")
    store.claims.finish("a", "done")
    store.deletion.delete("a", files=True)
    assert [path.exists() for path in files + others] == [False, False, False, True, True]
