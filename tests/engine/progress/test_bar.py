"""The bar: never falls, as long as the phases take, ends at one; and the time that is left."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Planned, parts_of
from modules.engine.progress.timings import Experience, Kind, Size, Timings
from modules.jobs.kinds.base import Pass

LOAD, ENCODE, STEP, DECODE, SAVE = 12.0, 1.0, 1.0, 3.0, 0.5
SIDE = 64


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guided(steps: int, side: int = SIDE, sampler: str = "Euler", begin: int = 0) -> Pass:
    """Return a pass with two rows a picture."""
    return Pass(
        width=side, height=side, steps=steps, sampler_name=sampler, scheduler="Automatic", cfg_scale=7.0, begin=begin
    )


def experience(folder: Path, slower: float = 1.0) -> Experience:
    """Return what is known of a model, with calls for one and for two pictures."""
    known = Timings(folder / "timings.json").under("m", "float32", "cpu", 2)
    known.learn("load", LOAD * slower)
    known.learn("encode", ENCODE * slower)
    known.learn("decode", DECODE * slower, Size(SIDE, SIDE))
    known.learn("save", SAVE * slower, Size(SIDE, SIDE))
    for rows in (2, 4):
        for kind in ("first", "first_after_load", "step"):
            known.learn(kind, STEP * slower * rows / 2, Size(SIDE, SIDE, rows))
    return known


class Run:
    """A job that takes its time by a clock of its own; `told` is what the link gets, with the moment of each.

    Each of `batches` holds the indices of its pictures; those in `done` are there already.
    """

    def __init__(
        self,
        passes: int | Sequence[Pass],
        batches: Sequence[Sequence[int]] = ((0,),),
        known: Experience | None = None,
        *,
        loads: bool = False,
        done: Sequence[int] = (),
        floor: float = 0.0,
    ) -> None:
        self.clock = Clock()
        self.told: list[dict[str, Any]] = []
        self.moments: list[float] = []
        self.passes = [guided(passes)] if isinstance(passes, int) else passes
        self.loads = loads
        self.missing = [[index for index in indices if index not in done] for indices in batches]
        self.progress = JobProgress("j", self._publish, self.clock, floor)
        self.progress.enter("load")
        parts = parts_of(Planned(self.passes, list(zip(batches, self.missing, strict=True)), loads))
        self.progress.plan(parts, known)

    def _publish(self, value: dict[str, Any] | None) -> None:
        if value is not None:
            self.told.append(value)
            self.moments.append(self.clock.now)

    def wait(self, seconds: float) -> None:
        """Let time pass in which the job says nothing; the housekeeping asks every half second."""
        ends_at = self.clock.now + seconds
        while self.clock.now + 0.5 < ends_at:
            self.clock.now += 0.5
            self.progress.refresh()
        self.clock.now = ends_at

    def start(self, load: float = LOAD) -> None:
        if self.loads:
            for quarter in (0.25, 0.5, 0.75, 1.0):
                self.wait(load / 4)
                self.progress.advance(quarter)
        self.progress.enter("encode")
        self.wait(ENCODE)

    def draw(self, image: int, steps: int | None = None, seconds: float = STEP, first: int = 1, turn: int = 0) -> None:
        """Do some steps of the batch that begins with this picture, each in so many seconds."""
        whole = self.passes[turn].steps
        self.progress.enter("sample", image, turn)
        for step in range(first, (steps or whole) + 1):
            self.wait(seconds)
            self.progress.step(step, whole)

    def finish(self, *images: int) -> None:
        for image in images:
            self.progress.enter("decode", image)
            self.wait(DECODE)
            self.progress.enter("save", image)
            self.wait(SAVE)

    def all(self, load: float = LOAD, seconds: float = STEP) -> None:
        self.start(load)
        for images in filter(None, self.missing):
            self.draw(images[0], seconds=seconds)
            self.finish(*images)
        self.progress.complete()

    def values(self) -> list[float]:
        return [value["progress"] for value in self.told]

    def labels(self) -> list[object]:
        return [segment["label"] for segment in self.told[-1]["segments"]]

    def weights(self) -> list[float]:
        return [float(segment["weight"]) for segment in self.told[-1]["segments"]]


FOUR = [[0, 1], [2, 3]]


def test_it_grows_through_all_phases_and_ends_at_exactly_one() -> None:
    run = Run(4, FOUR, loads=True)
    run.all()
    values = run.values()
    assert values == sorted(values)
    assert values[0] == 0.0
    assert values[-2] < 1.0
    assert (values[-1], run.told[-1]["eta_seconds"]) == (1.0, 0.0)
    assert list(dict.fromkeys(value["phase"] for value in run.told)) == ["load", "encode", "sample", "decode", "save"]
    assert {key: run.told[-1][key] for key in ("job", "phase", "image", "images", "step", "steps", "preview")} == {
        "job": "j", "phase": "save", "image": 3, "images": 4, "step": 4, "steps": 4, "preview": None,
    }  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
def test_a_batch_that_goes_on_amid_its_steps_goes_on_from_where_the_bar_stood(tmp_path: Path, known: bool) -> None:
    """It jumped from 19 % at step 59 to 36 % at step 61, since the bar took the batch for one that begins."""
    run = Run(150, known=experience(tmp_path) if known else None, floor=0.19)
    run.start()
    run.progress.enter("sample", done=59, steps=150)
    begun = run.told[-1]
    assert (begun["step"], begun["steps"]) == (59, 150)
    assert begun["progress"] == pytest.approx(0.19, abs=0.02)
    values = [begun["progress"]]
    for step in range(60, 151):
        run.wait(STEP)
        run.progress.step(step, 150)
        values.append(run.told[-1]["progress"])
    growth = [after - before for before, after in itertools.pairwise(values)]
    assert min(growth) >= 0 and max(growth) < 0.02
    assert values[-1] > 0.9


def test_segments_are_as_long_as_the_phases_took_before(tmp_path: Path) -> None:
    run = Run(20, known=experience(tmp_path), loads=True)
    whole = LOAD + ENCODE + 20 * STEP + DECODE + SAVE
    assert run.labels() == ["load", "encode", "image 1", "finish image 1"]
    assert run.weights() == pytest.approx([LOAD / whole, ENCODE / whole, 20 * STEP / whole, 3.5 / whole], abs=1e-3)
    run.all()
    for value, moment in zip(run.told, run.moments, strict=True):
        assert value["progress"] == pytest.approx(moment / whole, abs=0.03)


def test_the_bar_stands_where_a_segment_begins_when_its_phase_does(tmp_path: Path) -> None:
    run = Run(4, FOUR, experience(tmp_path), loads=True)
    run.all()
    assert run.labels() == ["load", "encode", "images 1–2", "finish images 1–2", "images 3–4", "finish images 3–4"]
    for phase, image, before in (("sample", 0, 2), ("decode", 0, 3), ("sample", 2, 4), ("decode", 2, 5)):
        first = next(value for value in run.told if (value["phase"], value["image"]) == (phase, image))
        assert first["progress"] == pytest.approx(sum(run.weights()[:before]), abs=1e-3)


def test_the_time_left_is_right_from_the_first_message(tmp_path: Path) -> None:
    run = Run(4, FOUR, experience(tmp_path), loads=True)
    run.all(seconds=2 * STEP)  # two pictures at once
    for value, moment in zip(run.told, run.moments, strict=True):
        if moment > 0:  # before the plan nothing is known
            assert value["eta_seconds"] == pytest.approx(run.clock.now - moment, abs=0.7)


def test_the_time_left_is_corrected_by_what_this_job_shows(tmp_path: Path) -> None:
    """A job on a machine that is twice as busy: steps tell it, and decoding is taken to be slower too."""
    run = Run(20, known=experience(tmp_path))
    run.start()
    run.draw(0, steps=10, seconds=2 * STEP)
    left = 10 * 2 * STEP + 2 * (DECODE + SAVE)
    assert run.told[-1]["eta_seconds"] == pytest.approx(left, rel=0.1)
    assert run.values() == sorted(run.values())


def test_without_knowledge_the_time_left_is_told_as_soon_as_a_step_was_measured() -> None:
    run = Run(20, [[0], [1]])
    run.start()
    assert all(value["eta_seconds"] is None for value in run.told)
    run.draw(0, steps=5)
    assert run.told[-1]["eta_seconds"] == pytest.approx(35 * STEP + 2 * 1.5 * STEP)


def test_a_wrong_guess_moves_the_borders_and_neither_jumps_nor_stands_still(tmp_path: Path) -> None:
    """The first job of a model: a load of 80 steps instead of 8."""
    run = Run(20, loads=True)
    run.all(load=80 * STEP)
    assert run.values() == sorted(run.values())
    sampled = [value["progress"] for value in run.told if value["phase"] == "sample"]
    assert max(after - before for before, after in itertools.pairwise(sampled)) < 0.05
    shown = next(value for value in run.told if value["phase"] == "sample" and value["step"] == 20)
    weights = [segment["weight"] for segment in shown["segments"]]
    assert shown["progress"] == pytest.approx(sum(weights[:-1]), abs=0.02)
    assert shown["eta_seconds"] == pytest.approx(1.5 * STEP)


def test_a_long_step_and_a_decode_move_the_bar_by_the_clock(tmp_path: Path) -> None:
    run = Run(2, known=experience(tmp_path, slower=10))
    run.start()
    run.draw(0, seconds=10 * STEP)
    in_steps = [value["progress"] for value in run.told if value["phase"] == "sample"]
    assert len(set(in_steps)) > 30
    run.progress.enter("decode")
    before = run.progress.value
    run.wait(10 * DECODE / 2)
    half = run.progress.value
    assert half > before
    run.wait(100)  # longer than ever
    assert half < run.progress.value < 1.0
    assert run.told[-1]["eta_seconds"] > 0


def test_a_model_in_memory_has_no_load_segment_and_starts_at_nothing(tmp_path: Path) -> None:
    run = Run(4, known=experience(tmp_path))
    assert run.told[-1]["progress"] == 0.0
    assert run.labels() == ["encode", "image 1", "finish image 1"]
    run.start()
    run.draw(0)
    assert run.progress.value == pytest.approx(5 / 8.5)


def test_skipped_work_moves_the_bar_on_and_nothing_moves_it_back(tmp_path: Path) -> None:
    run = Run(10, [[0], [1]], experience(tmp_path))
    run.start()
    run.draw(0, steps=2)
    run.progress.enter("sample", 1)
    assert run.progress.value == pytest.approx((1 + 13.5) / 28)
    assert run.told[-1]["eta_seconds"] == pytest.approx(10 * STEP + DECODE + SAVE)
    run.progress.enter("load")
    assert run.progress.value == pytest.approx((1 + 13.5) / 28)
    assert run.told[-1]["eta_seconds"] == pytest.approx(ENCODE + 2 * (10 * STEP + DECODE + SAVE))
    run.progress.enter("save", 1)
    assert run.told[-1]["eta_seconds"] == pytest.approx(SAVE)


def test_a_job_that_goes_on_starts_where_its_finished_pictures_end(tmp_path: Path) -> None:
    run = Run(10, [[0], [1], [2]], experience(tmp_path), loads=True, done=[0, 1])
    done = 2 * 13.5 / (3 * 13.5 + LOAD + ENCODE)
    assert run.told[-1]["progress"] == pytest.approx(done, abs=1e-3)
    assert run.labels() == ["image 1", "finish image 1", "image 2", "finish image 2", "load", "encode",
                            "image 3", "finish image 3"]  # fmt: skip
    run.all()
    assert run.told[-1]["progress"] == 1.0


def test_work_that_was_lost_is_done_again_without_a_step_back(tmp_path: Path) -> None:
    run = Run(10, known=experience(tmp_path), loads=True, floor=0.6)
    assert run.told[0]["progress"] == 0.6
    assert run.labels()[0] == "before"
    assert sum(run.weights()) == pytest.approx(1.0, abs=1e-3)
    run.all()
    assert run.values() == sorted(run.values())
    steps = [value["progress"] for value in run.told if value["phase"] == "sample"]
    assert len(set(steps)) >= 10  # it goes on from there at once, slower


def test_a_job_that_was_nearly_done_goes_on_where_the_bar_stood(tmp_path: Path) -> None:
    run = Run(10, known=experience(tmp_path), loads=True, floor=0.998)
    assert 0.998 <= run.progress.value < 1.0


def test_a_batch_that_goes_on_in_its_middle_has_less_left(tmp_path: Path) -> None:
    run = Run(20, known=experience(tmp_path))
    run.start()
    run.draw(0, first=13, steps=15)
    assert run.told[-1]["eta_seconds"] == pytest.approx(5 * STEP + DECODE + SAVE, rel=0.05)


def test_samplers_that_call_the_denoiser_twice_a_step_take_as_long(tmp_path: Path) -> None:
    run = Run([guided(10, sampler="Heun")], known=experience(tmp_path))
    assert run.told[-1]["eta_seconds"] == pytest.approx(ENCODE + 19 * STEP + DECODE + SAVE)


def test_a_batch_that_is_drawn_whole_for_one_picture_takes_as_long_as_whole(tmp_path: Path) -> None:
    run = Run(10, [[0, 1]], experience(tmp_path), done=[0])
    assert run.told[-1]["eta_seconds"] == pytest.approx(ENCODE + 10 * 2 * STEP + DECODE + SAVE)


def test_news_come_at_most_twenty_times_a_second_but_a_new_phase_at_once() -> None:
    run = Run(1000)
    run.progress.enter("encode")
    run.progress.enter("sample")
    del run.told[:]
    for step in range(1, 1001):
        run.clock.now += 0.001
        run.progress.step(step, 1000)
    assert 15 <= len(run.told) <= 20
    run.progress.enter("decode")
    assert run.told[-1]["phase"] == "decode"


def test_a_refresh_after_the_end_tells_nothing() -> None:
    """The housekeeping asks from another thread: the last that everyone hears must be that nothing runs."""
    told: list[Any] = []
    clock = Clock()
    progress = JobProgress("j", told.append, clock)
    progress.complete()
    progress.clear()
    clock.now += 10
    progress.refresh()
    progress.advance(0.5)
    assert [value and value["progress"] for value in told] == [1.0, None]


def test_many_images_are_one_segment_and_many_batches_have_one_each() -> None:
    many, ten = (Run(2, [[index] for index in range(images)], loads=True) for images in (500, 10))
    assert many.labels() == ["500 images"]  # a load is too thin to be seen there
    assert ten.labels() == ["load", *(f"image {number}" for number in range(1, 11))]


TWICE = [guided(10), guided(4, side=2 * SIDE)]


def test_a_job_of_two_passes_is_one_segment_as_long_as_both(tmp_path: Path) -> None:
    known = experience(tmp_path)
    kinds: tuple[tuple[int, Kind, float], ...] = (
        (2, "first", 5 * STEP), (2, "step", 5 * STEP), (1, "decode", DECODE), (1, "save", SAVE),
    )  # fmt: skip
    for rows, kind, seconds in kinds:
        known.learn(kind, seconds, Size(2 * SIDE, 2 * SIDE, rows))
    run = Run(TWICE, known=known)
    whole = ENCODE + 10 * STEP + 4 * 5 * STEP + DECODE + SAVE
    assert run.told[-1]["eta_seconds"] == pytest.approx(whole)
    assert run.labels() == ["encode", "image 1", "finish image 1"]
    assert run.weights()[1] == pytest.approx(30 / whole, abs=1e-3)
    run.start()
    run.draw(0)
    run.draw(0, seconds=5 * STEP, turn=1)
    run.finish(0)
    run.progress.complete()
    for value, moment in zip(run.told[1:], run.moments[1:], strict=True):
        assert value["progress"] == pytest.approx(moment / whole, abs=0.01)
        assert value["eta_seconds"] == pytest.approx(whole - moment, abs=0.01)


def test_the_second_pass_is_guessed_from_the_first_by_its_pixels_and_then_measured() -> None:
    run = Run(TWICE)
    run.start()
    run.draw(0)
    finish = 4 * 1.5 * STEP
    assert run.told[-1]["eta_seconds"] == pytest.approx(4 * 4 * STEP + finish)
    run.draw(0, steps=3, seconds=8 * STEP, turn=1)
    assert (run.told[-1]["step"], run.told[-1]["steps"]) == (3, 4)
    assert run.told[-1]["eta_seconds"] == pytest.approx(8 * STEP + 2 * finish)
    assert run.values() == sorted(run.values())


def test_a_sample_that_begins_amid_its_steps_has_fewer(tmp_path: Path) -> None:
    run = Run([guided(20, begin=12)], known=experience(tmp_path))
    assert run.told[-1]["eta_seconds"] == pytest.approx(ENCODE + 8 * STEP + DECODE + SAVE)
