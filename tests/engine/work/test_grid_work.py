"""Grids: each cell as a job of its own would be, in one job that is paused, stopped, killed and goes on like any."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from modules.engine.models import loading, model_cache
from modules.engine.work import beginnings, saving
from modules.engine.work.decoding import decode
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch
from modules.errors import InvalidRequest, StorageError
from modules.images.infotext import parse_pairs
from modules.images.save import save_image
from modules.jobs.rows import Death, Job
from tests.engine import tiny
from tests.engine.conftest import Engine
from tests.engine.moments import at_step
from tests.engine.work.grids import SMALL, draw_plot, grid_of, indices, submit_plot

STEPS: dict[str, Any] = {"x_type": "Steps", "x_values": "3-6"}


class Loads:
    """The models that are loaded, by name, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        load = loading.load_model

        def counted(key: Any, *given: Any) -> Any:
            self.names.append(key.path.name)
            return load(key, *given)

        monkeypatch.setattr(model_cache, "load_model", counted)


def texts(job: Job) -> list[str]:
    return [note.text for note in job.notes]


def test_a_plot_over_two_models_loads_each_once_and_reads_the_same_words_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.options.update({"sd_checkpoints_limit": 1})
    alone = engine.draw(**SMALL | {"steps": 2, "override_settings": {"sd_model_checkpoint": "plain"}})
    loads, encoded = Loads(monkeypatch), list[object]()
    keep = PromptEncoder._keep
    monkeypatch.setattr(PromptEncoder, "_keep", lambda *given: (encoded.append(given[1]), keep(*given)))
    models: dict[str, Any] = {"x_type": "Checkpoint name", "x_values": "tiny, plain, tiny, plain"}
    job = draw_plot(engine, **models, y_type="Steps", y_values="1-4")
    assert (job.status, indices(engine, job)) == ("done", list(range(16)))
    # The one that was in memory comes first, and stays as long as it is needed.
    assert loads.names == ["tiny"]
    assert len(encoded) == 2  # the prompt and the negative one, by "tiny"; "plain" knew them
    places = grid_of(job).places
    assert [place[0] % 2 for place in places] == [1] * 8 + [0] * 8
    assert engine.files(job)[places.index((3, 1, 0))] == engine.files(alone)[0]
    values = [value["progress"] for value in engine.values("progress") if value is not None]
    of_grid = values[values.index(1.0) + 1 :]
    assert of_grid == sorted(of_grid) and of_grid[-1] == 1.0


def test_counts_are_those_of_all_cells_as_clients_of_a1111_expect_and_notes_tell_of_the_script(engine: Engine) -> None:
    seen: list[tuple[int, int, int]] = []
    state = engine.state
    for image in (0, 2, 14):  # a batch is known by its first picture
        at_step(engine, 1, lambda: seen.append((state.image_index, state.job_no, state.job_count)), image)
    axes: dict[str, Any] = {"x_type": "Sampler", "x_values": "DDIM,Euler", "y_type": "CFG Scale", "y_values": "1,2"}
    job = draw_plot(engine, {"n_iter": 2, "batch_size": 2, "steps": 2, "scheduler": "Karras"}, **axes)
    assert (job.status, len(indices(engine, job))) == ("done", 16)
    assert seen == [(0, 0, 8), (2, 1, 8), (14, 7, 8)]
    assert texts(job)[0] == "DDIM has noise levels of its own: in place of Karras it is drawn with Automatic."


