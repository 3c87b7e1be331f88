"""Jobs that pause, or lose their engine, and go on to the same bytes. In processes of their own: test_process.py."""

from collections.abc import Callable
from typing import Any

import pytest

from modules.engine.work import portion_drawing, snapshots
from modules.engine.work.environment import environment_of
from modules.jobs.rows import Death, Job
from tests.engine.conftest import Engine
from tests.engine.moments import at_step, before_decoding


def pause(engine: Engine) -> None:
    """Ask as the server does; the nudge is lost, and the housekeeping finds the request."""
    assert engine.store.control.ask("pause").accepted
    engine.housekeeping.look()


def notes(job: Job) -> list[str]:
    return [note.text for note in job.notes]


def snapshot_files(engine: Engine) -> list[str]:
    """Return the names of the snapshots, without the previews that may lie beside them."""
    return sorted(path.name for path in engine.folder.snapshots.glob("*") if path.suffix != ".preview")


def resume(engine: Engine, job: Job) -> Job:
    assert engine.store.control.resume(job.id).accepted
    return engine.run_next()


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M SDE", "Heun", "UniPC"])
def test_a_paused_job_goes_on_to_the_same_bytes(engine: Engine, sampler: str) -> None:
    request = {"sampler_name": sampler, "steps": 8, "batch_size": 2}
    undisturbed = engine.draw(**request)
    at_step(engine, 3, lambda: pause(engine))
    paused = engine.draw(**request)
    assert (paused.status, paused.error, paused.finished_at) == ("paused", None, None)
    assert engine.files(paused) == []
    assert snapshot_files(engine) == [f"{paused.id}.safetensors"]
    assert not engine.state.running
    done = resume(engine, paused)
    assert done.status == "done"
    assert engine.files(done) == engine.files(undisturbed)
    step = 1 if sampler == "Heun" else 3
    assert f"Continued at step {step} of 8 of images 1–2." in notes(done)
    assert snapshot_files(engine) == []


def test_a_job_may_pause_again_and_again(engine: Engine) -> None:
    undisturbed = engine.draw(steps=8, sampler_name="DPM++ 2M")
    at_step(engine, 2, lambda: pause(engine))
    job = engine.draw(steps=8, sampler_name="DPM++ 2M")
    at_step(engine, 5, lambda: pause(engine))
    assert resume(engine, job).status == "paused"
    blocks: list[int] = []

    def before_any_step(module: object, inputs: object) -> None:
        if not blocks:
            pause(engine)
        blocks.append(1)

    hook = engine.parts.model_cache.loaded.denoiser.mid_block.register_forward_pre_hook(before_any_step)  # type: ignore
    assert resume(engine, job).status == "paused"
    hook.remove()
    done = resume(engine, job)
    assert engine.files(done) == engine.files(undisturbed)
    assert notes(done).count("Continued at step 5 of 8.") == 1  # the same is told once
    assert "Continued at step 2 of 8." in notes(done)


def test_pictures_that_were_skipped_stay_so_and_their_neighbours_are_whole(engine: Engine) -> None:
    request = {"n_iter": 4, "batch_size": 2, "steps": 6, "sampler_name": "Euler a"}
    undisturbed = engine.files(engine.draw(**request))
    at_step(engine, 2, engine.state.skip, image=2)
    at_step(engine, 3, lambda: pause(engine), image=4)
    paused = engine.draw(**request)
    assert paused.status == "paused"
    assert [image.index for image in engine.store.jobs.images(paused.id)] == [0, 1]
    done = resume(engine, paused)
    assert [image.index for image in engine.store.jobs.images(done.id)] == [0, 1, 4, 5, 6, 7]
    assert engine.files(done) == undisturbed[:2] + undisturbed[4:]
    assert "Continued at step 3 of 6 of images 5–6." in notes(done)


def test_a_pause_while_decoding_costs_no_step(engine: Engine) -> None:
    undisturbed = engine.draw(steps=3)
    before_decoding(engine, lambda: pause(engine))
    paused = engine.draw(steps=3)
    assert paused.status == "paused"
    steps: list[int] = []
    at_step(engine, 1, lambda: steps.append(1))
    done = resume(engine, paused)
    assert steps == []
    assert engine.files(done) == engine.files(undisturbed)
    assert "Continued at step 3 of 3." in notes(done)


def test_a_batch_whose_first_picture_is_saved_is_drawn_whole_and_saved_in_part(engine: Engine) -> None:
    """Another batch size would give other bits."""
    undisturbed = engine.files(engine.draw(batch_size=3, steps=3))
    saved: list[int] = []
    complete = engine.store.images.complete

    def complete_image(job_id: str, index: int, *rest: Any, **more: Any) -> Any:
        saved.append(index)
        image = complete(job_id, index, *rest, **more)
        if len(saved) == 1:
            engine.cancel.exit.set()
        return image

    engine.store.images.complete = complete_image  # type: ignore[method-assign, assignment]
    left = engine.draw(batch_size=3, steps=3)
    assert left.status == "running"
    engine.cancel.exit.clear()
    for name in snapshot_files(engine):
        (engine.folder.snapshots / name).unlink()  # as if the engine had been killed
    engine.store.claims.recover(Death(True, "exit code 0"))
    assert engine.files(engine.run_next()) == undisturbed
    assert saved == [0, 1, 2]


