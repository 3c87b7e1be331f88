"""Jobs that enlarge pictures: to the files that A1111 would write, stopped within a picture, gone on after a crash."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.engine.upscaling.network import UpscalerNetwork
from modules.engine.upscaling.tiling import Bytes, Floats
from modules.jobs.intake import Intake
from modules.jobs.kinds.base import Source
from modules.jobs.models.hashes import hash_file
from modules.jobs.rows import Actor, Death, Job
from modules.jobs.submission import Sender, Wishes, check_request, submit
from tests.engine.own_engine import Engine
from tests.engine.tiny_upscalers import esrgan, save

ME = Actor("tester", "127.0.0.1")


@pytest.fixture
def extras(tmp_path: Path) -> Iterator[Engine]:
    """An engine with two upscalers and no model to draw with."""
    save(esrgan(), tmp_path / "models" / "ESRGAN" / "2x_tiny.safetensors")
    save(esrgan(seed=1), tmp_path / "models" / "ESRGAN" / "2x_other.pth")
    running = Engine(tmp_path / "data", tmp_path / "models")
    running.options.update({"live_previews_enable": True, "ESRGAN_tile": 64})
    yield running
    running.close()


def picture(seed: int = 0, width: int = 48, height: int = 32) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    chunks = PngInfo()
    chunks.add_text("parameters", f"picture {seed}\nSteps: 5, Sampler: Euler, Seed: {seed}, Size: {width}x{height}")
    Image.fromarray(values).save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def put(engine: Engine, *pictures: bytes, **request: Any) -> str:
    """Queue a job for these pictures, as a client does."""
    intake = Intake(engine.parts.inputs, engine.store)
    names = [intake.take_picture(one, ME).name for one in pictures]
    sent = {"images": names, "upscaler_1": "2x_tiny"} | request
    settings = engine.options.values
    checked = check_request("extras", sent, engine.parts.catalogue, settings, Sender(intake, ME))
    return submit(engine.store, checked, Wishes("tester"), ME).id


def run(engine: Engine, *pictures: bytes, **request: Any) -> Job:
    put(engine, *pictures, **request)
    return engine.run_next()


def opened(engine: Engine, job: Job) -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)) for data in engine.files(job)]


def enlarged(engine: Engine, name: str, data: bytes, size: tuple[int, int]) -> Image.Image:
    """Return what the engine's upscalers make of a picture by themselves."""
    file = engine.parts.catalogue.upscalers.find(name).file
    assert file is not None
    source = Source(name=file.name, hash=hash_file(file.path))
    return engine.parts.upscalers.enlarge(name, source, Image.open(io.BytesIO(data)), size, lambda fraction: None)


def test_pictures_become_larger_and_keep_how_they_were_made(extras: Engine) -> None:
    job = run(extras, picture(1), picture(2))
    assert (job.status, job.error) == ("done", None)
    for number, made in enumerate(opened(extras, job), start=1):
        assert made.size == (96, 64)
        assert made.tobytes() == enlarged(extras, "2x_tiny", picture(number), (96, 64)).tobytes()
        assert made.info["parameters"].startswith(f"picture {number}\nSteps: 5")
        assert made.info["extras"].startswith("Postprocess upscale by: 2, Postprocess upscaler: 2x_tiny")
    rows = extras.store.jobs.images(job.id)
    assert [row.name.rpartition("/")[2] for row in rows] == ["00000.png", "00001.png"]
    assert "/extras-images/" in rows[0].name
    assert rows[0].infotext is not None
    assert rows[0].infotext.startswith("picture 1\nSteps: 5, Sampler: Euler, Seed: 1, Size: 48x32, Postprocess upscale")
    told = [value["progress"] for value in extras.values("progress") if value is not None]
    assert told == sorted(told) and told[-1] == 1.0
    assert extras.state.preview is not None


def test_two_upscalers_are_blended(extras: Engine) -> None:
    job = run(extras, picture(), upscaler_2="2x_other", extras_upscaler_2_visibility=0.25)
    (made,) = opened(extras, job)
    both = [enlarged(extras, name, picture(), (96, 64)) for name in ("2x_tiny", "2x_other")]
    assert made.tobytes() == Image.blend(both[0], both[1], 0.25).tobytes()


