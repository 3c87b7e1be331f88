"""The passes of a job as people see them: what a refiner ends is one with what it goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.jobs.kinds.base import Pass, ResolvedJob, Source


@dataclass(frozen=True)
class Stage:
    """A pass, and that of the refiner which goes on with what it leaves; both do steps of one list."""

    first: Pass
    refined: Pass | None = None

    @property
    def step_count(self) -> int:
        """How many steps it takes."""
        return self.first.step_count + (0 if self.refined is None else self.refined.step_count)

    @property
    def refiner(self) -> Pass | None:
        """The pass that a refiner draws, which may be all of it; None: there is none."""
        alone = self.first.checkpoint is not None and self.first.enlarging is None
        return self.first if alone else self.refined

    @property
    def switch_at(self) -> float:
        """After which part of the steps, 0 to 1, the refiner takes over."""
        if self.refined is None:
            return 0.0 if self.refiner is not None else 1.0
        return round(self.first.step_count / self.step_count, 4)


def stages_of(passes: Sequence[Pass]) -> tuple[Stage, ...]:
    """Return the stages of a job, in order."""
    stages: list[Stage] = []
    for one in passes:
        if stages and stages[-1].first.end is not None and stages[-1].refined is None:
            stages[-1] = Stage(stages[-1].first, one)
        else:
            stages.append(Stage(one))
    return tuple(stages)


def first_stage(resolved: ResolvedJob) -> Stage | None:
    """Return what draws the picture that hires fix enlarges; None: it enlarges one that was finished before."""
    stage = stages_of(resolved.passes)[0]
    return stage if stage.first.enlarging is None else None


def hires_stage(resolved: ResolvedJob) -> Stage | None:
    """Return the second pass of hires fix; None: there is none."""
    return next((one for one in stages_of(resolved.passes) if one.first.enlarging is not None), None)


def refined_stage(resolved: ResolvedJob) -> Stage | None:
    """Return the first stage that a refiner takes part in; None: there is none."""
    return next((one for one in stages_of(resolved.passes) if one.refiner is not None), None)


def refiner_of(resolved: ResolvedJob) -> Source | None:
    """Return the model that goes on where another has begun; None: there is none."""
    stage = refined_stage(resolved)
    return None if stage is None or stage.refiner is None else stage.refiner.checkpoint


def hires_model_of(resolved: ResolvedJob) -> Source | None:
    """Return the model of the second pass of hires fix, None where that is the job's, or there is none."""
    stage = hires_stage(resolved)
    return None if stage is None else stage.first.checkpoint
