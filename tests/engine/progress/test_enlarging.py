"""The bar of jobs that enlarge pictures: between two passes, or as all that they do."""

from pathlib import Path
from typing import Any

import pytest

from modules.engine.progress.bar import JobProgress
from modules.engine.progress.pace import Cost
from modules.engine.progress.parts import Part
from modules.engine.progress.timings import Size
from modules.jobs.kinds.base import Enlarging
from tests.engine.progress.test_bar import FOUR, SIDE, STEP, Clock, Run, experience, guided


@pytest.mark.parametrize("known", [True, False])
def test_both_passes_count_and_enlarging_says_how_far_it_is(tmp_path: Path, known: bool) -> None:
    second = guided(4, 2 * SIDE, begin=1).model_copy(update={"enlarging": Enlarging(upscaler="4x")})
    run = Run([guided(4), second], FOUR, experience(tmp_path) if known else None)
    run.start()
    for images in FOUR:
        run.draw(images[0])
        before = run.told[-1]["progress"]
        run.progress.enter("upscale", images[0], 1)
        for tile in (0.25, 0.5, 0.75, 1.0):
            run.wait(5.0)
            run.progress.advance(tile)
        assert run.told[-1]["progress"] > before
        assert (run.told[-1]["pass"], run.told[-1]["passes"]) == (1, 2)
        run.progress.enter("prepare", images[0], 1)
        run.wait(1.0)
        run.draw(images[0], steps=3, seconds=4 * STEP, turn=1)
        run.finish(*images)
    run.progress.complete()
    assert run.values() == sorted(run.values())
    assert (run.values()[-2] < 1.0, run.values()[-1]) == (True, 1.0)


def test_what_enlarging_took_is_known_to_the_next_job_also_to_one_that_draws_nothing(tmp_path: Path) -> None:
    known, clock, told = experience(tmp_path), Clock(), list[dict[str, Any]]()
    parts = [Part("load", "load", Cost(None))]
    for index in range(3):
        parts += [
            Part("upscale", f"image {index + 1}", Cost("upscale", Size(100, 100)), index),
            Part("save", f"image {index + 1}", Cost("save", Size(100, 100)), index),
        ]
    for begun in (None, 30.0):
        progress = JobProgress("j", lambda value: None if value is None else told.append(value), clock)
        progress.plan(parts, known)
        assert told[-1]["eta_seconds"] == (None if begun is None else pytest.approx(begun, rel=0.5))
        for index in range(3):
            progress.enter("upscale", index)
            clock.now += 8.0
            progress.enter("save", index)
            clock.now += 0.5
        progress.complete()
        progress.clear()
        assert told[-1]["progress"] == 1.0