def test_to_a_size_it_covers_it_and_is_cut_to_it(extras: Engine) -> None:
    sized = {"resize_mode": 1, "upscaling_resize_w": 60, "upscaling_resize_h": 60}
    (made,) = opened(extras, run(extras, picture(), **sized))
    whole = enlarged(extras, "2x_tiny", picture(), (90, 60))
    assert made.tobytes() == whole.crop((15, 0, 75, 60)).tobytes()
    (uncut,) = opened(extras, run(extras, picture(), **sized, upscaling_crop=False))
    assert uncut.tobytes() == whole.tobytes()


def test_without_an_upscaler_a_picture_stays_as_it_is(extras: Engine) -> None:
    (made,) = opened(extras, run(extras, picture(), upscaler_1="None"))
    assert made.tobytes() == Image.open(io.BytesIO(picture())).tobytes()


def before_tile(monkeypatch: pytest.MonkeyPatch, number: int, act: Any) -> list[int]:
    """Do something before the tile with this number, counted from 1."""
    count: list[int] = []
    made = UpscalerNetwork.enlarge

    def watched(self: UpscalerNetwork, tile: Bytes) -> Floats:
        count.append(1)
        if len(count) == number:
            act()
        return made(self, tile)

    monkeypatch.setattr(UpscalerNetwork, "enlarge", watched)
    return count


@pytest.mark.parametrize("how", ["interrupt", "pause"])
def test_finished_pictures_stay_and_one_that_was_stopped_begins_anew(
    extras: Engine, monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    undisturbed = extras.files(run(extras, picture(1), picture(2)))

    def stop() -> None:
        assert extras.store.control.ask(how).accepted
        extras.housekeeping.look()

    before_tile(monkeypatch, 2, stop)
    job = run(extras, picture(1), picture(2))
    assert job.status == ("interrupted" if how == "interrupt" else "paused")
    assert extras.files(job) == undisturbed[:1]
    if how == "pause":
        assert extras.store.control.resume(job.id).accepted
        done = extras.run_next()
        assert done.status == "done" and extras.files(done) == undisturbed


def test_a_skip_means_one_picture(extras: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def skip() -> None:
        assert extras.store.control.ask("skip").accepted
        extras.housekeeping.look()

    before_tile(monkeypatch, 1, skip)
    job = run(extras, picture(1), picture(2))
    assert job.status == "done"
    assert [image.index for image in extras.store.jobs.images(job.id)] == [1]


def test_what_another_engine_had_finished_is_not_made_again(extras: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(BaseException):
        pass

    def cut() -> None:
        raise PowerCut

    job_id = put(extras, picture(1), picture(2))
    before_tile(monkeypatch, 2, cut)
    with pytest.raises(PowerCut):
        extras.run_next()
    monkeypatch.undo()
    count = before_tile(monkeypatch, 99, cut)
    extras.start(Death(ordered=False, reason="killed"))
    extras.wait(lambda: (job := extras.store.jobs.get(job_id)) is not None and job.status == "done")
    assert len(count) == 1
    assert len(extras.files(job_id)) == 2


def test_a_folder_is_worked_through_and_what_is_gone_is_told(extras: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        (folder / name).write_bytes(picture(number))
    (folder / "notes.png").write_bytes(b"no picture")
    put(extras, images=None, input_dir=str(folder))
    (folder / "b.png").unlink()
    job = extras.run_next()
    assert job.status == "done"
    assert [image.index for image in extras.store.jobs.images(job.id)] == [0, 2]
    assert any("b.png was changed or deleted since this job was sent" in note.text for note in job.notes)
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "c.png", "notes.png"]


def test_an_upscaler_that_was_changed_since_fails_with_the_remedy(extras: Engine, tmp_path: Path) -> None:
    put(extras, picture())
    save(esrgan(seed=9), tmp_path / "models" / "ESRGAN" / "2x_tiny.safetensors")
    job = extras.run_next()
    assert job.status == "failed"
    assert job.error == "The upscaler 2x_tiny.safetensors was changed since this job was sent: submit it again."
