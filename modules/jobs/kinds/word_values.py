"""How the words of a drawn picture were read, as far as it made a difference: what its file and its infotext tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.stages import Stage, stages_of
from modules.jobs.samplers import find_sampler
from modules.prompts.chunks import COMMA_BACKTRACK
from modules.prompts.composition import subprompts_of
from modules.prompts.extra_networks import without_networks
from modules.prompts.meaning import has_brackets, has_syntax
from modules.prompts.schedules import schedule_of


class _Read(NamedTuple):
    """A prompt, and the calls of the denoiser that it is read for, with those of the pass before."""

    text: str
    negative: bool
    calls: int
    base_calls: int | None


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return how the words are read where text alone would mean something else, under the names of the settings."""
    words = resolved.words
    if words.syntax == "plain":
        return {}
    values: dict[str, Any] = {}
    if any(has_syntax(one.text, one.negative) for one in _read(resolved, index)):
        values["syntax"] = words.syntax
    if _weighs_otherwise(resolved, index):
        values["emphasis"] = words.emphasis
    if _schedules_otherwise(resolved, index):
        values["use_old_scheduling"] = True
    if words.comma_backtrack != COMMA_BACKTRACK:
        values["comma_padding_backtrack"] = words.comma_backtrack
    return values


def in_infotext(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return the pairs that A1111 writes: each only where it makes a difference."""
    return {
        "Emphasis": resolved.words.emphasis if _weighs_otherwise(resolved, index) else None,
        "Old prompt editing timelines": True if _schedules_otherwise(resolved, index) else None,
    }


def calls_of(resolved: ResolvedJob, stage: Stage) -> tuple[int, int | None]:
    """Return how many calls of the denoiser A1111 counts for a stage, and for the pass before; None: it is the first.

    They are those of the steps that were asked for, of which a picture to begin with may leave some out.
    """
    first = stage.first
    if first.enlarging is None:
        return _calls(first.sampler_name, first.steps if first.steps_asked is None else first.steps_asked), None
    calls, before = _calls(first.sampler_name, stage.step_count), resolved.passes[0]
    return calls, calls if before is first else _calls(before.sampler_name, before.steps)


def _calls(sampler_name: str, steps: int) -> int:
    return steps * find_sampler(sampler_name).calls_per_step


def _read(resolved: ResolvedJob, index: int) -> Iterator[_Read]:
    """Yield the prompts of the picture with this index, of each stage."""
    for stage in stages_of(resolved.passes):
        text = (stage.first.words or resolved.words).of(index)
        calls, base_calls = calls_of(resolved, stage)
        yield _Read(text.prompt, False, calls, base_calls)
        yield _Read(text.negative_prompt, True, calls, base_calls)


def _weighs_otherwise(resolved: ResolvedJob, index: int) -> bool:
    words = resolved.words
    if words.syntax == "plain" or words.emphasis == "Original":
        return False
    return any(has_brackets(one.text) for one in _read(resolved, index))


def _schedules_otherwise(resolved: ResolvedJob, index: int) -> bool:
    words = resolved.words
    if words.syntax == "plain" or not words.old_editing:
        return False
    return any(
        schedule_of(part, one.calls, one.base_calls) != schedule_of(part, one.calls, one.base_calls, old=True)
        for one in _read(resolved, index)
        for part in _parts(one)
    )


def _parts(one: _Read) -> Iterator[str]:
    text, _networks = without_networks(one.text)
    yield from [text] if one.negative else (part.text for part in subprompts_of(text))