@pytest.mark.parametrize("how", ["pause", "exit"])
def test_a_grid_goes_on_amid_a_cell_to_the_same_bytes(engine: Engine, how: str) -> None:
    undisturbed = engine.files(draw_plot(engine, {"sampler_name": "Euler a"}, **STEPS))

    def stop() -> None:
        if how == "exit":
            engine.cancel.exit.set()
        else:
            assert engine.store.control.ask("pause").accepted
            engine.housekeeping.look()

    at_step(engine, 3, stop, image=2)
    job_id = submit_plot(engine, {"sampler_name": "Euler a"}, **STEPS)
    stopped = engine.run_next()
    assert indices(engine, stopped) == [0, 1]
    if how == "exit":
        engine.cancel.exit.clear()
        engine.store.claims.recover(Death(True, "exit code 0"))
    else:
        assert stopped.status == "paused"
        assert engine.store.control.resume(job_id).accepted
    done = engine.run_next()
    assert (done.id, done.status) == (job_id, "done")
    assert engine.files(done) == undisturbed
    assert texts(done) == ["Continued at step 3 of 5 of image 3."]


def test_a_snapshot_of_a_cell_that_is_done_is_no_hindrance(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine dies amid the third cell, and what is on disk is of the second one, with another request."""
    undisturbed = engine.files(draw_plot(engine, **STEPS))
    monkeypatch.setattr(engine.parts.snapshots, "due", lambda: engine.state.image_index == 1)
    monkeypatch.setattr(engine.parts.snapshots, "offer", engine.parts.snapshots.keep)
    at_step(engine, 2, engine.cancel.exit.set, image=2)
    submit_plot(engine, **STEPS)
    claimed = engine.store.claims.claim("engine-1")
    assert claimed is not None
    with monkeypatch.context() as patch:
        patch.setattr("modules.engine.work.grid_work.GridWork.keep_snapshot", lambda _work: None)
        with torch.inference_mode():
            engine.worker.run_job(claimed)
    engine.cancel.exit.clear()
    engine.store.claims.recover()
    done = engine.run_next()
    assert engine.files(done) == undisturbed
    assert texts(done) == ["There was no snapshot of image 3 yet: it begins anew."]


def test_a_skip_means_the_picture_and_an_interrupt_all_and_a_stop_waits_for_the_picture(engine: Engine) -> None:
    at_step(engine, 2, engine.state.skip, image=1)
    job = draw_plot(engine, **STEPS)
    assert (job.status, indices(engine, job)) == ("done", [0, 2, 3])
    at_step(engine, 2, engine.state.interrupt, image=1)
    job = draw_plot(engine, **STEPS)
    assert (job.status, indices(engine, job)) == ("interrupted", [0])
    at_step(engine, 2, engine.state.stop_generating, image=1)
    job = draw_plot(engine, **STEPS)
    assert (job.status, indices(engine, job)) == ("interrupted", [0, 1])


def test_a_skip_while_the_model_of_a_cell_is_loaded_is_of_its_first_picture(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = loading.load_model

    def skip_meanwhile(key: Any, *given: Any) -> Any:
        if key.path.name == "plain":
            assert engine.store.control.ask("skip").image == 2
            engine.housekeeping.look()
        return load(key, *given)

    monkeypatch.setattr(model_cache, "load_model", skip_meanwhile)
    job = draw_plot(engine, x_type="Checkpoint name", x_values="tiny, plain", y_type="Steps", y_values="2,3")
    assert (job.status, indices(engine, job)) == ("done", [0, 1, 3])


def test_a_cell_that_cannot_be_drawn_is_told_and_the_others_are(engine: Engine, models_folder: Path) -> None:
    """One model goes before the job begins, another amid it."""
    folder = models_folder / "Stable-diffusion"
    for name in ("early", "late"):
        tiny.build(folder / name, tiny.PLAIN, seed=len(name))
    axes: dict[str, Any] = {
        "x_type": "Checkpoint name",
        "x_values": "early, tiny, late",
        "y_type": "Steps",
        "y_values": "2,3",
    }
    try:
        submit_plot(engine, **axes)
        shutil.rmtree(folder / "early")
        at_step(engine, 1, lambda: shutil.rmtree(folder / "late"), image=1)
        job = engine.run_next()
        assert (job.status, indices(engine, job)) == ("done", [0, 1])
        assert grid_of(job).places[:2] == ((1, 0, 0), (1, 1, 0))
        early, late, more = texts(job)
        assert early.startswith("2 cells are left out: Checkpoint 'early")
        assert late.startswith("late, Steps: 2: ")
        assert more.startswith("1 more could not be drawn either: ") and more.endswith(late.partition(": 2: ")[2])
    finally:
        for name in ("early", "late"):
            shutil.rmtree(folder / name, ignore_errors=True)


def test_a_grid_of_which_nothing_can_be_drawn_fails(engine: Engine, models_folder: Path) -> None:
    gone = models_folder / "Stable-diffusion" / "gone"
    tiny.build(gone, tiny.PLAIN, seed=2)
    submit_plot(engine, {"override_settings": {"sd_model_checkpoint": "gone"}}, x_type="Steps", x_values="2,3")
    shutil.rmtree(gone)
    job = engine.run_next()
    assert job.status == "failed"
    assert job.error is not None and job.error.startswith("Checkpoint 'gone")


def test_only_the_cell_that_lacks_memory_is_drawn_with_less(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(model: Any, latents: Any, size: tuple[int, int], save_memory: bool, *more: Any) -> Any:
        if size[0] > 64 and not save_memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return decode(model, latents, size, save_memory, *more)

    small = engine.files(engine.draw(**SMALL))
    monkeypatch.setattr(beginnings, "decode", scarce)
    job = draw_plot(engine, x_type="Size", x_values="64x64, 256x192", y_type="Seed", y_values="7")
    assert (job.status, job.attempts, job.economy) == ("done", 1, {"cells": {"1": {"vae_tiling": True}}})
    assert engine.files(job)[:1] == small and indices(engine, job) == [0, 1]
    assert texts(job) == [
        "Size: 256x192, Seed: 7: out of memory at 256×192, batch size 1: tried again with VAE tiling.",
        "Continued at step 4 of 4 of image 2.",  # no step is drawn again
    ]
    values = [value["progress"] for value in engine.values("progress") if value is not None and value["job"] == job.id]
    assert values == sorted(values) and values[-1] == 1.0


def test_what_was_skipped_in_a_cell_stays_so_when_that_is_tried_again_with_less_memory(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(model: Any, latents: Any, size: Any, save_memory: bool = False, *more: Any) -> Any:
        if not save_memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return decode(model, latents, size, save_memory, *more)

    monkeypatch.setattr(beginnings, "decode", scarce)
    at_step(engine, 2, engine.state.skip, image=0)
    job = draw_plot(engine, {"n_iter": 3, "width": 256, "height": 192}, x_type="Steps", x_values="4")
    assert (job.status, job.economy) == ("done", {"cells": {"0": {"vae_tiling": True}}})
    assert indices(engine, job) == [1, 2]


@pytest.mark.parametrize("draw", [Engine.draw, draw_plot])
def test_an_engine_that_ends_before_a_request_is_closed_has_told_what_it_leaves_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, draw: Any
) -> None:
    """What is closed is not looked at once more: a later run would say nothing of it."""

    def killed(*_row: object) -> None:
        raise StorageError("The engine was ended here.")

    monkeypatch.setattr(engine.store.claims, "set_resolved", killed)
    fields = SMALL | {"prompt": "a heart <lora:gone:1>"}
    job = draw(engine, **fields) if draw is Engine.draw else draw(engine, fields, **STEPS)
    assert job.resolved is None and any("LoRA 'gone' is not here" in text for text in texts(job))


def test_a_cell_for_which_the_system_killed_the_engine_is_drawn_with_less(engine: Engine) -> None:
    job_id = submit_plot(engine, {"batch_size": 2}, x_type="Steps", x_values="3,4")
    at_step(engine, 2, engine.cancel.exit.set, image=2)
    engine.run_next()
    engine.cancel.exit.clear()
    engine.start(Death(False, "killed by SIGKILL, since the machine ran out of memory"))
    engine.wait(lambda: engine.store.jobs.get(job_id).finished)  # type: ignore[union-attr]
    job = engine.store.jobs.get(job_id)
    assert job is not None
    assert (job.status, job.economy) == ("done", {"cells": {"1": {"vae_tiling": True, "batch_size": 1}}})
    assert indices(engine, job) == [0, 1, 2, 3]


def test_a_cell_for_which_no_memory_suffices_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Batch._run

    def scarce(batch: Any, number: int, *given: Any) -> Any:
        if batch._passes[number].width > 64:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return run(batch, number, *given)

    monkeypatch.setattr(Batch, "_run", scarce)
    job = draw_plot(engine, x_type="Size", x_values="64x64, 128x128, 64x128")
    assert (job.status, indices(engine, job), job.economy) == ("done", [0, 2], None)
    assert texts(job) == [
        "Size: 128x128: Out of memory while drawing 128×128, batch size 1: use a smaller size."
    ]  # fmt: skip


def test_a_full_disk_fails_the_grid_and_what_is_there_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    save = save_image

    def disk_fills_up(data: bytes, path: Path) -> None:
        if engine.state.image_index == 2:
            raise StorageError("No space left.")
        save(data, path)

    monkeypatch.setattr(saving, "save_image", disk_fills_up)
    job = draw_plot(engine, **STEPS)
    assert (job.status, job.error, indices(engine, job)) == ("failed", "No space left.", [0, 1])
    monkeypatch.undo()
    assert engine.store.queue.retry(job.id).accepted
    assert indices(engine, engine.run_next()) == [0, 1, 2, 3]


def test_what_was_skipped_is_drawn_when_somebody_wants_it(engine: Engine) -> None:
    undisturbed = engine.files(draw_plot(engine, **STEPS))
    for image in (1, 3):
        at_step(engine, 2, engine.state.skip, image=image)
    job = draw_plot(engine, **STEPS)
    assert indices(engine, job) == [0, 2]
    assert engine.store.queue.redraw(job.id, [3]).accepted
    assert (engine.run_next().status, indices(engine, job)) == ("done", [0, 2, 3])
    assert engine.store.queue.redraw(job.id, range(4)).accepted
    assert (engine.run_next().status, engine.files(job)) == ("done", undisturbed)
    with pytest.raises(InvalidRequest, match="Nothing is to be drawn"):
        engine.store.queue.redraw(job.id, range(4))


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
    return picture


def test_the_sheet_is_saved_with_those_of_each_z_and_goes_with_its_job(engine: Engine) -> None:
    engine.options.update({"grid_save": True})
    at_step(engine, 1, engine.state.skip, image=0)
    axes: dict[str, Any] = {"x_type": "Steps", "x_values": "2,3", "z_type": "CFG Scale", "z_values": "1,2"}
    job = draw_plot(engine, **axes, include_sub_grids=True, draw_legend=False)

    def sheets() -> dict[str, tuple[int, int]]:
        found = sorted((engine.folder.root / "outputs" / "txt2img-grids").rglob("*.*"))
        return {path.name: opened(path).size for path in found}

    small, large = (128, 64), (128, 128)
    assert sheets() == {"grid-00000-7-z1.png": small, "grid-00000-7-z2.png": small, "grid-00000-7.png": large}
    assert engine.store.queue.redraw(job.id, [0]).accepted
    assert indices(engine, engine.run_next()) == [0, 1, 2, 3]
    names = ("grid-00003-7-z1.png", "grid-00003-7-z2.png", "grid-00003-7.png")  # of the picture that is the first now
    assert tuple(sheets()) == names
    (whole,) = (engine.folder.root / "outputs" / "txt2img-grids").rglob(names[2])
    assert parse_pairs(opened(whole).info["parameters"])["Z Values"] == "1,2"
    engine.store.deletion.delete(job.id, files=True)
    assert not list((engine.folder.root / "outputs").rglob("*.png"))
