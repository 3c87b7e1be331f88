"""The one way in which a pipeline of diffusers is run, of whatever family: from noise, or from latents at any step.

Everything that only a pipeline knows (noise, list, conditions, its own end) stays its own. It is given a scheduler that
shows it a part of its list, and latents through `prepare_latents`, the one place that all have in common for that.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from modules.engine.samplers.proxy import Sampler, SchedulerProxy


def drive(
    pipeline: Any,
    arguments: Mapping[str, Any],
    shown: SchedulerProxy,
    start: torch.Tensor | None = None,
    channels: int | None = None,
) -> Any:
    """Call a pipeline; return what its call returns, which is one thing here and another there.

    `arguments` has a list of `generator`s, one for each picture. It begins with `start`, latents as the scheduler sees
    them, or else with noise of so many `channels` (None: as many as the denoiser takes), drawn in float32.

    Raises:
        Interrupted: the job was stopped before one of a network's blocks. The pipeline is as good as new.
    """
    given = dict(arguments)
    if start is not None and _preparing(pipeline) is None:
        given["latents"] = start
    with _given(pipeline, shown, start, channels):
        return pipeline(**given)


def noise_of(
    pipeline: Any, arguments: Mapping[str, Any], sampler: Sampler, channels: int | None = None
) -> torch.Tensor:
    """Return the noise that a pipeline would begin with, of unit variance, and let `sampler` make its list.

    (batch, …), float32, drawn from the generators in `arguments` as it draws it: a run that takes no step.
    """
    shown = SchedulerProxy(sampler, end=0, unit_noise=True)
    with noticing_start(pipeline) as begun_with:
        ended_with = drive(pipeline, arguments, shown, channels=channels)
    # A pipeline without a method that prepares has done nothing to its noise.
    return torch.as_tensor(begun_with[0] if begun_with else ended_with[0])


@contextmanager
def noticing_start(pipeline: Any) -> Iterator[list[torch.Tensor]]:
    """Keep what the pipeline begins with, latents as the scheduler sees them, in the list that is yielded."""
    name, begun_with = _preparing(pipeline), list[torch.Tensor]()
    if name is None:
        yield begun_with
        return
    prepare = getattr(pipeline, name)

    @functools.wraps(prepare)
    def noticed(*arguments: Any, **more: Any) -> Any:
        made = prepare(*arguments, **more)
        begun_with.append(made[0] if isinstance(made, tuple) else made)
        return made

    setattr(pipeline, name, noticed)
    try:
        yield begun_with
    finally:
        delattr(pipeline, name)


def _preparing(pipeline: Any) -> str | None:
    """Return the name of the method that makes the latents that a pipeline begins with; None: its call does."""
    names = ("prepare_latents", "prepare_intermediate_images")
    return next((name for name in names if hasattr(pipeline, name)), None)


@contextmanager
def _given(pipeline: Any, shown: SchedulerProxy, start: torch.Tensor | None, channels: int | None) -> Iterator[None]:
    """Give a pipeline another scheduler, and what it is to begin with."""
    own = pipeline.scheduler
    pipeline.scheduler = shown
    try:
        with _preparing_by(pipeline, start, channels):
            yield
    finally:
        # The pipeline's last line, which an exception passes by.
        pipeline.maybe_free_model_hooks()
        pipeline.scheduler = own
        shown.unwatch()


@contextmanager
def _preparing_by(pipeline: Any, start: torch.Tensor | None, channels: int | None) -> Iterator[None]:
    """Let a pipeline prepare latents in float32, of so many channels, or `start` in their place."""
    name = _preparing(pipeline)
    if name is None:
        yield
        return
    before, prepare = vars(pipeline).get(name), getattr(pipeline, name)
    signature = inspect.signature(prepare)

    @functools.wraps(prepare)
    def prepared(*arguments: Any, **more: Any) -> Any:
        bound = signature.bind(*arguments, **more)
        if "dtype" in signature.parameters:
            bound.arguments["dtype"] = torch.float32  # The sampler works in it, whatever the networks do.
        if channels is not None:
            bound.arguments["num_channels_latents"] = channels
        if start is None:
            return prepare(*bound.args, **bound.kwargs)
        # Some prepare more than latents, and are asked for it; but the pictures' generators are to draw nothing.
        bound.arguments["generator"] = [torch.Generator() for _ in bound.arguments["generator"]]
        made = prepare(*bound.args, **bound.kwargs)
        return (start.to(made[0].device), *made[1:]) if isinstance(made, tuple) else start.to(made.device)

    setattr(pipeline, name, prepared)
    try:
        yield
    finally:
        if before is None:
            delattr(pipeline, name)
        else:
            setattr(pipeline, name, before)