def test_a_job_that_died_before_its_first_snapshot_says_that_it_begins_anew(engine: Engine) -> None:
    at_step(engine, 2, engine.cancel.exit.set, image=1)
    left = engine.draw(n_iter=3, steps=3)
    engine.cancel.exit.clear()
    for name in snapshot_files(engine):
        (engine.folder.snapshots / name).unlink()  # as if the engine had been killed
    engine.store.claims.recover(Death(False, "killed by SIGKILL"))
    done = engine.run_next()
    assert (done.id, done.status) == (left.id, "done")
    assert notes(done) == ["There was no snapshot of image 2 yet: it begins anew."]


def test_a_job_that_goes_on_shows_at_once_where_it_stands(engine: Engine) -> None:
    at_step(engine, 5, lambda: pause(engine))
    paused = engine.draw(steps=8)
    engine.published.clear()
    resume(engine, paused)
    sampled = [value for value in engine.values("progress") if value and value["phase"] == "sample"]
    assert (sampled[0]["step"], sampled[0]["steps"]) == (5, 8)
    assert paused.progress <= sampled[0]["progress"] < 1
    done = sampled[0]["segments"][0]
    assert done["label"] == "before"
    # How much of the rest loading takes is the affair of the machine; what is too thin to be seen is joined to this.
    assert paused.progress - 0.001 <= done["weight"] <= sampled[0]["progress"] + 0.001


def test_the_last_preview_of_a_paused_job_is_kept_beside_its_snapshot_and_goes_with_it(engine: Engine) -> None:
    def pause_with_a_preview() -> None:
        engine.wait(lambda: engine.state.preview is not None and engine.state.preview.image == 1)
        pause(engine)

    at_step(engine, 2, pause_with_a_preview, image=1)
    paused = engine.draw(n_iter=2, steps=3)
    preview = engine.state.preview
    assert paused.status == "paused" and preview is not None
    assert engine.folder.kept_preview(paused.id).read_bytes() == preview.data
    engine.parts.snapshots.sweep(engine.parts.needs_snapshot)
    assert engine.folder.kept_preview(paused.id).exists()
    assert resume(engine, paused).status == "done"
    assert list(engine.folder.snapshots.iterdir()) == []


def test_an_engine_that_is_told_to_end_leaves_a_snapshot(engine: Engine) -> None:
    undisturbed = engine.files(engine.draw(steps=6, sampler_name="DPM++ SDE"))
    at_step(engine, 5, engine.cancel.exit.set)
    left = engine.draw(steps=6, sampler_name="DPM++ SDE")
    assert left.status == "running"
    engine.cancel.exit.clear()
    engine.store.claims.recover(Death(True, "exit code 0"))
    done = engine.run_next()
    assert engine.files(done) == undisturbed
    assert "Continued at step 2 of 6." in notes(done)  # it takes two steps for each but the last


def test_a_paused_job_frees_the_device_when_nothing_else_is_to_be_drawn(engine: Engine) -> None:
    engine.start()
    at_step(engine, 2, lambda: pause(engine))
    identity = engine.submit(steps=6)
    engine.wait(lambda: engine.store.jobs.get(identity).status == "paused")  # type: ignore[union-attr]
    engine.wait(lambda: engine.parts.model_cache.loaded is None)
    assert engine.store.control.resume(identity).accepted
    engine.wait(lambda: engine.store.jobs.get(identity).status == "done")  # type: ignore[union-attr]


def forget_the_torch_version(engine: Engine, job: Job, patch: pytest.MonkeyPatch) -> str:
    real = environment_of
    patch.setattr(portion_drawing, "environment_of", lambda *values: real(*values) | {"torch": "99.0"})
    return "Cannot be continued exactly: torch was "


def cut_the_file_short(engine: Engine, job: Job, patch: pytest.MonkeyPatch) -> str:
    path = engine.folder.snapshots / f"{job.id}.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return "Cannot be continued exactly: its snapshot is cut short or damaged; it began again."


def write_it_in_another_version(engine: Engine, job: Job, patch: pytest.MonkeyPatch) -> str:
    path = engine.folder.snapshots / f"{job.id}.safetensors"
    kept = snapshots.from_bytes(path.read_bytes(), "cpu")
    with patch.context() as newer:
        newer.setattr(snapshots, "FORMAT", 99)
        path.write_bytes(snapshots.to_bytes(kept))
    reads = f"this version reads {snapshots.FORMAT}"
    return f"Cannot be continued exactly: its snapshot has the format 99, {reads}; it began again."


@pytest.mark.parametrize("spoil", [forget_the_torch_version, cut_the_file_short, write_it_in_another_version])
def test_a_job_whose_snapshot_does_not_fit_begins_again_and_says_why(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Engine, Job, pytest.MonkeyPatch], str]
) -> None:
    undisturbed = engine.draw()
    at_step(engine, 2, lambda: pause(engine))
    paused = engine.draw()
    told = spoil(engine, paused, monkeypatch)
    done = resume(engine, paused)
    assert done.status == "done"
    assert any(text.startswith(told) and text.endswith("; it began again.") for text in notes(done)), notes(done)
    assert engine.files(done) == engine.files(undisturbed)
    assert snapshot_files(engine) == []


def test_a_job_that_is_drawn_in_two_places_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(engine, 2, lambda: pause(engine), image=1)
    paused = engine.draw(n_iter=2)
    forget_the_torch_version(engine, paused, monkeypatch)
    texts = notes(resume(engine, paused))
    assert any(text.startswith("Its images are not drawn under the same conditions") for text in texts), texts


def test_what_a_job_no_longer_needs_is_swept(engine: Engine) -> None:
    at_step(engine, 2, lambda: pause(engine))
    paused = engine.draw()
    assert engine.store.control.ask("interrupt", paused.id).accepted
    assert snapshot_files(engine) != []
    engine.housekeeping.look()
    assert snapshot_files(engine) == []
