"""A refiner: another model goes on where the first one ends, to the bits of diffusers' own two pipelines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from modules.engine.families.base import Asked
from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.progress.bar import JobProgress
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch, Ready
from modules.jobs.kinds.base import ResolvedJob, Source
from modules.jobs.rows import Actor
from modules.jobs.submission import Wishes, check_request, submit
from modules.shared_state import State
from tests.engine import tiny_files
from tests.engine.own_engine import Engine
from tests.jobs.made_jobs import resolved_job

STEPS, SWITCH = 10, 8
PROMPTS = {"prompt": "a red heart", "negative_prompt": "blue"}


def test_the_refiner_of_sdxl_goes_on_as_in_diffusers(tmp_path: Path) -> None:
    base, refiner = tiny_files.sdxl(tmp_path).folder, tiny_files.sdxl_refiner(tmp_path).folder
    whole = resolved_job(
        **PROMPTS, seed=11, steps=STEPS, cfg_scale=4.0, width=64, height=64, sampler_name="Euler"
    ).passes[0]
    second = whole.model_copy(update={"begin": SWITCH, "checkpoint": Source(name="refiner", hash="b" * 64)})
    job = resolved_job(**PROMPTS, seed=11).model_copy(
        update={"passes": (whole.model_copy(update={"end": SWITCH}), second)}
    )
    models = [loaded(base), loaded(refiner)]

    def switch(number: int, left: torch.Tensor | None, resumed: bool) -> Ready:
        model, asked = models[number], Asked.by(job.passes[number], 1)
        return Ready(model, PromptEncoder().encode(model, PROMPTS["prompt"], PROMPTS["negative_prompt"], asked))

    with torch.inference_mode():
        ours = Batch(None, {}, job, [0], switch=switch).sample(lambda done, steps, step: None)
        theirs = drawn_by_diffusers(models[0].pipeline, models[1].pipeline)
    assert torch.equal(ours, theirs)


def loaded(folder: Path) -> LoadedModel:
    return ModelCache(best_device(), Cancel(State())).get(ModelKey(folder, folder.name, "float32"), lambda done: None)


def drawn_by_diffusers(base: Any, refiner: Any) -> torch.Tensor:
    """Return latents by `denoising_end` and `denoising_start`."""
    part, common = SWITCH / STEPS, {**PROMPTS, "num_inference_steps": STEPS, "guidance_scale": 4.0}
    first = StableDiffusionXLPipeline(**base.components)
    components = refiner.components | {"scheduler": EulerDiscreteScheduler.from_config(refiner.scheduler.config)}
    second = StableDiffusionXLImg2ImgPipeline(
        **components, requires_aesthetics_score=True, force_zeros_for_empty_prompt=False
    )
    first.scheduler = EulerDiscreteScheduler.from_config(base.scheduler.config)
    for pipeline in (first, second):
        pipeline.set_progress_bar_config(disable=True)
    noise = torch.Generator().manual_seed(11)
    left = first(**common, width=64, height=64, denoising_end=part, output_type="latent", generator=noise).images
    finished: torch.Tensor = second(**common, image=left, denoising_start=part, output_type="latent").images
    return finished


REFINED: dict[str, Any] = {"steps": 6, "refiner_checkpoint": "plain", "refiner_switch_at": 0.5}


def drawn(engine: Engine, **request: Any) -> tuple[list[bytes], ResolvedJob]:
    job = engine.draw(**request)
    assert job.status == "done", job.error
    return engine.files(job), ResolvedJob.model_validate(job.resolved)


def test_a_job_goes_through_both_models_and_its_files_say_so(engine: Engine) -> None:
    engine.options.update({"sd_model_checkpoint": "tiny"})
    plain, _ = drawn(engine, steps=6)
    files, resolved = drawn(engine, **REFINED, n_iter=2)
    assert [resolved.checkpoint_of(number).name for number in (0, 1)] == ["tiny", "plain"]
    assert len({*plain, *files}) == 3, "each has its own seed, and the refiner's hand"
    infotext = engine.store.jobs.images(engine.store.jobs.page()[0][0].id)[0].infotext or ""
    assert ", Refiner: plain [" in infotext
    assert ", Refiner switch at: 0.5, Refiner switch by sampling steps: True" in infotext
    again, _ = drawn(engine, **REFINED, seed=8)
    assert again == files[1:], "a picture is the same in any batch"


def test_one_that_never_takes_over_is_none_and_one_from_the_beginning_is_all(engine: Engine) -> None:
    never, resolved = drawn(engine, **REFINED | {"steps": 2, "refiner_switch_at": 1})
    assert never == drawn(engine, steps=2)[0]
    assert [one.checkpoint for one in resolved.passes] == [None]
    _, resolved = drawn(engine, **REFINED | {"steps": 2, "refiner_switch_at": 0})
    assert [resolved.checkpoint_of(0).name, len(resolved.passes)] == ["plain", 1]


def test_pauses_in_either_pass_and_between_them_lose_no_bit(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, _ = drawn(engine, **REFINED, n_iter=2)
    identity = engine.submit(**REFINED, n_iter=2)

    def ask() -> None:
        engine.store.control.ask("pause", identity)
        engine.state.apply_request("pause", identity)

    moments = {
        (0, 0, 2): "step 2 of 3 of pass 1 of image 1",
        (0, 0, 3): "step 0 of 3 of pass 2 of image 1",  # Before the refiner's first block.
        (1, 1, 2): "step 2 of 3 of pass 2 of image 2",
    }
    for moment in moments:
        with monkeypatch.context() as patch:
            when(engine, moment, ask, patch)
            assert engine.run_next().status == "paused"
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert done.status == "done"
    assert engine.files(done) == undisturbed
    notes = " ".join(note.text for note in done.notes)
    assert all(told in notes for told in moments.values())


def test_previews_go_on_with_the_refiner(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.options.update({"live_preview_share_percent": 0})
    moments: list[int] = []

    def look() -> None:
        step = engine.state.sampling_step
        engine.wait(lambda: (one := engine.state.preview) is not None and one.step == step)
        moments.append(step)

    when(engine, (0, 1, 1), look, monkeypatch)
    drawn(engine, **REFINED)
    assert moments == [1]


def when(engine: Engine, moment: tuple[int, int, int], act: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    """Call `act` once, after a step of a pass of a picture: (image, pass, step)."""
    tell, enter = engine.parts.previews.step_done, JobProgress.enter
    now = {"pass": 0}
    done: list[int] = []

    def entered(progress: JobProgress, phase: Any, image: int = 0, turn: int = 0, *rest: int) -> None:
        now["pass"] = turn
        enter(progress, phase, image, turn, *rest)

    def step_done() -> None:
        tell()
        if (engine.state.image_index, now["pass"], engine.state.sampling_step) == moment and not done:
            done.append(1)
            act()

    patch.setattr(JobProgress, "enter", entered)
    patch.setattr(engine.parts.previews, "step_done", step_done)


def test_a_job_that_waits_is_drawn_with_what_was_chosen_when_it_was_sent(engine: Engine) -> None:
    catalogue = engine.parts.catalogue
    data = {"prompt": "a heart", "seed": 7, "steps": 2}
    checked = check_request("txt2img", data, catalogue, engine.options.values)
    submit(engine.store, checked, Wishes("me"), Actor("me", "127.0.0.1"))
    engine.options.update({"sd_model_checkpoint": "plain", "CLIP_stop_at_last_layers": 2})
    resolved = ResolvedJob.model_validate(engine.run_next().resolved)
    assert (resolved.sources.checkpoint.name, resolved.words.clip_skip) == ("tiny", 1)
    resolved = ResolvedJob.model_validate(engine.draw(steps=2).resolved)
    assert (resolved.sources.checkpoint.name, resolved.words.clip_skip) == ("plain", 2)
