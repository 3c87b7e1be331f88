"""Whole jobs in this process: drawn, stopped in every way, recovered; real store, real files, a tiny model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from modules.engine import housekeeping, worker
from modules.engine.housekeeping import Housekeeping
from modules.engine.models import devices
from modules.engine.progress.bar import JobProgress
from modules.errors import StorageError
from modules.images.picture_info import read_parameters
from modules.jobs.rows import Death
from modules.jobs.store.deletion import Deleted
from modules.jobs.store.jobs import JobFilter
from modules.options import Options
from tests.engine.conftest import Engine
from tests.engine.moments import at_step, before_decoding


def test_a_job_becomes_pictures_that_say_how_they_were_made(engine: Engine) -> None:
    job = engine.draw(n_iter=2, batch_size=2, negative_prompt="blue", steps=3)
    assert (job.status, job.error, job.attempts) == ("done", None, 1)
    images = engine.store.jobs.images(job.id)
    assert [(image.index, image.seed, image.partial) for image in images] == [(i, 7 + i, False) for i in range(4)]
    for image, data in zip(images, engine.files(job), strict=True):
        info = read_parameters(data)
        assert info.info == image.infotext
        assert info.parameters["seed"] == image.seed
        assert info.parameters["steps"] == 3
    assert job.resolved is not None
    assert job.resolved["dtype"] == "float32"
    assert len(set(engine.files(job))) == 4


def test_state_and_progress_are_right_at_every_moment(engine: Engine) -> None:
    fields: list[dict[str, Any]] = []

    def observe(changed: Any) -> None:
        fields.append(dict(changed))
        if "job_count" in changed:  # previews come when they are ready
            engine.published.append(("state", dict(changed)))

    engine.state.observer = observe
    job = engine.draw(n_iter=2, steps=3)
    steps = [changed["sampling_step"] for changed in fields if "sampling_step" in changed]
    assert [step for step in steps if step] == [1, 2, 3, 1, 2, 3]
    assert {changed["sampling_steps"] for changed in fields if "sampling_steps" in changed} == {3}
    assert [changed["job_no"] for changed in fields if "job_no" in changed] == [1, 2]
    assert [changed["job_count"] for changed in fields if "job_count" in changed] == [-1, 2, 0]
    told = [value for value in engine.values("progress") if value is not None]
    values = [value["progress"] for value in told]
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert {value["job"] for value in told} == {job.id}
    # Progress 1, the end on the noticeboard, the row's end, then nothing runs.
    ends = [(topic, value) for topic, value in engine.published if topic not in ("engine", "heartbeat")]
    last = [topic for topic, _ in ends[-4:]]
    assert last == ["progress", "state", "events", "progress"]
    assert ends[-4][1]["progress"] == 1.0
    assert ends[-3][1]["job_count"] == 0
    assert ends[-1][1] is None
    assert [value["status"] for value in engine.values("engine")][-1] == "idle"
    assert engine.values("engine")[-1]["checkpoint"] == "tiny"


def test_the_same_request_gives_the_same_bytes_whatever_happens_around_it(engine: Engine) -> None:
    first = engine.draw()
    engine.options.update({"live_previews_enable": False})
    assert engine.files(engine.draw()) == engine.files(first)
    engine.options.update({"live_previews_enable": True})
    at_step(engine, 2, engine.state.interrupt)
    assert engine.draw(seed=99).status == "interrupted"
    assert engine.files(engine.draw()) == engine.files(first)


def test_an_interrupt_stops_inside_the_step_and_keeps_nothing(engine: Engine) -> None:
    blocks: list[int] = []
    engine.draw()
    denoiser = engine.parts.model_cache.loaded.denoiser  # type: ignore[union-attr]
    denoiser.up_blocks[0].register_forward_pre_hook(lambda module, inputs: blocks.append(1))
    denoiser.mid_block.register_forward_pre_hook(
        lambda module, inputs: engine.state.interrupt() if len(blocks) == 2 else None
    )
    job = engine.draw(n_iter=3)
    assert job.status == "interrupted"
    assert len(blocks) == 2
    assert engine.store.jobs.images(job.id) == []


def test_a_skip_costs_one_image_and_the_next_one_is_not_hit(engine: Engine) -> None:
    at_step(engine, 2, engine.state.skip, image=1)
    job = engine.draw(n_iter=3)
    assert job.status == "done"
    assert [image.index for image in engine.store.jobs.images(job.id)] == [0, 2]


def test_a_stored_skip_is_obeyed_once_for_its_own_image(engine: Engine) -> None:
    """The nudge was lost: the housekeeping finds the request in the row."""

    def ask() -> None:
        assert engine.store.control.ask("skip").image == 1
        engine.housekeeping.look()
        engine.housekeeping.look()

    at_step(engine, 2, ask, image=1)
    job = engine.draw(n_iter=3)
    assert [image.index for image in engine.store.jobs.images(job.id)] == [0, 2]
    assert job.skip_image is None


def test_stop_ends_the_job_after_the_current_image(engine: Engine) -> None:
    at_step(engine, 1, engine.state.stop_generating, image=1)
    job = engine.draw(n_iter=4)
    assert job.status == "interrupted"
    assert [image.index for image in engine.store.jobs.images(job.id)] == [0, 1]
    at_step(engine, 1, engine.state.stop_generating, image=0)
    assert engine.draw(n_iter=1).status == "done"


def test_a_stored_interrupt_is_found_by_the_housekeeping_and_before_the_job_begins(engine: Engine) -> None:
    def ask() -> None:
        assert engine.store.control.ask("interrupt").accepted
        engine.housekeeping.look()

    at_step(engine, 2, ask)
    job = engine.draw(n_iter=3)
    assert job.status == "interrupted"
    assert job.stopped_after_seconds is not None
    identity = engine.submit()
    claimed = engine.store.claims.claim("engine-1")
    assert claimed is not None
    engine.store.control.ask("interrupt", identity)
    engine.worker.run_job(claimed)
    after = engine.store.jobs.get(identity)
    assert after is not None
    assert after.status == "interrupted"
    assert after.resolved is None


@pytest.mark.parametrize("act", ["interrupt", "skip"])
def test_what_a_stopped_picture_had_become_is_kept_if_the_settings_say_so(engine: Engine, act: str) -> None:
    engine.options.update({"save_incomplete_images": True})
    at_step(engine, 3, getattr(engine.state, act), image=0)
    job = engine.draw(n_iter=2, batch_size=2, steps=8)
    images = engine.store.jobs.images(job.id)
    assert [image.index for image in images] == ([0, 1] if act == "interrupt" else [0, 1, 2, 3])
    assert [image.partial for image in images][:2] == [True, True]
    assert "Partial: 3/8" in images[0].infotext
    info = read_parameters(engine.files(job)[1])
    assert '"partial":[3,8]' in info.items["steady"]


def test_a_stop_while_decoding_is_obeyed_between_two_blocks(engine: Engine) -> None:
    engine.draw()
    before_decoding(engine, engine.state.interrupt)
    job = engine.draw()
    assert job.status == "interrupted"
    assert engine.store.jobs.images(job.id) == []


def test_images_that_are_complete_stay_when_a_later_one_is_interrupted(engine: Engine) -> None:
    undisturbed = engine.files(engine.draw(n_iter=3))
    at_step(engine, 2, engine.state.interrupt, image=2)
    job = engine.draw(n_iter=3)
    assert job.status == "interrupted"
    assert engine.files(job) == undisturbed[:2]


def test_an_interrupt_while_loading_leaves_no_half_model(engine: Engine) -> None:
    advance = JobProgress.advance
    calls: list[float] = []

    def interrupt_soon(progress: JobProgress, fraction: float) -> None:
        calls.append(fraction)
        if len(calls) == 2:
            engine.state.interrupt()
        advance(progress, fraction)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobProgress, "advance", interrupt_soon)
        assert engine.draw().status == "interrupted"
    assert len(calls) == 2
    assert engine.parts.model_cache.loaded is None
    assert engine.draw().status == "done"


def test_the_next_engine_draws_only_what_is_missing_to_the_same_bytes(engine: Engine, models_folder: Path) -> None:
    undisturbed = engine.draw(n_iter=2, batch_size=2, steps=3)
    identity = engine.submit(n_iter=2, batch_size=2, steps=3)
    claimed = engine.store.claims.claim("engine-1")
    assert claimed is not None
    at_step(engine, 2, engine.cancel.exit.set, image=2)
    with torch.inference_mode():
        engine.worker.run_job(claimed)
    left = engine.store.jobs.get(identity)
    assert left is not None
    assert left.status == "running"
    assert len(engine.files(identity)) == 2
    assert not engine.state.running
    assert engine.values("engine")[-1]["status"] == "stopping"
    (engine.folder.root / engine.store.jobs.images(identity)[1].name).unlink()

    other = Engine(engine.folder.root, models_folder, "engine-2")
    try:
        drawn: list[int] = []
        complete = other.store.images.complete
        other.store.images.complete = lambda *a, **k: (drawn.append(a[1]), complete(*a, **k))[1]  # type: ignore
        with torch.inference_mode():
            other.store.claims.recover(Death(True, "exit code 0"))
            again = other.store.claims.claim("engine-2")
            assert again is not None and again.attempts == 2 and again.deaths == 0
            other.worker.run_job(again)
        done = other.store.jobs.get(identity)
        assert done is not None and done.status == "done"
        assert drawn == [2, 3]
        assert len({image.name for image in other.store.jobs.images(identity)}) == 4
        files = [other.folder.root / image.name for image in other.store.jobs.images(identity)]
        expected = engine.files(undisturbed)
        assert [file.read_bytes() for file in (files[0], *files[2:])] == [expected[0], *expected[2:]]
    finally:
        other.close()


def test_a_setting_that_another_process_changed_just_now_counts_for_the_next_job(engine: Engine) -> None:
    """A client sets the model and sends a job at once; the housekeeping has not looked at the settings yet."""
    Options(engine.folder.settings).update({"sd_model_checkpoint": "plain"})
    job = engine.draw()
    assert job.resolved is not None
    assert job.resolved["sources"]["checkpoint"]["name"] == "plain"


def test_a_seed_is_drawn_once_and_kept(engine: Engine) -> None:
    job = engine.draw(seed=-1)
    assert job.resolved is not None
    assert 0 <= job.resolved["seed"] < 2**32
    assert engine.store.jobs.images(job.id)[0].seed == job.resolved["seed"]


def test_what_a_prompt_asks_for_and_does_not_get_is_told_once(engine: Engine) -> None:
    engine.submit()
    calling = engine.submit(prompt="cat <lora:nowhere:1>", steps=3)
    assert [note.text for note in engine.run_next().notes] == []
    at_step(engine, 1, lambda: engine.state.apply_request("pause", calling))
    paused = engine.run_next()
    engine.store.control.resume(calling)
    notes = [note for note in engine.run_next().notes if note.kind == "networks"]
    assert paused.status == "paused"
    assert ["nowhere" in note.text for note in notes] == [True]


def test_the_loop_takes_jobs_in_order_as_soon_as_they_come_and_ends_when_told(engine: Engine) -> None:
    engine.start()
    engine.wait(lambda: any(value["status"] == "idle" for value in engine.values("engine")))
    jobs = [engine.submit(seed=seed) for seed in range(3)]
    finished = engine.wait(lambda: engine.store.jobs.page(JobFilter(("done",)))[1] == 3)
    assert finished
    times = [engine.store.jobs.get(job).finished_at for job in jobs]  # type: ignore[union-attr]
    assert times == sorted(times)  # type: ignore[type-var]


def test_models_are_forgotten_on_demand_once_no_job_is_there_and_the_next_job_loads_its_own(engine: Engine) -> None:
    first, second = engine.submit(), engine.submit()
    at_step(engine, 1, engine.worker.unload)
    before = engine.run_next()
    assert engine.parts.model_cache.keys  # The second job draws with it.
    engine.start()
    engine.wait(lambda: not engine.parts.model_cache.keys)
    assert engine.store.jobs.get(second).status == "done"  # type: ignore[union-attr]
    engine.wait(lambda: engine.values("engine")[-1]["checkpoint"] is None)
    third = engine.submit()
    engine.wait(lambda: engine.store.jobs.get(third).finished)  # type: ignore[union-attr]
    assert engine.parts.model_cache.keys
    assert engine.files(third) == engine.files(first) == engine.files(before)
    engine.worker.unload()
    engine.wait(lambda: not engine.parts.model_cache.keys)


def test_an_engine_at_rest_gives_back_what_it_kept_for_a_next_picture_until_one_comes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[str] = []
    given_back: list[list[str]] = []  # how the jobs stood then
    status = engine.store.jobs.get
    monkeypatch.setattr(devices, "_trim_heap", lambda: given_back.append([status(job).status for job in jobs]))  # type: ignore[union-attr]
    monkeypatch.setattr(worker, "_SECONDS_BEFORE_REST", 0.05)
    engine.start()
    engine.wait(lambda: [] in given_back)
    for _ in range(2):
        jobs.append(engine.submit())
        engine.wait(lambda: ["done"] * len(jobs) in given_back)
    assert engine.parts.model_cache.keys


def test_what_was_to_be_forgotten_is_kept_when_that_is_taken_back(engine: Engine) -> None:
    engine.draw()
    kept = engine.parts.model_cache.keys
    engine.worker.unload()
    engine.worker.unload(wanted=False)
    engine.start()
    job = engine.submit()
    engine.wait(lambda: engine.store.jobs.get(job).finished)  # type: ignore[union-attr]
    assert engine.parts.model_cache.keys == kept != frozenset()
    told = [value["checkpoint"] for value in engine.values("engine")]
    assert None not in told[told.index(next(filter(None, told))) :]


def test_pictures_that_were_not_to_be_saved_are_swept_when_idle_each_hour(engine: Engine) -> None:
    job = engine.draw(save_images=False)
    (image,) = engine.store.jobs.images(job.id)
    assert image.name.startswith("results/")
    clock = [0.0]
    keeping = Housekeeping(engine.parts, engine.worker, lambda: clock[0])
    swept: list[float] = []
    engine.store.images.expire_results = swept.append  # type: ignore[method-assign, assignment]
    for clock[0] in (0.0, 10.0, 3599.0, 3601.0):
        keeping.look()
    assert swept == [24, 24]


def test_events_that_nobody_waits_for_any_more_are_removed_when_idle(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVENTS_KEPT", 5)
    for number in range(20):
        engine.store.audit.note_settings([f"setting-{number}"])
    Housekeeping(engine.parts, engine.worker).look()
    assert (engine.store.events.after(0, limit=1)[0].number, engine.store.events.last()) == (16, 20)


def test_jobs_that_the_settings_no_longer_keep_are_deleted_soon(engine: Engine) -> None:
    job = engine.draw()
    clock = [0.0]
    keeping = Housekeeping(engine.parts, engine.worker, lambda: clock[0])
    keeping.look()
    assert engine.store.jobs.get(job.id) is not None  # by default all stay for ever
    engine.options.update({"jobs_kept_days": 1})
    clock[0] = 5.0
    keeping.look()
    assert engine.store.jobs.get(job.id) is not None
    with engine.store.database.write() as transaction:
        transaction.execute("UPDATE jobs SET finished_at = finished_at - 90000")
    clock[0] = 30.0
    keeping.look()
    assert engine.store.jobs.get(job.id) is not None
    clock[0] = 70.0
    keeping.look()
    assert engine.store.jobs.get(job.id) is None


def test_a_disk_that_refuses_one_thing_keeps_none_of_the_others_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(hours: int) -> int:
        raise StorageError("No space left")

    def delete_old(days: int, count: int) -> Deleted:
        deleted.append(days)
        return Deleted(0, 0, 0)

    clock, deleted = [0.0], list[int]()
    keeping = Housekeeping(engine.parts, engine.worker, lambda: clock[0])
    monkeypatch.setattr(engine.store.images, "expire_results", refuse)
    monkeypatch.setattr(engine.store.deletion, "delete_old", delete_old)
    engine.options.update({"jobs_kept_days": 3})
    for clock[0] in (0.0, 0.5, 59.9, 60.0):
        keeping.look()
    assert deleted == [3, 3]
    assert [record.message for record in caplog.records] == ["No space left"]


def test_an_engine_whose_database_is_gone_has_itself_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_SECONDS_TO_BE_RESTARTED", 0.0)
    monkeypatch.setattr(housekeeping, "SECONDS_BETWEEN_LOOKS", 0.0)
    database = engine.folder.database
    database.rename(database.with_name("elsewhere"))
    Housekeeping(engine.parts, engine.worker)._run()
    assert engine.state.server_command == "restart-engine"
    assert engine.cancel.exit.is_set()  # also where no launcher replaces it
    assert not database.exists()
