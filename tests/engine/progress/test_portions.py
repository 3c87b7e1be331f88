"""The bar of a job of several portions: one after the other, each with the times of its own model."""

from pathlib import Path
from typing import Any

import pytest

from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Planned, parts_of
from modules.engine.progress.timings import Experience, Kind, Size, Timings
from tests.jobs.made_jobs import resolved_job

PASSES = resolved_job(steps=10, sampler_name="Euler").passes
STEPS: tuple[Kind, ...] = ("step", "first", "first_after_load")
AROUND: tuple[Kind, ...] = ("load", "encode")
ENDS: tuple[Kind, ...] = ("decode", "save")
CALL = Size(PASSES[0].width, PASSES[0].height, 2)
ONE: list[tuple[list[int], list[int]]] = [([0], [0])]
DONE: list[tuple[list[int], list[int]]] = [([0], [])]


def cells(*loads: bool) -> list[Planned]:
    """Return cells of one picture each; where one loads, another model begins."""
    models = [sum(loads[: number + 1]) - 1 for number in range(len(loads))]
    return [
        Planned(PASSES, ONE, own, first=number, model=max(model, 0))
        for number, (own, model) in enumerate(zip(loads, models, strict=True))
    ]


def test_portions_follow_each_other_and_what_is_done_comes_first() -> None:
    first, second, third = cells(True, False, True)
    parts = parts_of(Planned(PASSES, DONE, False, first=0), second, third)
    assert [(part.phase, part.image) for part in parts] == [
        ("sample", 0), ("decode", 0), ("save", 0),
        ("load", 1), ("encode", 1), ("sample", 1), ("decode", 1), ("save", 1),
        ("load", 2), ("encode", 2), ("sample", 2), ("decode", 2), ("save", 2),
    ]  # fmt: skip
    loads = [(part.label, part.cost.first, part.cost.model) for part in parts if part.phase == "load"]
    assert loads == [("load", None, 0), ("load", "load", 1)]
    firsts = [part.cost.first for part in parts_of(first, second, third) if part.phase == "sample"]
    assert firsts == ["first_after_load", "first", "first_after_load"]


def test_the_bar_of_many_portions_has_few_segments() -> None:
    told: list[Any] = []
    progress = JobProgress("job", told.append, lambda: 0.0)
    progress.plan(parts_of(*cells(*[number % 20 == 0 for number in range(400)])), *[None] * 20)
    assert len(told[-1]["segments"]) <= 4
    assert (told[-1]["images"], sum(one["weight"] for one in told[-1]["segments"])) == (400, pytest.approx(1, abs=0.01))


@pytest.mark.parametrize(("of_second", "expected"), [(3.0, 10 + 30), (None, 10 + 10)])
def test_each_model_takes_its_own_time_and_one_of_which_nothing_is_known_that_of_the_other(
    tmp_path: Path, of_second: float | None, expected: float
) -> None:
    told: list[Any] = []
    timings = Timings(tmp_path / "timings.json")
    known = [Experience(timings, "first"), Experience(timings, "second")]
    for experience, seconds in zip(known, (1.0, of_second), strict=True):
        for kind in STEPS if seconds is not None else ():
            experience.learn(kind, seconds or 0.0, CALL)
        for kind in AROUND:
            experience.learn(kind, 0.0)
        for kind in ENDS:
            experience.learn(kind, 0.0, Size(CALL.width, CALL.height))
    progress = JobProgress("job", told.append, lambda: 0.0)
    progress.plan(parts_of(*cells(True, True)), *known)
    assert told[-1]["eta_seconds"] == pytest.approx(expected)


def test_what_each_model_showed_is_known_the_next_time(tmp_path: Path) -> None:
    now = [0.0]
    timings = Timings(tmp_path / "timings.json")
    known = [Experience(timings, "first"), Experience(timings, "second")]
    progress = JobProgress("job", lambda value: None, lambda: now[0])
    progress.plan(parts_of(*cells(True, True)), *known)
    for image, seconds in enumerate((1.0, 3.0)):
        progress.enter("load", image)
        progress.enter("encode", image)
        progress.enter("sample", image)
        for done in range(10):
            now[0] += seconds
            progress.step(done + 1, 10)
    progress.clear()
    assert [one.seconds("step", CALL) for one in known] == [pytest.approx(1.0), pytest.approx(3.0)]
