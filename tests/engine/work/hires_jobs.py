"""Jobs of given passes, and what is done to them at a chosen moment."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Phase
from modules.jobs.kinds.base import Enlarging, Pass, ResolvedJob
from modules.shared_state import RequestKind
from tests.engine.own_engine import Engine

# Where a job is stopped: the phase that it enters, of which pass; or a step of that pass.
Moment = tuple[Phase, int, int]
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


def pixels(files: list[bytes]) -> list[Any]:
    return [np.asarray(Image.open(io.BytesIO(data))) for data in files]


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
