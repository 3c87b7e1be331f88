"""Batches that are told what the text of a job says, without an engine."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from modules.engine.families.base import Asked
from modules.engine.families.reading import Reading
from modules.engine.families.telling import Told
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.state import SamplingState
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch, Ready
from modules.engine.work.wording import Script, wording_of
from modules.jobs.kinds.base import ResolvedJob, Words
from tests.jobs.made_jobs import resolved_job


def job(prompt: str, negative: str = "", **changes: Any) -> ResolvedJob:
    """Return a job of 64 by 64 pixels in A1111's language."""
    values = {"seed": 11, "steps": 5, "cfg_scale": 4.0, "width": 64, "height": 64, "sampler_name": "Euler"}
    words = {name: changes.pop(name) for name in ("each", "emphasis") if name in changes}
    told = Words(prompt=prompt, negative_prompt=negative, syntax="a1111", **words)
    return resolved_job(**values | changes).model_copy(update={"words": told})


def script_of(model: LoadedModel, what: ResolvedJob, number: int, indices: Sequence[int]) -> Script:
    words = what.passes[number].words or what.words
    reading = Reading(words.syntax, words.emphasis, words.comma_backtrack)
    asked = replace(Asked.by(what.passes[number], len(indices)), reading=reading)
    return Script(wording_of(what, number, indices), partial(PromptEncoder().encode, model, asked=asked))


def batch_of(
    model: LoadedModel,
    what: ResolvedJob,
    indices: Sequence[int] = (0,),
    resume: SamplingState | None = None,
    at_pass: int = 0,
    told: Told | None = None,
    tile: int | None = None,
) -> Batch:
    def switch(number: int, _left: torch.Tensor | None, _resumed: bool) -> Ready:
        script = script_of(model, what, number, indices)
        return Ready(model, script.first, told=told, script=script)

    return Batch(None, {}, what, indices, resume, at_pass, switch, tile)


def drawn(
    model: LoadedModel,
    what: ResolvedJob,
    indices: Sequence[int] = (0,),
    watch: Callable[[Batch, Step], None] = lambda batch, step: None,
    **more: Any,
) -> torch.Tensor:
    """Return the latents of a job's pictures."""
    batch = batch_of(model, what, indices, **more)
    with torch.inference_mode():
        return batch.sample(lambda _done, _steps, step: watch(batch, step))
