"""Memory that runs out and memory that stays: one more try with less, and an engine that comes back to its level."""

import gc
import logging
from typing import Any

import psutil
import pytest
import torch

from modules.engine.models.devices import Device
from modules.engine.models.memory import GROWTH_ALLOWED_BYTES, JOBS_TO_LEARN, Baseline
from modules.engine.models.model_cache import free_memory
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.work import beginnings
from modules.engine.work.decoding import decode
from modules.engine.work.economy import Economy, cheaper
from modules.engine.work.sampling import Batch
from modules.errors import StorageError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.rows import Death
from tests.engine.conftest import Engine
from tests.engine.moments import at_step

CPU, CARD = Device("cpu", "CPU"), Device("cuda", "a card")


def resolved_of(engine: Engine, **request: Any) -> ResolvedJob:
    job = engine.draw(**request)
    assert job.resolved is not None
    return ResolvedJob.model_validate(job.resolved)


class Scarce:
    """Memory that suffices for `pictures` at once, and for decoding in tiles alone where `tiles` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pictures: int = 100, tiles: bool = False) -> None:
        self.refused = 0
        run = Batch._run

        def scarce_run(batch: Any, *given: Any, **named: Any) -> Any:
            if len(batch._indices) > pictures:
                self.refuse()
            return run(batch, *given, **named)

        def scarce_decode(model: Any, latents: Any, size: tuple[int, int], save_memory: bool, *more: Any) -> Any:
            if tiles and not save_memory:
                self.refuse()
            return decode(model, latents, size, save_memory, *more)

        monkeypatch.setattr(Batch, "_run", scarce_run)
        monkeypatch.setattr(beginnings, "decode", scarce_decode)

    def refuse(self) -> None:
        self.refused += 1
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_a_batch_that_is_too_large_is_drawn_one_by_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [engine.files(engine.draw(seed=seed))[0] for seed in (7, 8)]
    scarce = Scarce(monkeypatch, pictures=1)
    job = engine.draw(batch_size=2)
    assert (job.status, job.economy) == ("queued", {"batch_size": 1})
    (note,) = job.notes
    assert (note.kind, note.text) == (
        "out-of-memory", "Out of memory at 64×64, batch size 2: tried again with batch size 1."
    )  # fmt: skip
    assert engine.parts.model_cache.loaded is None
    done = engine.run_next()
    assert (done.id, done.status, done.deaths, scarce.refused) == (job.id, "done", 0, 1)
    assert [image.seed for image in engine.store.jobs.images(job.id)] == [7, 8]
    assert engine.files(job) == alone


def test_a_picture_that_is_too_large_to_decode_is_decoded_in_tiles(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scarce(monkeypatch, tiles=True)
    job = engine.draw(width=256, height=192)
    assert (job.status, job.economy) == ("queued", {"vae_tiling": True})
    assert job.notes[0].text == "Out of memory at 256×192, batch size 1: tried again with VAE tiling."
    done = engine.run_next()
    assert (done.status, done.attempts) == ("done", 2)
    assert done.stopped_after_seconds is None
    # No step is drawn again.
    assert [note.kind for note in done.notes] == ["out-of-memory", "continued"]
    assert "step 4 of 4" in done.notes[1].text
    # The next job is drawn as ever.
    engine.draw(width=256, height=192, seed=3)
    assert not engine.parts.model_cache.loaded or not engine.parts.model_cache.loaded.pipeline.vae.use_tiling


def test_a_job_that_runs_out_of_memory_again_fails_clearly_and_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scarce(monkeypatch, pictures=0)
    assert engine.draw(batch_size=2).status == "queued"
    job = engine.run_next()
    assert job.status == "failed"
    assert job.error == (
        "Out of memory while drawing 64×64, batch size 2, also with batch size 1: use a smaller size, or batch size 1."
    )
    monkeypatch.undo()
    assert engine.draw().status == "done"


def test_a_job_that_nothing_makes_cheaper_fails_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    Scarce(monkeypatch, pictures=0)
    job = engine.draw()
    assert (job.status, job.attempts, job.economy, job.notes) == ("failed", 1, None, ())
    assert job.error == "Out of memory while drawing 64×64, batch size 1: use a smaller size."


def test_what_is_cheaper_depends_on_where_memory_ran_out(engine: Engine) -> None:
    one, two = resolved_of(engine), resolved_of(engine, batch_size=2)
    tiles, single = Economy(vae_tiling=True), Economy(batch_size=1)
    assert cheaper(one, CPU, "decode", can_tile=True) == tiles
    assert cheaper(one, CPU, "decode", can_tile=False) is None
    assert cheaper(one, CPU, "sample", can_tile=True) is None
    assert cheaper(two, CPU, "sample", can_tile=False) == single
    assert cheaper(two, CPU, None, can_tile=True) == Economy(vae_tiling=True, batch_size=1)
    assert cheaper(one, CPU, "load", can_tile=True) is None
    assert cheaper(one, CARD, "load", can_tile=True) == Economy(offload=True)
    assert cheaper(one, CPU, "prepare", can_tile=True) == cheaper(one, CPU, "upscale", can_tile=True) == tiles
    assert cheaper(two, CARD, "sample", can_tile=True) == Economy(True, True, 1)
    assert cheaper(two, CARD, "save", can_tile=True) is None
    stored = Economy(True, True, 1)
    assert Economy.of(stored.stored() | {"of a later version": 1}) == stored
    assert str(stored) == "VAE tiling, batch size 1 and networks off the device while they rest"
    assert (Economy.of(None), Economy().stored(), str(Economy())) == (Economy(), {}, "")


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for a convolution"), False),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError(12, "Cannot allocate memory"), True),
        (OSError(28, "No space left on device"), False),
        (StorageError("out of memory"), False),
    ],
)
def test_what_counts_as_memory_that_ran_out(error: Exception, is_it: bool) -> None:
    assert is_out_of_memory(error) is is_it


def test_tiles_give_the_picture_that_the_whole_gives(engine: Engine) -> None:
    engine.draw()
    model = engine.parts.model_cache.loaded
    assert model is not None
    assert model.family.can_tile(model.pipeline, (256, 64)) and not model.family.can_tile(model.pipeline, (128, 128))
    latents = torch.randn(1, 4, 1, 1).expand(1, 4, 40, 48)
    with torch.inference_mode():
        size = (384, 320)
        whole, tiled = decode(model, latents, size), decode(model, latents, size, save_memory=True)
        assert model.pipeline.vae.use_tiling
        again = decode(model, latents, size)
    assert whole.tobytes() == again.tobytes()
    assert whole.size == tiled.size == size


def test_a_job_for_which_the_system_killed_the_engine_goes_on_with_less(engine: Engine) -> None:
    identity = engine.submit(batch_size=2)
    claimed = engine.store.claims.claim("engine-0")
    assert claimed is not None
    at_step(engine, 2, engine.cancel.exit.set)
    with torch.inference_mode():
        engine.worker.run_job(claimed)
    engine.cancel.exit.clear()
    engine.start(Death(False, "killed by SIGKILL, since the machine ran out of memory"))
    engine.wait(lambda: engine.store.jobs.get(identity).finished)  # type: ignore[union-attr]
    job = engine.store.jobs.get(identity)
    assert job is not None
    assert (job.status, job.deaths, job.economy) == ("done", 1, {"vae_tiling": True, "batch_size": 1})
    assert any("since the machine ran out of memory, at 64×64" in note.text for note in job.notes)


def test_the_memory_of_the_engine_is_flat_over_interrupts_and_failures(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks hold frames, and frames hold tensors."""
    monkeypatch.setattr(logging.getLogger("modules.engine.worker"), "disabled", True)  # pytest would keep them

    def fail() -> None:
        raise ValueError("on purpose")

    def stop(number: int) -> None:
        at_step(engine, 1, fail if number % 5 == 4 else engine.state.interrupt)
        assert engine.draw(width=192, height=192, steps=2).status in ("interrupted", "failed")

    def level() -> tuple[int, int]:
        free_memory(engine.parts.device)
        tensors = sum(1 for thing in gc.get_objects() if type(thing) is torch.Tensor)
        return tensors, psutil.Process().memory_info().rss

    for number in range(8):
        stop(number)
    tensors, memory = level()
    for number in range(20):
        stop(number)
    tensors_after, memory_after = level()
    assert tensors_after <= tensors + 10  # Those of the last preview and the last snapshot, in one or the other.
    assert memory_after < memory + 24 * 1024**2


