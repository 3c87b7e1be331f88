"""The parts of a job in order, and how they look on the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from modules.engine.progress.pace import Cost
from modules.engine.progress.timings import Size
from modules.jobs.kinds.base import Pass
from modules.jobs.latent_upscaling import NO_UPSCALER, PIXEL_UPSCALERS, enlarges_latents
from modules.jobs.samplers import find_sampler

# "prepare": pictures that a pass begins with are read and encoded. "upscale": pictures are enlarged.
Phase = Literal["load", "encode", "prepare", "upscale", "sample", "decode", "save"]

_SEGMENTS_AT_MOST = 40
_BATCHES_WITH_TWO_SEGMENTS = 8
_THINNEST_SEGMENT = 0.015


@dataclass(frozen=True)
class Part:
    """One phase of a job, for the picture with the index `image`, or for a batch of which that one is the first.

    In the phase "sample" it is the pass of the batch with the number `turn`; in "load", "prepare" and "upscale" what
    that pass needs. `label` names its segment on the bar. `stage` counts how often the pictures were enlarged before
    it, between two passes.
    """

    phase: Phase
    label: str
    cost: Cost
    image: int = 0
    turn: int = 0
    stage: int = 0


@dataclass(frozen=True)
class Planned:
    """What is drawn as one of a job: all of it, or a portion, whose first picture has the index `first` in the job.

    `batches` are the indices of the pictures that are drawn together, and of those that are missing, counted from that
    first one. A batch is drawn whole, also for one picture. `loads` says whether the model has to be loaded,
    `loads_another` whether that of a later pass has; once both were, it is expected that they stay. `model` is the
    number that costs know the model by.
    """

    passes: Sequence[Pass]
    batches: Sequence[tuple[Sequence[int], Sequence[int]]]
    loads: bool
    loads_another: bool = False
    first: int = 0
    model: int = 0


def parts_of(*planned: Planned) -> list[Part]:
    """Return all parts in order: what earlier runs finished, then what is left of each portion: loading first."""
    batches = [batch for one in planned for batch in one.batches]
    count = sum(any(index not in missing for index in indices) + bool(missing) for indices, missing in batches)
    labels = _Labels(count, sum(len(indices) for indices, _missing in batches))
    finished = [part for one in planned for part in _finished(one, labels)]
    left = [one for one in planned if any(missing for _indices, missing in one.batches)]
    return finished + [part for one in left for part in _left(one, labels, is_first=one is left[0])]


@dataclass(frozen=True)
class _Labels:
    """How the segments of a job are called that has so many `batches`, done or not, of so many `pictures`."""

    batches: int
    pictures: int

    @property
    def are_apart(self) -> bool:
        """Whether each batch has a segment of its own."""
        return self.batches <= _SEGMENTS_AT_MOST

    def of(self, first: int, last: int) -> tuple[str, str, str]:
        """Return what a batch is called while it is drawn, in a second pass, and while its pictures are finished."""
        if not self.are_apart:
            return (f"{self.pictures} images",) * 3
        label = f"image {first + 1}" if first == last else f"images {first + 1}–{last + 1}"
        if self.batches > _BATCHES_WITH_TWO_SEGMENTS:
            return (label,) * 3
        return label, f"{label}, second pass", f"finish {label}"


def _finished(planned: Planned, labels: _Labels) -> list[Part]:
    done = [[index for index in indices if index not in missing] for indices, missing in planned.batches]
    return [part for indices in done if indices for part in _of_batch(planned, labels, indices, len(indices))]


def _left(planned: Planned, labels: _Labels, is_first: bool) -> list[Part]:
    """Return what is left of a portion: loading, the words, and its batches."""
    left = [(indices, missing) for indices, missing in planned.batches if missing]
    begun = left[0][1][0]
    drawn = [
        part for indices, missing in left for part in _of_batch(planned, labels, missing, len(indices), begun=begun)
    ]
    number = next(number for number, part in enumerate(drawn) if part.phase == "sample")
    if planned.loads and drawn[number].cost.first is not None:
        drawn[number] = replace(drawn[number], cost=drawn[number].cost._replace(first="first_after_load"))
    # Where a portion goes on with the same model, what comes before its pictures has no segment of its own.
    own = drawn[number].label
    load = "load" if is_first or (planned.loads and labels.are_apart) else own
    cost = Cost("load" if planned.loads else None, model=planned.model)
    return [
        Part("load", load, cost, planned.first),
        Part("encode", "encode" if is_first else own, Cost("encode", model=planned.model), planned.first),
        *drawn,
    ]


def _of_batch(
    planned: Planned, labels: _Labels, indices: Sequence[int], drawn: int, begun: int | None = None
) -> list[Part]:
    """Return the parts of a batch of so many pictures, of which those with these indices are counted.

    `begun` is the first picture that is drawn of the portion; None: an earlier run has drawn these.
    """
    passes, first = planned.passes, planned.first + indices[0]
    label, second, finish = labels.of(first, planned.first + indices[-1])
    size, stage = Size(passes[-1].width, passes[-1].height), 0
    parts: list[Part] = []
    for turn, one in enumerate(passes):
        load: Cost | None = None
        if begun is not None and _switches(passes, turn, first=indices[0] == begun):
            load = Cost("load" if planned.loads_another and indices[0] == begun else None)
        stage += is_stage(passes, turn)
        named = second if stage else label
        costs = ((phase, cost._replace(model=planned.model)) for phase, cost in _costs_of(one, drawn, load))
        parts += [Part(phase, named, cost, first, turn, stage) for phase, cost in costs]
    for index in indices:
        place = planned.first + index
        parts += [
            Part("decode", finish, Cost("decode", size, model=planned.model), place, stage=stage),
            Part("save", finish, Cost("save", size, model=planned.model), place, stage=stage),
        ]
    return parts


def segments_of(parts: Sequence[Part], borders: Sequence[float]) -> list[dict[str, object]]:
    """Return the parts as the bar shows them; those too thin to see are joined to a neighbour, but pictures stay.

    `borders` are where each part begins on the bar, 0 to 1, and where the last one ends.
    """
    segments: list[tuple[str, float]] = [("before", borders[0])] if borders[0] else []
    carried = 0.0
    begin = 0
    for label, group in groupby(parts, key=lambda part: part.label):
        phases = [part.phase for part in group]
        begin, end = begin + len(phases), begin
        weight = borders[begin] - borders[end]
        if "sample" in phases or weight + carried >= _THINNEST_SEGMENT:
            segments.append((label, weight + carried))
            carried = 0.0
        elif segments:
            segments[-1] = (segments[-1][0], segments[-1][1] + weight)
        else:
            carried += weight
    return [{"label": label, "weight": round(weight, 4)} for label, weight in segments]


def is_stage(passes: Sequence[Pass], turn: int) -> bool:
    """Tell whether between the pass before and this one the pictures are enlarged: A1111 counts these as jobs."""
    return turn > 0 and passes[turn].enlarging is not None


def stages_of(passes: Sequence[Pass]) -> int:
    """Return how many of A1111's jobs a batch takes."""
    return 1 + sum(is_stage(passes, turn) for turn in range(len(passes)))


