"""Snapshots on disk: read back to the bit, refused in words, written by a thread of their own, gone with their job."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from modules.engine.samplers.estimate import Step
from modules.engine.samplers.state import SamplingState, pack
from modules.engine.work import snapshots
from modules.engine.work.snapshots import (
    Snapshot,
    Snapshots,
    UnfitSnapshot,
    describe_continued,
    from_bytes,
    request_digest,
)
from modules.errors import StorageError
from modules.paths import write_atomically
from tests.engine.work.test_sampling import resolved

ENVIRONMENT = {"torch": "2.13", "device": "CPU"}
REQUEST = resolved(steps=30)


def state(done: int = 12, number: float = 0.5) -> SamplingState:
    latents = torch.full((1, 4, 8, 8), number, dtype=torch.bfloat16)
    scheduler: dict[str, Any] = {
        "_step_index": done, "model_outputs": [None, latents + 1], "sigmas": torch.tensor([1.5, float("inf")]),
        "counter": 0, "none": None, "scale": 0.1, "point": torch.tensor(3), "pair": (1, torch.ones(2, 0)),
    }  # fmt: skip
    latest = Step(latents, latents * 2, 1.25, "epsilon", True)
    return SamplingState(done, 30, latents, scheduler, (torch.Generator().manual_seed(1).get_state(),), latest)


def snapshot(job_id: str = "job", done: int = 12, number: float = 0.5, **changes: Any) -> Snapshot:
    values: dict[str, Any] = {"request": request_digest(REQUEST), "environment": ENVIRONMENT, "indices": (0,)} | changes
    return Snapshot(job_id=job_id, state=state(done, number), **values)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Snapshots]:
    made = Snapshots(tmp_path / "snapshots", lambda: 30)
    yield made
    made.close()


def content(of: Snapshot) -> object:
    """Return all that is in a snapshot, in a form that can be compared."""
    tensors, rest = pack(of.state)
    values = {name: (tensor.dtype, tensor.tolist()) for name, tensor in tensors.items()}
    return of.job_id, of.indices, of.request, dict(of.environment), of.at_pass, rest, values


def find(kept: Snapshots, job_id: str = "job", environment: dict[str, str] = ENVIRONMENT) -> Snapshot | None:
    return kept.find(job_id, REQUEST, environment, "cpu")


def test_what_is_kept_is_found_as_it_was(kept: Snapshots) -> None:
    assert find(kept) is None
    written = snapshot(at_pass=1)
    assert kept.keep(written)
    read = find(kept)
    assert read is not None
    assert (read.job_id, read.indices, dict(read.environment)) == ("job", (0,), ENVIRONMENT)
    assert (read.state.standing, read.at_pass) == ((12, 30), 1)
    assert torch.equal(read.state.latents, written.state.latents)
    assert read.state.latents.dtype == torch.bfloat16
    assert torch.equal(read.state.generators[0], written.state.generators[0])
    scheduler = read.state.scheduler
    assert scheduler["sigmas"].tolist() == [1.5, float("inf")]
    assert scheduler["model_outputs"][0] is None
    assert scheduler["point"].shape == ()
    assert scheduler["pair"][1].shape == (2, 0)
    assert read.state.latest is not None
    assert (read.state.latest.sigma, scheduler["scale"], scheduler["none"]) == (1.25, 0.1, None)
    assert content(read) == content(written)


@pytest.mark.parametrize("left", [0, 5, 300, -1])
def test_a_file_that_is_cut_short_is_set_aside(kept: Snapshots, tmp_path: Path, left: int) -> None:
    kept.keep(snapshot())
    path = tmp_path / "snapshots" / "job.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UnfitSnapshot, match="cut short or damaged"):
        find(kept)
    assert [file.name for file in path.parent.iterdir()] == ["job.safetensors.corrupt-1"]
    assert find(kept) is None
    kept.remove("job")
    assert list(path.parent.iterdir()) == []


def test_a_single_wrong_bit_is_seen(kept: Snapshots, tmp_path: Path) -> None:
    kept.keep(snapshot())
    path = tmp_path / "snapshots" / "job.safetensors"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnfitSnapshot, match="damaged"):
        find(kept)


def test_what_does_not_fit_is_refused_in_words(kept: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep(snapshot())
    with pytest.raises(UnfitSnapshot, match=r"^torch was 2\.13, now 2\.14$"):
        find(kept, environment=ENVIRONMENT | {"torch": "2.14"})
    with pytest.raises(UnfitSnapshot, match="another request"):
        kept.find("job", resolved(steps=31), ENVIRONMENT, "cpu")
    kept.keep(snapshot("other"))
    (kept._folder / "other.safetensors").rename(kept._folder / "job.safetensors")
    with pytest.raises(UnfitSnapshot, match="another request"):
        find(kept)
    monkeypatch.setattr(snapshots, "FORMAT", 3)
    kept.keep(snapshot("newer"))
    monkeypatch.setattr(snapshots, "FORMAT", 2)
    with pytest.raises(UnfitSnapshot, match="has the format 3, this version reads 2"):
        find(kept, "newer")


def test_what_decides_no_picture_does_not_make_it_another_request() -> None:
    assert request_digest(resolved(environment={"torch": "1"}, save_images=False)) == request_digest(resolved())
    assert request_digest(resolved(seed=12)) != request_digest(resolved())


def test_the_newest_is_written_while_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is slow: the offers meanwhile do not wait, and all but the newest are dropped."""
    go_on, busy = threading.Event(), threading.Event()
    written: list[bytes] = []

    def slowly(path: Path, data: bytes, sole_writer: bool) -> None:
        busy.set()
        assert go_on.wait(30)
        written.append(data)

    monkeypatch.setattr(snapshots, "write_atomically", slowly)
    clock = [100.0]
    kept = Snapshots(tmp_path, lambda: 30, clock=lambda: clock[0])
    assert not kept.due()
    clock[0] += 30
    assert kept.due()
    kept.begin()
    assert not kept.due()
    offered = [snapshot(number=number) for number in (1, 2, 3)]
    kept.offer(offered[0])
    assert busy.wait(30)
    kept.offer(offered[1])
    kept.offer(offered[2])
    go_on.set()
    kept.close()
    assert [content(from_bytes(data, "cpu")) for data in written] == [content(offered[0]), content(offered[2])]