class Measured:
    def __init__(self) -> None:
        self.bytes = 1000 * 1024**2

    def __call__(self) -> tuple[int, ...]:
        return (self.bytes,)


def test_growth_is_told_once_it_is_known_what_the_model_takes() -> None:
    measured = Measured()
    baseline = Baseline(measured)
    for _ in range(JOBS_TO_LEARN):
        measured.bytes += 100 * 1024**2
        assert baseline.grown_beyond(20, "model") is None
    measured.bytes = int(1300 * 1.2) * 1024**2
    assert baseline.grown_beyond(20, "model") is None
    measured.bytes += 2 * 1024**2
    assert baseline.grown_beyond(20, "model") == "it holds 1562 MB, where 1300 MB is usual"
    assert baseline.grown_beyond(0, "model") is None
    assert baseline.grown_beyond(20, "another model") is None  # which is learned anew
    measured.bytes += GROWTH_ALLOWED_BYTES
    for _ in range(JOBS_TO_LEARN):
        assert baseline.grown_beyond(1, "another model") is None


def test_an_engine_that_has_grown_asks_for_another_and_claims_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.worker, "_baseline", Baseline(Measured()))
    monkeypatch.setattr(engine.worker._baseline, "grown_beyond", lambda limit, model: "it holds 9 MB, where 1 is usual")
    first, second = engine.submit(), engine.submit()
    engine.start()
    engine.wait(lambda: engine.state.server_command == "restart-engine")
    engine.wait(lambda: engine.store.jobs.get(first).status == "done")  # type: ignore[union-attr]
    assert engine.store.jobs.get(second).status == "queued"  # type: ignore[union-attr]