def _switches(passes: Sequence[Pass], turn: int, first: bool) -> bool:
    """Tell whether a pass of a batch runs with another model than the one before it; `first`: of the first batch."""
    before = passes[turn - 1]  # Before the first pass it is the last one, of the batch before.
    return before.checkpoint != passes[turn].checkpoint and not (first and turn == 0)


def _costs_of(one: Pass, pictures: int, load: Cost | None) -> list[tuple[Phase, Cost]]:
    """Return what a pass takes, in order; `load` is what its model does, None: it is that of the pass before."""
    size = Size(one.width, one.height, pictures)
    enlarging = one.enlarging
    enlarges_pictures = enlarging is not None and not enlarges_latents(enlarging.upscaler)
    costs: list[tuple[Phase, Cost]] = []
    if enlarging is not None and enlarges_pictures:
        plain = enlarging.upscaler in (NO_UPSCALER, *PIXEL_UPSCALERS)
        costs.append(("upscale", Cost("upscale_plain" if plain else "upscale", size)))
    if load is not None:
        costs.append(("load", load))
    if one.start is not None or enlarges_pictures:
        costs.append(("prepare", Cost("prepare", size)))
    return [*costs, ("sample", _cost_of(one, pictures))]


def _cost_of(one: Pass, pictures: int) -> Cost:
    """Return what a pass takes for so many pictures; guidance makes two rows of each."""
    size = Size(one.width, one.height, pictures * (2 if one.cfg_scale > 1 else 1))
    calls = find_sampler(one.sampler_name).calls_per_step
    # The last step of a list calls the denoiser once, whatever the sampler.
    in_all = calls * one.step_count - (calls - 1 if one.end is None else 0)
    return Cost("first", size, in_all - 1) if one.step_count else Cost(None, size)
