"""The bar: never falls, ends at one, guesses the rest from the last seconds."""

from typing import Any

import pytest

from modules.engine.progress import JobProgress, Plan


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def run_job(progress: JobProgress, clock: Clock, seconds_a_step: float = 1.0) -> None:
    progress.enter_load()
    progress.plan(Plan(steps=4, batches=[[0, 1], [2, 3]], images=4, loads=True))
    for fraction in (0.5, 1.0):
        clock.now += 1
        progress.advance(fraction)
    progress.enter_encode()
    for batch in range(2):
        progress.enter_sample(batch)
        for step in range(1, 5):
            clock.now += seconds_a_step
            progress.step(step, 4)
        for place in range(2):
            clock.now += 0.1
            progress.enter_decode(batch, place)
            clock.now += 0.1
            progress.enter_save(batch, place)
    progress.complete()


def test_it_grows_through_all_phases_and_ends_at_one() -> None:
    told: list[Any] = []
    clock = Clock()
    run_job(JobProgress("j", told.append, clock), clock)
    values = [value["progress"] for value in told]
    assert values == sorted(values)
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert list(dict.fromkeys(value["phase"] for value in told)) == ["load", "encode", "sample", "decode", "save"]
    assert [segment["label"] for segment in told[-1]["segments"]] == ["load", "images 1–2", "images 3–4"]
    assert told[-1] | {"progress": 0, "eta_seconds": 0, "segments": []} == {
        "job": "j", "phase": "save", "image": 3, "images": 4, "step": 4, "steps": 4,
        "progress": 0, "eta_seconds": 0, "segments": [],
    }  # fmt: skip


def test_segments_and_progress_agree() -> None:
    """When the first batch begins, the bar stands where its segment begins."""
    told: list[Any] = []
    clock = Clock()
    run_job(JobProgress("j", told.append, clock), clock)
    first = next(value for value in told if value["phase"] == "sample")
    weights = [segment["weight"] for segment in first["segments"]]
    assert first["progress"] == pytest.approx(weights[0] / sum(weights), abs=1e-3)
    second = next(value for value in told if value["phase"] == "sample" and value["image"] == 2)
    assert second["progress"] == pytest.approx(sum(weights[:2]) / sum(weights), abs=1e-3)


def test_a_model_in_memory_has_no_load_segment_and_starts_at_nothing() -> None:
    told: list[Any] = []
    progress = JobProgress("j", told.append, Clock())
    progress.enter_load()
    progress.plan(Plan(steps=4, batches=[[0]], images=1, loads=False))
    progress.enter_sample(0)
    assert told[-1]["progress"] == 0.0
    assert [segment["label"] for segment in told[-1]["segments"]] == ["image 1"]
    progress.step(4, 4)
    assert progress.value == pytest.approx(4 / 5.5)


def test_skipped_work_moves_the_bar_on_and_nothing_moves_it_back() -> None:
    told: list[Any] = []
    progress = JobProgress("j", told.append, Clock())
    progress.plan(Plan(steps=10, batches=[[0], [1]], images=2, loads=False))
    progress.enter_sample(0)
    progress.step(2, 10)
    progress.enter_sample(1)
    assert progress.value == pytest.approx(0.5)
    progress.enter_load()
    assert progress.value == pytest.approx(0.5)


def test_the_rest_is_guessed_from_the_speed_of_the_last_seconds() -> None:
    clock = Clock()
    progress = JobProgress("j", lambda value: None, clock)
    progress.plan(Plan(steps=100, batches=[[0]], images=1, loads=False))
    assert progress.eta_seconds is None
    progress.enter_sample(0)
    for step in range(1, 51):
        clock.now += 1.0 if step <= 25 else 0.5  # twice as fast in the last twelve seconds
        progress.step(step, 100)
    assert progress.eta_seconds == pytest.approx(51.5 * 0.5, rel=0.05)


def test_news_come_at_most_twenty_times_a_second_but_a_new_phase_at_once() -> None:
    told: list[Any] = []
    clock = Clock()
    progress = JobProgress("j", told.append, clock)
    progress.plan(Plan(steps=1000, batches=[[0]], images=1, loads=False))
    progress.enter_sample(0)
    del told[:]
    for step in range(1, 1001):
        clock.now += 0.001
        progress.step(step, 1000)
    assert 15 <= len(told) <= 20
    progress.enter_decode(0, 0)
    assert told[-1]["phase"] == "decode"


def test_many_images_are_one_segment() -> None:
    plan = Plan(steps=2, batches=[[index] for index in range(500)], images=500, loads=True)
    assert [segment["label"] for segment in plan.segments()] == ["load", "500 images"]
