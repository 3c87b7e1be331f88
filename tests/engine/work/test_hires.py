"""Hires fix: what a first pass left is enlarged and drawn over, in jobs of an engine in this process."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Phase
from modules.jobs.kinds.base import Enlarging, Pass, ResolvedJob, Words
from modules.jobs.kinds.starts import Start
from modules.shared_state import RequestKind
from tests.engine.own_engine import Engine

SIDE, LARGE = 64, 96


def passes_of(resolved: ResolvedJob, upscaler: str, **changes: Any) -> tuple[Pass, Pass]:
    """Return the pass of a job and one after it, 1.5 times as large, from step 2 of 6."""
    first = resolved.passes[0]
    second = {"width": LARGE, "height": LARGE, "steps": 6, "begin": 2, "enlarging": Enlarging(upscaler=upscaler)}
    return first, first.model_copy(update=second | changes)


class Hires:
    """Jobs of given passes, which are put in the place of what a request of words resolves to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.base = ResolvedJob.model_validate(engine.draw(width=SIDE, height=SIDE, steps=4, cfg_scale=4).resolved)

    def submit(self, passes: tuple[Pass, ...], **changes: Any) -> str:
        identity = self.engine.submit(width=SIDE, height=SIDE)
        resolved = self.base.model_copy(update={"passes": passes, **changes})
        claimed = self.engine.store.claims.claim(self.engine.identity.claims_as)
        assert claimed is not None
        self.engine.store.claims.set_resolved(identity, resolved.model_dump())
        self.engine.store.claims.requeue(identity, None, "test")
        return identity

    def draw(self, passes: tuple[Pass, ...], **changes: Any) -> list[bytes]:
        identity = self.submit(passes, **changes)
        job = self.engine.run_next()
        assert (job.id, job.status) == (identity, "done"), job.error
        return self.engine.files(job)


@pytest.fixture
def hires(engine: Engine) -> Hires:
    return Hires(engine)


def pixels(files: list[bytes]) -> list[Any]:
    return [np.asarray(Image.open(io.BytesIO(data))) for data in files]


def test_a_second_pass_is_img2img_of_the_enlarged_picture_with_its_own_words_and_sampler(hires: Hires) -> None:
    engine, own = hires.engine, {"words": Words(prompt="a boat", negative_prompt="blue"), "sampler_name": "Heun"}
    first, second = passes_of(hires.base, "Lanczos", **own, cfg_scale=3.0)
    (drawn,) = pixels(hires.draw((first, second)))
    assert drawn.shape == (LARGE, LARGE, 3)
    (small,) = hires.draw((first,))
    finished = engine.parts.inputs.take_in(small)
    (of_finished,) = pixels(hires.draw((second.model_copy(update={"start": Start(pictures=(finished,))}),)))
    assert np.array_equal(of_finished, drawn), "a picture that is done is drawn over as if it had not been left"
    buffer = io.BytesIO()
    Image.open(io.BytesIO(small)).resize((LARGE, LARGE), Image.Resampling.LANCZOS).save(buffer, "PNG")
    enlarged = Start(pictures=(engine.parts.inputs.take_in(buffer.getvalue()),))
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


# Where a job is stopped: the phase that it enters, of which pass; or a step of that pass.
Moment = tuple[Phase, int, int]
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
    moments = {one: told for one, told in MOMENTS.items() if upscaler == "Lanczos" or one[0] in ("sample", "decode")}
    for moment in moments:
        with monkeypatch.context() as patch:
            at(engine, moment, lambda: ask(engine, "pause", identity), patch)
            assert engine.run_next().status == "paused", moment
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert done.status == "done"
    assert engine.files(done) == undisturbed
    assert {note.text for note in done.notes if note.kind == "continued"} == set(moments.values())


def ask(engine: Engine, what: RequestKind, identity: str) -> None:
    engine.store.control.ask(what, identity)
    engine.state.apply_request(what, identity)


def at(engine: Engine, moment: Moment, act: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    """Call `act` once, on the thread that draws: as the phase begins, or after the step."""
    tell, enter = engine.parts.previews.step_done, JobProgress.enter
    now: list[tuple[Phase, int]] = []
    done: list[int] = []

    def came(step: int) -> None:
        if (*now[-1], step) == moment and not done:
            done.append(1)
            act()

    def entered(progress: JobProgress, phase: Phase, image: int = 0, turn: int = 0, *rest: int) -> None:
        enter(progress, phase, image, turn, *rest)
        now.append((phase, turn))
        came(0)

    def step_done() -> None:
        tell()
        came(engine.state.sampling_step)

    patch.setattr(JobProgress, "enter", entered)
    patch.setattr(engine.parts.previews, "step_done", step_done)


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


@pytest.mark.parametrize(("moment", "side", "steps"), [
    (("sample", 0, 3), SIDE, 3), (("upscale", 1, 0), SIDE, 4), (("sample", 1, 0), SIDE, 4),
    (("sample", 1, 2), LARGE, 6),
])  # fmt: skip
def test_an_interrupt_keeps_what_there_is_in_the_size_that_it_has(
    hires: Hires, moment: Moment, side: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hires.engine
    saving = hires.base.saving.model_copy(update={"save_partial": True})
    identity = hires.submit(passes_of(hires.base, "Lanczos"), saving=saving)
    at(engine, moment, lambda: ask(engine, "interrupt", identity), monkeypatch)
    job = engine.run_next()
    assert job.status == "interrupted"
    (image,) = engine.store.jobs.images(job.id)
    (kept,) = pixels(engine.files(job))
    assert kept.shape == (side, side, 3)
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
