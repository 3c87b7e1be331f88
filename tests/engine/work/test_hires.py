"""Hires fix: what a first pass left is enlarged and drawn over, in jobs of an engine in this process."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline
from PIL import Image
from torch.nn import functional

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.progress.bar import JobProgress
from modules.engine.work.drawing import JobDrawing
from modules.engine.work.enlarging import enlarge_latents
from modules.jobs.kinds.base import Enlarging, ResolvedJob, Source, Words
from modules.jobs.kinds.starts import Start
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.hashes import hash_file
from modules.jobs.rows import Actor, Death
from modules.jobs.submission import Wishes, check_request, submit
from tests.engine import flow
from tests.engine.own_engine import Engine
from tests.engine.tiny_models.registry import tiny_model
from tests.engine.tiny_upscalers import esrgan, save
from tests.engine.work.hires_jobs import LARGE, SIDE, Hires, Moment, ask, at, passes_of, pixels


@pytest.mark.parametrize("mode", LATENT_MODES)
def test_latents_are_enlarged_where_they_lie_in_the_picture_and_their_middle_is_kept(
    load: Callable[..., LoadedModel], mode: str
) -> None:
    how = LATENT_MODES[mode]
    left = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    # 64×64 to 80×128: 128×128 covers it, and of 16 latents the 10 in the middle are kept.
    wanted = functional.interpolate(left, (16, 16), mode=how.mode, antialias=how.antialias)[..., 3:13]
    with torch.inference_mode():
        assert torch.equal(enlarge_latents(load("plain"), left, (64, 64), (80, 128), how), wanted)
        packed = FluxPipeline._pack_latents(left, 2, 4, 8, 8)
        made = enlarge_latents(flow.flux(), packed, (64, 64), (80, 128), how)
    assert torch.equal(made, FluxPipeline._pack_latents(wanted, 2, 4, 16, 10))


def test_a_second_pass_is_img2img_of_the_enlarged_picture_with_its_own_words_and_sampler(hires: Hires) -> None:
    engine, own = hires.engine, {"words": Words(prompt="a boat", negative_prompt="blue"), "sampler_name": "Heun"}
    enlarging = Enlarging(upscaler="Lanczos", extra_noise=0.1)
    first, second = passes_of(hires.base, "Lanczos", **own, cfg_scale=3.0, enlarging=enlarging)
    (drawn,) = pixels(hires.draw((first, second)))
    assert drawn.shape == (LARGE, LARGE, 3)
    (small,) = hires.draw((first,))
    finished = engine.parts.inputs.take_in(small)
    (of_finished,) = pixels(hires.draw((second.model_copy(update={"start": Start(pictures=(finished,))}),)))
    assert np.array_equal(of_finished, drawn), "a picture that is done is drawn over as if it had not been left"
    buffer = io.BytesIO()
    Image.open(io.BytesIO(small)).resize((LARGE, LARGE), Image.Resampling.LANCZOS).save(buffer, "PNG")
    enlarged = Start(pictures=(engine.parts.inputs.take_in(buffer.getvalue()),), extra_noise=0.1)
    img2img = second.model_copy(update={"start": enlarged, "enlarging": None, "words": None})
    (of_enlarged,) = pixels(hires.draw((img2img,), words=own["words"]))
    assert np.array_equal(of_enlarged, drawn)
    (others,) = pixels(hires.draw((first, second.model_copy(update={"words": None}))))
    assert not np.array_equal(others, drawn)


def test_what_is_enlarged_covers_another_ratio_and_its_middle_is_kept(hires: Hires) -> None:
    for upscaler in ("Nearest", "Latent (nearest-exact)"):
        passes = passes_of(hires.base, upscaler, width=LARGE, height=LARGE + 32)
        (drawn,) = pixels(hires.draw(passes))
        assert drawn.shape == (LARGE + 32, LARGE, 3)


def test_a_request_names_another_model_for_the_second_pass_which_encodes_what_the_first_decoded(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hires.engine
    request = {
        "width": SIDE, "height": SIDE, "steps": 4, "n_iter": 2, "enable_hr": True, "hr_scale": 1.5,
        "hr_upscaler": "Lanczos", "hr_checkpoint_name": "plain", "denoising_strength": 0.6, "hr_prompt": "a boat",
    }  # fmt: skip
    job = engine.draw(**request)
    assert job.status == "done", job.error
    undisturbed, what = engine.files(job), ResolvedJob.model_validate(job.resolved)
    first, second = what.passes
    assert (second.width, [what.checkpoint_of(number).name for number in (0, 1)]) == (LARGE, ["tiny", "plain"])
    assert "Hires checkpoint: plain" in (engine.store.jobs.images(job.id)[0].infotext or "")

    (small,) = pixels(hires.draw((first,)))
    buffer = io.BytesIO()
    Image.fromarray(small).resize((LARGE, LARGE), Image.Resampling.LANCZOS).save(buffer, "PNG")
    start = Start(pictures=(engine.parts.inputs.take_in(buffer.getvalue()),))
    assert second.checkpoint is not None and second.words is not None
    img2img = second.model_copy(update={"start": start, "enlarging": None, "checkpoint": None, "words": None})
    sources = what.sources.model_copy(update={"checkpoint": second.checkpoint})
    (of_enlarged,) = pixels(hires.draw((img2img,), words=second.words, sources=sources))
    assert np.array_equal(of_enlarged, pixels(undisturbed)[0])

    identity = engine.submit(**request)
    for moment in (("upscale", 1, 0), ("load", 1, 0), ("prepare", 1, 0), ("sample", 1, 1)):
        with monkeypatch.context() as patch:
            at(engine, moment, lambda: ask(engine, "pause", identity), patch)
            engine.parts.model_cache.drop()
            assert engine.run_next().status == "paused", moment
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert (done.status, engine.files(done)) == ("done", undisturbed)


def test_an_upscaler_from_a_file_enlarges_tile_by_tile_and_says_how_far_it_is(
    hires: Hires, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hires.engine
    path = save(esrgan(), models_folder / "ESRGAN" / "noisy.safetensors")
    source = Source(name="noisy", hash=hash_file(path))
    passes = passes_of(hires.base, "noisy", enlarging=Enlarging(upscaler="noisy", model=source, tile=32))
    told: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(JobProgress, "advance", lambda _progress, fraction: told.append(fraction))
        undisturbed = hires.draw(passes, batch_size=2)
    assert told == sorted(told)
    assert {0.5, 1.0} < set(told), "each of two pictures in several tiles"
    undisturbed = hires.draw(passes)
    assert not np.array_equal(pixels(undisturbed), pixels(hires.draw(passes_of(hires.base, "Lanczos"))))
    identity, tiles = hires.submit(passes), list[int]()
    network = engine.parts.upscalers._kept.get(source)
    enlarge = network.enlarge

    def counted(*given: object) -> object:
        tiles.append(1)
        if len(tiles) == 2:
            ask(engine, "pause", identity)
        return enlarge(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(network, "enlarge", counted)
    assert (engine.run_next().status, len(tiles)) == ("paused", 2)
    assert engine.store.control.resume(identity).accepted
    assert engine.files(engine.run_next()) == undisturbed


def test_an_upscaler_is_the_one_that_was_chosen_when_the_job_was_sent(hires: Hires, models_folder: Path) -> None:
    engine, folder = hires.engine, models_folder / "ESRGAN"
    path = save(esrgan(), folder / "chosen.safetensors")
    sent = {"width": SIDE, "height": SIDE, "steps": 2, "enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "chosen"}
    checked = check_request("txt2img", sent, engine.parts.catalogue, engine.options.values)
    for changed, status in ((False, "done"), (True, "failed")):
        submit(engine.store, checked, Wishes("me"), Actor("me", "127.0.0.1"))
        if changed:
            save(esrgan(seed=9), path)
        job = engine.run_next()
        assert job.status == status, job.error
        if not changed:
            _, second = ResolvedJob.model_validate(job.resolved).passes
            assert second.enlarging is not None and second.enlarging.model is not None
            assert (second.enlarging.upscaler, second.enlarging.model.hash) == ("chosen", hash_file(path))
            assert ", Hires upscaler: chosen" in (engine.store.jobs.images(job.id)[0].infotext or "")
    assert job.error == "The upscaler chosen.safetensors was changed since this job was sent: submit it again."


def test_a_family_of_packed_latents_draws_over_them_and_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model("FluxPipeline").save_pretrained(tmp_path / "models" / "Stable-diffusion" / "tiny")
    engine = Engine(tmp_path / "data", tmp_path / "models")
    try:
        hires = Hires(engine)
        for upscaler in ("Latent (bicubic antialiased)", "Lanczos"):
            passes = passes_of(hires.base, upscaler)
            undisturbed = hires.draw(passes)
            assert pixels(undisturbed)[0].shape == (LARGE, LARGE, 3)
            identity = hires.submit(passes)
            for step in (0, 2):
                with monkeypatch.context() as patch:
                    at(engine, ("sample", 1, step), lambda: ask(engine, "pause", identity), patch)  # noqa: B023
                    assert engine.run_next().status == "paused"
                assert engine.store.control.resume(identity).accepted
            assert engine.files(engine.run_next()) == undisturbed
    finally:
        engine.close()


MOMENTS: dict[Moment, str] = {
    ("sample", 0, 2): "Continued at step 2 of 4 of pass 1 of images 1–2.",
    ("upscale", 1, 0): "Continued at step 4 of 4 of pass 1 of images 1–2.",
    ("prepare", 1, 0): "Continued at step 4 of 4 of pass 1 of images 1–2.",
    ("sample", 1, 0): "Continued at step 0 of 4 of pass 2 of images 1–2.",
    ("sample", 1, 3): "Continued at step 3 of 4 of pass 2 of images 1–2.",
    ("decode", 0, 0): "Continued at step 4 of 4 of pass 2 of images 1–2.",
}


@pytest.mark.parametrize("upscaler", ["Lanczos", "Latent"])
def test_pauses_at_any_moment_between_and_in_both_passes_lose_no_bit(
    hires: Hires, upscaler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, passes = hires.engine, passes_of(hires.base, upscaler, sampler_name="DPM++ 2M SDE")
    undisturbed = hires.draw(passes, batch_size=2)
    identity = hires.submit(passes, batch_size=2)
    del engine.published[:]
    moments = {one: told for one, told in MOMENTS.items() if upscaler == "Lanczos" or one[0] in ("sample", "decode")}
    for moment in moments:
        with monkeypatch.context() as patch:
            at(engine, moment, lambda: ask(engine, "pause", identity), patch)
            assert engine.run_next().status == "paused", moment
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert done.status == "done"
    assert engine.files(done) == undisturbed
    bar = [value["progress"] for value in engine.values("progress") if value is not None]
    assert all(after >= before - 0.001 for before, after in itertools.pairwise(bar))
    assert {note.text for note in done.notes if note.kind == "continued"} == set(moments.values())


def test_both_passes_count_in_progress_and_on_the_noticeboard(hires: Hires, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = hires.engine
    counts: list[tuple[int, int, int]] = []
    tell = engine.parts.previews.step_done

    def step_done() -> None:
        tell()
        state = engine.state
        counts.append((state.job_no, state.job_count, state.sampling_step))

    monkeypatch.setattr(engine.parts.previews, "step_done", step_done)
    del engine.published[:]
    hires.draw(passes_of(hires.base, "Lanczos"), n_iter=2)
    assert counts == [(number, 4, step) for number in range(4) for step in (1, 2, 3, 4)]
    told = [value for value in engine.values("progress") if value is not None]
    values = [value["progress"] for value in told]
    assert (values == sorted(values), values[-1]) == (True, 1.0)
    phases = [(value["phase"], value["pass"]) for value in told if value["image"] == 1]
    assert list(dict.fromkeys(phases)) == [
        ("sample", 0), ("upscale", 1), ("prepare", 1), ("sample", 1), ("decode", 1), ("save", 1),
    ]  # fmt: skip


def test_an_interrupt_keeps_what_there_is_in_the_size_that_it_has(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hires.engine
    saving = hires.base.saving.model_copy(update={"save_partial": True})
    wanted: list[tuple[Moment, int, int]] = [
        (("sample", 0, 3), SIDE, 3), (("upscale", 1, 0), SIDE, 4), (("sample", 1, 0), SIDE, 4),
        (("sample", 1, 2), LARGE, 6),
    ]  # fmt: skip
    for moment, side, steps in wanted:
        identity = hires.submit(passes_of(hires.base, "Lanczos"), saving=saving)
        with monkeypatch.context() as patch:
            at(engine, moment, lambda: ask(engine, "interrupt", identity), patch)  # noqa: B023
            job = engine.run_next()
        assert job.status == "interrupted"
        (image,) = engine.store.jobs.images(job.id)
        (kept,) = pixels(engine.files(job))
        assert kept.shape == (side, side, 3), moment
        assert (image.partial, image.width, image.height) == (True, side, side)
        assert f"Partial: {steps}/8" in (image.infotext or "")


def test_a_skip_while_pictures_are_enlarged_goes_on_with_the_next(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, passes = hires.engine, passes_of(hires.base, "Lanczos")
    undisturbed = hires.draw(passes, n_iter=2)
    identity = hires.submit(passes, n_iter=2)
    at(engine, ("upscale", 1, 0), lambda: engine.state.skip(identity), monkeypatch)
    job = engine.run_next()
    assert (job.status, [image.index for image in engine.store.jobs.images(job.id)]) == ("done", [1])
    assert engine.files(job) == undisturbed[1:]


def test_previews_go_on_in_the_second_pass_in_its_size(hires: Hires, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = hires.engine
    engine.options.update({"live_preview_share_percent": 0})
    seen: list[tuple[int, tuple[int, int]]] = []

    def look() -> None:
        step = engine.state.sampling_step
        preview = engine.wait(lambda: (one := engine.state.preview) is not None and one.step == step and one)
        seen.append((preview.step, Image.open(io.BytesIO(preview.data)).size))

    for moment in (("sample", 0, 4), ("sample", 1, 1)):
        at(engine, moment, look, monkeypatch)
    hires.draw(passes_of(hires.base, "Latent"))
    assert seen == [(4, (SIDE, SIDE)), (1, (LARGE, LARGE))]


def test_a_crash_while_pictures_are_enlarged_or_before_the_first_step_costs_no_step(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, passes = hires.engine, passes_of(hires.base, "Lanczos")
    undisturbed = hires.draw(passes)
    moments: dict[Moment, str] = {
        ("prepare", 1, 0): "step 4 of 4 of pass 1",
        ("sample", 1, 0): "step 0 of 4 of pass 2",
    }
    for moment, told in moments.items():
        identity = hires.submit(passes)
        with monkeypatch.context() as patch:
            patch.setattr(engine.parts.snapshots, "due", lambda: is_enlarged(engine))
            patch.setattr(engine.parts.snapshots, "offer", engine.parts.snapshots.keep)
            patch.setattr(JobDrawing, "keep_snapshot", lambda _drawing: None)
            at(engine, moment, engine.cancel.exit.set, patch)
            engine.run_next()
        engine.cancel.exit.clear()
        engine.store.claims.recover(Death(True, "exit code 0"))
        done = engine.run_next()
        assert (done.id, engine.files(done)) == (identity, undisturbed)
        assert any(told in note.text for note in done.notes), moment


def is_enlarged(engine: Engine) -> bool:
    """Tell whether the job that runs is beyond its first pass."""
    return engine.worker.running is not None and engine.worker.running[1]._part.stage > 0
