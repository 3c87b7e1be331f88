"""Prompts that change while a picture is drawn: `[from:to:when]`, `[to:when]`, `[from::when]`, `[one|another]`."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from modules.prompts.schedule_tree import Alternation, Change, Items, tree_of


class Stretch(NamedTuple):
    """A text, and the step with which it ends. It begins after that of the stretch before it."""

    until: int
    text: str


class _Clock(NamedTuple):
    """How many steps `when` counts, and where it begins: those of hires fix go on from those before it."""

    steps: int
    steps_before: int
    parts_before: float
    old: bool

    def step_of(self, when: str) -> int:
        """Return the last step of what a change replaces; less than 1: it never is."""
        number = float(when)
        if self.old:
            number = number * self.steps if number < 1 else number
        elif "." in when:
            number = (number - self.parts_before) * self.steps
        else:
            number -= self.steps_before
        return int(min(max(number, -1.0), float(self.steps)))


@functools.lru_cache(maxsize=64)
def schedule_of(text: str, steps: int, base_steps: int | None = None, old: bool = False) -> tuple[Stretch, ...]:
    """Return what a prompt says in the course of so many calls of the denoiser; the last stretch ends with `steps`.

    A sampler that calls twice a step has twice the steps. `base_steps` are those of the first pass, in the pass of
    hires fix: whole numbers count on from them, and decimals from 1.0. `old` are A1111's "Old prompt editing
    timelines": what is less than 1 is a part of the steps, and hires fix repeats the schedule of the first pass (and
    what that began with, in the steps that go beyond it). Texts keep weights and escapes. See `stretch_at`.
    """
    items = tree_of(text)
    if items is None:
        return (Stretch(steps, text),)
    if base_steps is None or old:
        clock = _Clock(steps if base_steps is None else base_steps, 0, 0.0, old)
    else:
        clock = _Clock(steps, base_steps, 1.0, old)
    texts = _texts_of(items, clock)
    if clock.steps < steps:
        texts.append(Stretch(steps, texts[0].text))
    merged = [list(same)[-1] for _, same in itertools.groupby(texts, key=lambda stretch: stretch.text)]
    within = [stretch for stretch in merged if stretch.until < steps]
    return (*within, Stretch(steps, merged[len(within)].text))


def stretch_at(schedule: Sequence[Stretch], call: int) -> int:
    """Return which stretch holds at a call of the denoiser, counted from 0 as A1111 does.

    A stretch that ends with step n thus holds for the calls 0 to n: `[cat:dog:3]` draws a cat in four of them, and the
    first option of an alternation stands twice.
    """
    for number, stretch in enumerate(schedule):
        if call <= stretch.until:
            return number
    return 0


def _texts_of(items: Items, clock: _Clock) -> list[Stretch]:
    """Return what is said until each step with which something may end, in order; at most one text for each step."""
    changes = {clock.steps}
    turns = {1}
    waiting = [items]
    while waiting:
        for item in waiting.pop():
            if isinstance(item, Change):
                changes.add(max(clock.step_of(item.when), 0))
                waiting += (item.before, item.after)
            elif isinstance(item, Alternation):
                turns.add(len(item.options))
                waiting += item.options
    change_ends = sorted(changes - {0})
    ends = sorted({*change_ends, *range(1, clock.steps + 1)}) if len(turns) > 1 else change_ends
    # Between two changes a text comes again after as many steps as all alternations need to come round.
    round_trip = math.lcm(*turns)
    known: dict[tuple[int, int], str] = {}
    stretches = []
    for end in ends:
        place = bisect.bisect_left(change_ends, end), (end - 1) % round_trip
        if place not in known:
            known[place] = _text_at(items, end, clock)
        stretches.append(Stretch(end, known[place]))
    return stretches


def _text_at(items: Items, step: int, clock: _Clock) -> str:
    texts: list[str] = []
    waiting = [iter(items)]
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, str):
                texts.append(item)
                continue
            if isinstance(item, Change):
                chosen = item.before if step <= clock.step_of(item.when) else item.after
            else:
                chosen = item.options[(step - 1) % len(item.options)]
            waiting.append(iter(chosen))
            break
        else:
            waiting.pop()
    return "".join(texts)