def test_zero_seconds_mean_none_on_the_way(tmp_path: Path) -> None:
    clock = [0.0]
    kept = Snapshots(tmp_path, lambda: 0, clock=lambda: clock[0])
    clock[0] = 1e6
    assert not kept.due()


def test_nothing_is_written_after_its_job_has_ended(
    kept: Snapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, busy = threading.Event(), threading.Event()
    write = write_atomically

    def slowly(path: Path, data: bytes, sole_writer: bool) -> None:
        busy.set()
        assert go_on.wait(30)
        write(path, data, sole_writer)

    monkeypatch.setattr(snapshots, "write_atomically", slowly)
    kept.offer(snapshot())
    assert busy.wait(30)
    kept.offer(snapshot(done=13))
    threading.Timer(0.05, go_on.set).start()
    kept.remove("job")
    kept.close()
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_a_full_disk_is_told_once_and_keeps_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    kept = Snapshots(tmp_path, lambda: 30, lambda job_id, reason: told.append((job_id, reason)))
    assert kept.keep(snapshot(done=12))

    def full(path: Path, data: bytes, sole_writer: bool) -> None:
        raise StorageError.from_os_error(path, OSError(errno.ENOSPC, "No space left on device"))

    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "write_atomically", full)
        assert not kept.keep(snapshot(done=13))
        kept.offer(snapshot(done=14))
        kept.close()
    assert [job_id for job_id, _ in told] == ["job"]
    assert told[0][1].startswith("No space left to write ")
    read = find(kept)
    assert read is not None and read.state.place == 12


def test_what_no_job_needs_is_swept(kept: Snapshots, tmp_path: Path) -> None:
    assert kept.sweep(lambda job_id: False) == 0
    for job_id in ("a", "b", "c.d"):
        kept.keep(snapshot(job_id))
    (tmp_path / "snapshots" / "a.safetensors").rename(tmp_path / "snapshots" / "a.safetensors.corrupt-1")
    (tmp_path / "snapshots" / ".b.safetensors.tmp").touch()  # of a writer that was killed
    assert kept.sweep({"c.d"}.__contains__) == 3
    assert [file.name for file in (tmp_path / "snapshots").iterdir()] == ["c.d.safetensors"]


def test_people_are_told_where_it_goes_on() -> None:
    assert describe_continued(snapshot(), REQUEST) == "Continued at step 12 of 30."
    batch = resolved(steps=30, batch_size=2, n_iter=2)
    assert describe_continued(snapshot(indices=(2, 3)), batch) == "Continued at step 12 of 30 of images 3–4."
    several = resolved(steps=15, n_iter=2)  # of a sampler that takes two steps for one
    assert describe_continued(snapshot(indices=(1,)), several) == "Continued at step 6 of 15 of image 2."
