"""How far a job is: phases with fixed weights, a bar that never falls, and the time that is left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Phase = Literal["load", "encode", "sample", "decode", "save"]
Publish = Callable[[Any], None]

# In steps of the sampler: what each phase takes compared with one of them. Saving and decoding are for each picture.
LOAD_WEIGHT = 8.0
ENCODE_WEIGHT = 0.5
DECODE_WEIGHT = 1.0
SAVE_WEIGHT = 0.5

_SECONDS_BETWEEN_NEWS = 0.05
_WINDOW_SECONDS = 10.0
_SEGMENTS_AT_MOST = 40


@dataclass(frozen=True)
class Plan:
    """The parts of a job. `batches` holds the indices of the pictures that each call of the pipeline draws."""

    steps: int
    batches: Sequence[Sequence[int]]
    images: int
    loads: bool

    def weight_of_batch(self, batch: int) -> float:
        """Return the weight of one batch with all its phases."""
        return self.steps + len(self.batches[batch]) * (DECODE_WEIGHT + SAVE_WEIGHT)

    def segments(self) -> list[dict[str, object]]:
        """Return the parts as the bar shows them."""
        first = [{"label": "load", "weight": LOAD_WEIGHT + ENCODE_WEIGHT}] if self.loads else []
        weights = [self.weight_of_batch(batch) for batch in range(len(self.batches))]
        if len(weights) > _SEGMENTS_AT_MOST:
            return [*first, {"label": f"{self.images} images", "weight": sum(weights)}]
        labels = [_label(indices) for indices in self.batches]
        return [*first, *({"label": label, "weight": weight} for label, weight in zip(labels, weights, strict=True))]


def _label(indices: Sequence[int]) -> str:
    if len(indices) == 1:
        return f"image {indices[0] + 1}"
    return f"images {indices[0] + 1}–{indices[-1] + 1}"


class JobProgress:
    """The progress of one job. `publish` gets the topic's value, at most about twenty times a second."""

    def __init__(self, job_id: str, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._job_id = job_id
        self._publish = publish
        self._clock = clock
        self._plan = Plan(steps=1, batches=(), images=0, loads=True)
        self._phase: Phase = "load"
        self._image = 0
        self._step = 0
        self._steps = 0
        self._before = 0.0
        self._weight = 0.0
        self._fraction = 0.0
        self._shown = 0.0
        self._told_at = float("-inf")
        self._samples: deque[tuple[float, float]] = deque()

    @property
    def phase(self) -> Phase:
        """What happens now."""
        return self._phase

    @property
    def value(self) -> float:
        """How much of the whole is done, 0 to 1. It never falls."""
        return self._shown

    @property
    def eta_seconds(self) -> float | None:
        """How long the rest takes at the speed of the last seconds; None while that is unknown."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        if last <= first:
            return None
        return (1.0 - self._shown) * (ended - began) / (last - first)

    def plan(self, plan: Plan) -> None:
        """Say what the job will do, as soon as that is known."""
        self._plan = plan
        self._tell(now=True)

    def enter_load(self) -> None:
        """Begin with loading the model."""
        self._enter("load", 0, 0.0, LOAD_WEIGHT)

    def enter_encode(self) -> None:
        """Begin with encoding the prompts."""
        self._enter("encode", 0, LOAD_WEIGHT, ENCODE_WEIGHT)

    def enter_sample(self, batch: int) -> None:
        """Begin with the steps of a batch."""
        self._step, self._steps = 0, self._plan.steps
        if self._phase in ("load", "encode"):
            self._samples.clear()  # They say nothing of the speed of what follows.
        self._enter("sample", self._plan.batches[batch][0], self._before_batch(batch), float(self._plan.steps))

    def step(self, done: int, steps: int) -> None:
        """Say that `done` of `steps` steps are done."""
        self._step, self._steps = done, steps
        self.advance(done / steps)

    def enter_decode(self, batch: int, place: int) -> None:
        """Begin with decoding the picture at `place` of a batch."""
        before = self._before_picture(batch, place)
        self._enter("decode", self._plan.batches[batch][place], before, DECODE_WEIGHT)

    def enter_save(self, batch: int, place: int) -> None:
        """Begin with saving the picture at `place` of a batch."""
        before = self._before_picture(batch, place) + DECODE_WEIGHT
        self._enter("save", self._plan.batches[batch][place], before, SAVE_WEIGHT)

    def advance(self, fraction: float) -> None:
        """Say how much of the phase is done, 0 to 1."""
        self._fraction = fraction
        self._tell()

    def complete(self) -> None:
        """Say that all is done."""
        self._shown = 1.0
        self._tell(now=True)

    def clear(self) -> None:
        """Say that nothing runs any more."""
        self._publish(None)

    def _enter(self, phase: Phase, image: int, before: float, weight: float) -> None:
        self._phase, self._image, self._before, self._weight, self._fraction = phase, image, before, weight, 0.0
        self._tell(now=True)

    def _before_batch(self, batch: int) -> float:
        before = sum(self._plan.weight_of_batch(earlier) for earlier in range(batch))
        return LOAD_WEIGHT + ENCODE_WEIGHT + before

    def _before_picture(self, batch: int, place: int) -> float:
        return self._before_batch(batch) + self._plan.steps + place * (DECODE_WEIGHT + SAVE_WEIGHT)

    def _total(self) -> float:
        return self._before_batch(len(self._plan.batches))

    def _tell(self, now: bool = False) -> None:
        moment = self._clock()
        self._measure(moment)
        if not now and moment - self._told_at < _SECONDS_BETWEEN_NEWS:
            return
        self._told_at = moment
        eta = self.eta_seconds
        self._publish(
            {
                "job": self._job_id,
                "phase": self._phase,
                "image": self._image,
                "images": self._plan.images,
                "step": self._step,
                "steps": self._steps,
                "progress": round(self._shown, 4),
                "eta_seconds": None if eta is None else round(eta, 1),
                "segments": self._plan.segments(),
            }
        )

    def _measure(self, moment: float) -> None:
        if not self._plan.batches:
            return  # Nothing is known of the whole yet.
        # A model that is in memory is not loaded: the bar then begins where loading would end.
        skipped = 0.0 if self._plan.loads else LOAD_WEIGHT + ENCODE_WEIGHT
        done = max(self._before + self._weight * self._fraction - skipped, 0.0) / (self._total() - skipped)
        self._shown = max(self._shown, min(done, 1.0))
        self._samples.append((moment, self._shown))
        while moment - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
