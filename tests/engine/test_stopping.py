"""A job is stopped in whatever phase it is, soon, with the time that it took in its row, and keeps what it should."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from modules.engine.progress.bar import JobProgress
from modules.engine.work import batches
from modules.images.picture_info import read_parameters
from tests.engine.conftest import Engine
from tests.engine.moments import at_step

Act = Callable[[], object]


def once(act: Act) -> Callable[..., None]:
    done: list[int] = []

    def hook(*_given: Any) -> None:
        if not done:
            done.append(1)
            act()

    return hook


def amid_load(engine: Engine, act: Act, patch: pytest.MonkeyPatch) -> None:
    advance, asked = JobProgress.advance, once(act)

    def advance_and_act(progress: Any, fraction: float) -> None:
        asked()
        advance(progress, fraction)

    engine.parts.model_cache.drop()
    patch.setattr(JobProgress, "advance", advance_and_act)


def amid_network(part: Callable[[Any], nn.Module]) -> Callable[[Engine, Act, pytest.MonkeyPatch], None]:
    def install(engine: Engine, act: Act, patch: pytest.MonkeyPatch) -> None:
        part(engine.parts.model_cache.loaded.pipeline).register_forward_pre_hook(once(act))  # type: ignore[union-attr]

    return install


def amid_save(engine: Engine, act: Act, patch: pytest.MonkeyPatch) -> None:
    """The encoding of the picture takes for ever."""

    def encode(*_given: Any) -> bytes:
        act()
        threading.Event().wait(60)
        return b""

    patch.setattr(batches, "encode_drawn", encode)


PHASES = {
    "load": amid_load,
    "encode": amid_network(lambda pipeline: pipeline.text_encoder.encoder.layers[0]),
    "sample": amid_network(lambda pipeline: pipeline.unet.mid_block),
    "decode": amid_network(lambda pipeline: pipeline.vae.decoder.mid_block),
    "save": amid_save,
}


@pytest.mark.parametrize("phase", PHASES)
def test_an_interrupt_is_obeyed_in_every_phase(engine: Engine, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.draw()
    identity = engine.submit(prompt=f"words that are not known yet in {phase}", n_iter=2)
    seen: list[str] = []

    def ask() -> None:
        running = engine.worker.running
        assert running is not None
        seen.append(running[1].phase)
        assert engine.store.control.ask("interrupt", identity).accepted
        engine.state.apply_request("interrupt", identity)

    PHASES[phase](engine, ask, monkeypatch)
    job = engine.run_next()
    assert seen == [phase]
    assert (job.status, engine.store.jobs.images(identity)) == ("interrupted", [])
    assert job.stopped_after_seconds is not None
    monkeypatch.undo()
    assert engine.draw().status == "done"


def skipped_in(engine: Engine, phase: str, patch: pytest.MonkeyPatch, job: str, image: int) -> None:
    """Draw the next job, which is `job`, and skip `image` of it in that phase."""

    def ask() -> None:
        assert engine.store.control.ask("skip", job).image == image
        engine.state.apply_request("skip", job, image)
        patch.undo()  # what takes for ever does so once

    PHASES[phase](engine, ask, patch)
    engine.parts.encoder.forget()
    assert engine.run_next().id == job
    patch.undo()


@pytest.mark.parametrize("phase", PHASES)
def test_a_skip_costs_its_image_alone_in_every_phase(
    engine: Engine, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = engine.files(engine.draw(n_iter=3))
    whole, again = engine.submit(n_iter=3), engine.submit(n_iter=3)
    skipped_in(engine, phase, monkeypatch, whole, image=0)
    job = engine.store.jobs.get(whole)
    assert job is not None
    assert (job.status, job.skip_image) == ("done", None)
    assert [image.index for image in engine.store.jobs.images(whole)] == [1, 2]
    assert engine.files(whole) == undisturbed[1:]
    # One that is tried again begins with another picture: that is the one that is meant.
    at_step(engine, 1, engine.state.interrupt, image=1)
    assert engine.run_next().id == again
    assert engine.store.queue.retry(again).accepted
    skipped_in(engine, phase, monkeypatch, again, image=1)
    assert [image.index for image in engine.store.jobs.images(again)] == [0, 2]


@pytest.mark.parametrize("phase", PHASES)
def test_a_skip_of_the_only_image_ends_its_job_at_once(
    engine: Engine, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.draw()
    identity = engine.submit()
    skipped_in(engine, phase, monkeypatch, identity, image=0)
    job = engine.store.jobs.get(identity)
    assert job is not None
    assert (job.status, engine.store.jobs.images(identity)) == ("done", [])
    assert (engine.parts.model_cache.loaded is None) is (phase == "load"), "nothing was loaded for nobody"
    assert engine.draw().status == "done"


@pytest.mark.parametrize("phase", PHASES)
def test_a_pause_is_obeyed_in_every_phase_and_loses_no_bit(
    engine: Engine, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = engine.files(engine.draw(n_iter=2))
    identity = engine.submit(n_iter=2)

    def ask() -> None:
        assert engine.store.control.ask("pause", identity).accepted
        engine.state.apply_request("pause", identity)

    PHASES[phase](engine, ask, monkeypatch)
    engine.parts.encoder.forget()
    assert engine.run_next().status == "paused"
    monkeypatch.undo()
    assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert (done.id, done.status) == (identity, "done")
    assert engine.files(done) == undisturbed


def test_the_model_is_given_back_when_a_paused_job_was_the_last(engine: Engine) -> None:
    first, second = engine.submit(), engine.submit()

    def ask() -> None:
        engine.store.control.ask("pause", first)
        engine.state.apply_request("pause", first)

    at_step(engine, 2, ask)
    loads: list[int] = []
    load = engine.parts.model_cache._load
    engine.parts.model_cache._load = lambda *given: (loads.append(1), load(*given))[1]  # type: ignore[method-assign]
    engine.start()
    engine.wait(lambda: engine.store.jobs.get(second).status == "done")  # type: ignore[union-attr]
    assert engine.store.jobs.get(first).status == "paused"  # type: ignore[union-attr]
    assert loads == [1]  # The second had use for it.
    third = engine.submit()
    at_step(engine, 2, lambda: (engine.store.control.ask("pause", third), engine.state.apply_request("pause", third)))
    engine.wait(lambda: engine.store.jobs.get(third).status == "paused")  # type: ignore[union-attr]
    engine.wait(lambda: engine.parts.model_cache.loaded is None)


@pytest.mark.parametrize(
    ("settings", "asked", "kept", "marked"),
    [
        ({}, None, False, False),
        ({"save_incomplete_images": True}, None, True, True),
        ({"save_incomplete_images": True, "mark_incomplete_images": False}, None, True, False),
        ({}, "mark", True, True),
        ({}, "keep", True, False),
        ({"save_incomplete_images": True}, "discard", False, False),
    ],
)
def test_what_a_stopped_job_keeps(
    engine: Engine, settings: dict[str, bool], asked: str | None, kept: bool, marked: bool
) -> None:
    engine.options.update(settings)
    at_step(engine, 3, engine.state.interrupt)
    job = engine.draw(steps=8, partial_images=asked)
    images = engine.store.jobs.images(job.id)
    assert (job.status, [image.partial for image in images]) == ("interrupted", [True] if kept else [])
    if kept:
        assert ("Partial: 3/8" in images[0].infotext) is marked
        assert ('"partial":[3,8]' in read_parameters(engine.files(job)[0]).items["steady"]) is marked


def test_a_picture_whose_steps_are_all_done_is_whole_although_the_job_was_stopped(engine: Engine) -> None:
    whole = engine.files(engine.draw())
    amid_network(lambda pipeline: pipeline.vae.decoder.mid_block)(engine, engine.state.interrupt, pytest.MonkeyPatch())
    job = engine.draw(partial_images="mark")
    (image,) = engine.store.jobs.images(job.id)
    assert (job.status, image.partial, "Partial" in image.infotext) == ("interrupted", False, False)
    assert engine.files(job) == whole
