"""A denoiser sees a large picture part by part; one that fits is drawn to the bits as ever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from modules.engine.families.base import Asked
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch
from modules.engine.work.tiled_denoiser import in_tiles, parts_of
from modules.jobs.models.family_facts import DRAWN_IN_TILES
from tests.engine.own_engine import Engine
from tests.engine.tiny_models.registry import tiny_model
from tests.engine.tiny_models.trial import Trial
from tests.engine.work.hires_jobs import LARGE, SIDE, Hires, ask, at, passes_of, pixels
from tests.jobs.made_jobs import resolved_job

ROWS = {
    "sdxl": "StableDiffusionXLPipeline", "sd3": "StableDiffusion3Pipeline", "z-image": "ZImagePipeline",
    "lumina2": "Lumina2Pipeline", "pixart-sigma": "PixArtSigmaPipeline",
}  # fmt: skip


class Denoiser(nn.Module):
    """Says of each latent something that depends on it alone, and remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(self, sample: Any, timestep: torch.Tensor, return_dict: bool = True) -> tuple[Any]:
        first = sample[0] if isinstance(sample, list) else sample
        self.seen.append((first.shape[-2], first.shape[-1]))
        return ([3 * one - timestep for one in sample] if isinstance(sample, list) else 3 * sample - timestep,)


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


@pytest.mark.parametrize("form", ["first", "named", "list"])
def test_parts_are_blended_without_a_trace_where_they_agree(
    plain: LoadedModel, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoiser, time = Denoiser(), torch.tensor(0.5)
    monkeypatch.setattr(plain.pipeline, "unet", denoiser)
    latents = torch.randn(2, 4, 40, 27, generator=torch.Generator().manual_seed(1))
    with in_tiles(plain, (216, 320), 128):
        said = {
            "first": lambda: denoiser(latents, time)[0],
            "named": lambda: denoiser(timestep=time, sample=latents)[0],
            "list": lambda: torch.stack(denoiser(list(latents), time)[0]),
        }[form]()
    assert torch.allclose(said, 3 * latents - 0.5, atol=1e-5)
    assert set(denoiser.seen) == {(16, 16)} and len(denoiser.seen) == 6
    assert denoiser(latents, time)[0].shape == latents.shape and denoiser.seen[-1] == (40, 27)


def test_a_part_is_no_larger_than_asked_for_and_what_fits_is_one(plain: LoadedModel) -> None:
    for size, tile, count in (
        ((512, 512), 512, 1),
        ((520, 512), 512, 2),
        ((2048, 2048), 512, 25),
        ((96, 96), 8, 4),
        ((104, 96), 96, 2),
    ):
        parts = parts_of(plain, size, tile)
        assert len(parts) == count, size
        assert all(side.length * 8 <= max(tile, 64) for side in (*parts.columns, *parts.rows))


@pytest.mark.parametrize("family", ROWS)
def test_each_family_draws_in_tiles_and_to_the_same_bits_what_fits(tmp_path: Path, family: str) -> None:
    assert family in DRAWN_IN_TILES
    trial = Trial(tiny_model(ROWS[family]), tmp_path)
    model = trial.model
    what = resolved_job(prompt="a cat", seed=3, steps=1, cfg_scale=3.0, width=128, height=96, sampler_name="Euler")
    forward, calls = model.denoiser.forward, list[int]()

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        return forward(*arguments, **named)

    model.denoiser.forward = counted

    def drawn(tile: int | None) -> torch.Tensor:
        calls.clear()
        with torch.inference_mode():
            words = PromptEncoder().encode(model, "a cat", "", Asked.by(what.passes[0], 1))
            return Batch(model, words, what, [0], tile=tile).sample(lambda done, steps, step: None)

    whole, once = drawn(None), len(calls)
    tiled = drawn(64)
    assert len(calls) == 6 * once, "three parts beside each other, two below each other"
    assert tiled.shape == whole.shape and bool(torch.isfinite(tiled).all())
    assert not torch.equal(tiled, whole)
    assert torch.equal(drawn(128), whole)
    assert model.denoiser.forward is counted


def test_a_tiled_pass_is_stopped_between_blocks_and_goes_on_to_the_same_bits(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hires.engine
    passes = passes_of(hires.base, "Latent", tile=64)
    undisturbed = hires.draw(passes)
    (fitting,) = pixels(hires.draw(passes_of(hires.base, "Latent", tile=LARGE)))
    (whole,) = pixels(hires.draw(passes_of(hires.base, "Latent")))
    assert np.array_equal(fitting, whole)
    assert not np.array_equal(pixels(undisturbed)[0], whole)
    identity = hires.submit(passes)
    at(engine, ("sample", 1, 2), lambda: ask(engine, "pause", identity), monkeypatch)
    assert engine.run_next().status == "paused"
    assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert (done.status, engine.files(done)) == ("done", undisturbed)


def test_a_second_pass_for_which_memory_does_not_suffice_is_drawn_in_tiles_of_what_the_first_one_took(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, run = hires.engine, Batch._run

    def scarce(batch: Any, number: int, *given: Any, **named: Any) -> Any:
        if number and not batch._tile:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(batch, number, *given, **named)

    monkeypatch.setattr(Batch, "_run", scarce)
    identity = hires.submit(passes_of(hires.base, "Latent"))
    job = engine.run_next()
    assert (job.status, job.economy) == ("queued", {"tile": SIDE})
    done = engine.run_next()
    assert done.status == "done"
    monkeypatch.undo()
    assert np.array_equal(
        pixels(engine.files(identity)), pixels(hires.draw(passes_of(hires.base, "Latent", tile=SIDE)))
    )
    assert any("tiles of 64 pixels" in note.text for note in done.notes)
    assert any("step 4 of 4 of pass 1" in note.text for note in done.notes), "no step of the first pass is drawn again"


def test_a_kind_of_model_that_cannot_says_so_and_draws_the_whole(tmp_path: Path) -> None:
    tiny_model("FluxPipeline").save_pretrained(tmp_path / "models" / "Stable-diffusion" / "tiny")
    engine = Engine(tmp_path / "data", tmp_path / "models")
    try:
        hires = Hires(engine)
        (first, second), tiled = (passes_of(hires.base, "Latent", **more) for more in ({}, {"tile": 64}))
        assert np.array_equal(pixels(hires.draw((first, second))), pixels(hires.draw(tiled)))
        (job, *_others), _total = engine.store.jobs.page()
        assert "is not of a kind that can draw in tiles" in " ".join(note.text for note in job.notes)
    finally:
        engine.close()
