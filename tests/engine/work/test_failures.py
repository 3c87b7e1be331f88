"""Jobs that fail: in words, alone, and without leaving anything behind."""

import errno
import gc
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from modules.engine.work import saving
from modules.errors import StorageError
from modules.images.save import save_image
from tests.engine.conftest import Engine
from tests.engine.moments import at_step


def test_a_job_that_fails_says_why_and_the_next_one_is_drawn(engine: Engine, tmp_path: Path) -> None:
    broken = engine.store.queue.submit("txt2img", {"override_settings": {"sd_model_checkpoint": "absent"}}, "tester")
    job = engine.run_next()
    assert job.id == broken.id
    assert job.status == "failed"
    assert job.error is not None and job.error.startswith("Checkpoint 'absent' is not known: use one of")
    assert engine.draw().status == "done"


def test_weights_that_were_changed_amid_a_job_are_told(engine: Engine, models_folder: Path, tmp_path: Path) -> None:
    changed = models_folder / "Stable-diffusion" / "changed"
    shutil.copytree(models_folder / "Stable-diffusion" / "tiny", changed)
    try:
        identity = engine.submit(override_settings={"sd_model_checkpoint": "changed"}, n_iter=2)
        claimed = engine.store.claims.claim("engine-1")
        assert claimed is not None
        at_step(engine, 1, engine.cancel.exit.set, image=1)
        with torch.inference_mode():
            engine.worker.run_job(claimed)
        engine.cancel.exit.clear()
        name = "unet/diffusion_pytorch_model.safetensors"
        shutil.copyfile(models_folder / "Stable-diffusion" / "plain" / name, changed / name)
        engine.store.claims.recover()
        job = engine.run_next()
        assert job.id == identity
        assert job.error == "The weights of changed were changed since this job began: submit it again."
    finally:
        shutil.rmtree(changed)


def test_a_full_disk_fails_the_job_in_words_and_keeps_what_is_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = save_image
    saved: list[Path] = []

    def disk_fills_up(data: bytes, path: Path) -> None:
        if saved:
            raise StorageError.from_os_error(path, OSError(errno.ENOSPC, "No space left on device"))
        saved.append(path)
        save(data, path)

    monkeypatch.setattr(saving, "save_image", disk_fills_up)
    job = engine.draw(n_iter=3)
    assert job.status == "failed"
    assert job.error is not None and job.error.startswith("No space left to write ")
    assert "free some disk space" in job.error
    assert len(engine.files(job)) == 1


def test_outputs_that_cannot_be_written_are_named(engine: Engine) -> None:
    engine.folder.root.mkdir(exist_ok=True)
    engine.folder.outputs.write_text("a file where the folder should be")
    job = engine.draw()
    assert job.status == "failed"
    assert job.error is not None and str(engine.folder.outputs) in job.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "Out of memory while drawing 64×64, batch size 1: use a smaller size."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), "Out of memory while drawing"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_anything_that_a_network_throws_ends_its_job_alone(engine: Engine, error: Exception, words: str) -> None:
    engine.draw()

    def throw(module: nn.Module, inputs: object) -> None:
        raise error

    hook = engine.parts.model_cache.loaded.denoiser.mid_block.register_forward_pre_hook(throw)  # type: ignore[union-attr]
    job = engine.draw()
    hook.remove()
    assert job.status == "failed"
    assert job.error is not None and job.error.startswith(words)
    # Memory that ran out is given back; the model is loaded again for the next job.
    assert (engine.parts.model_cache.loaded is None) is ("memory" in words)
    assert engine.draw().status == "done"


def test_the_loop_outlives_a_database_that_refuses(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = engine.store.claims.claim
    refusals: list[int] = []

    def refuse_once(name: str) -> Any:
        if not refusals:
            refusals.append(1)
            raise StorageError("No space left to write jobs.sqlite: free some disk space.")
        return claim(name)

    monkeypatch.setattr(engine.store.claims, "claim", refuse_once)
    identity = engine.submit()
    engine.start()
    engine.wait(lambda: engine.store.jobs.get(identity).status == "done")  # type: ignore[union-attr]
    assert refusals == [1]


@pytest.mark.parametrize("ending", ["interrupted", "done", "failed"])
def test_no_latents_stay_in_memory_when_a_job_has_ended(
    engine: Engine, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks and hooks hold frames, and frames hold tensors."""
    engine.draw()

    def fail() -> None:
        raise ValueError("on purpose")

    monkeypatch.setattr(logging.getLogger("modules.engine.worker"), "disabled", True)  # pytest would keep the traceback

    if ending != "done":
        at_step(engine, 2, engine.state.interrupt if ending == "interrupted" else fail)
    assert engine.draw(width=72, height=136, batch_size=2).status == ending

    def left() -> list[torch.Size]:
        gc.collect()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [thing.shape for thing in gc.get_objects() if type(thing) is torch.Tensor and 17 in thing.shape]

    engine.wait(lambda: not left(), 5)
