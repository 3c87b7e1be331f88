"""What a pipeline hands its denoiser in a step: seen without a step being taken, and told from what other words give.

Whatever of a call comes from the words, and under which names, only the pipeline knows: it is found by what differs.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from modules.engine.families.driver import drive
from modules.engine.samplers.proxy import Sampler, SchedulerProxy

# What denoisers call the latents, where they are not the first argument.
_SAMPLE = ("sample", "hidden_states", "x")
# Arguments by place or name.
Changes = Mapping[int | str, Any]
Forward = Callable[..., Any]


@dataclass(frozen=True)
class DenoiserCall:
    """The arguments of a denoiser's call."""

    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    @property
    def sample_name(self) -> str | None:
        """What the latents are called; None: they come first."""
        return None if self.positional else next(name for name in _SAMPLE if name in self.named)

    @property
    def sample(self) -> Any:
        """The latents: (batch, …), or a list with one for each picture."""
        name = self.sample_name
        return self.positional[0] if name is None else self.named[name]

    def with_sample(self, sample: Any) -> DenoiserCall:
        """Return the same with other latents."""
        name = self.sample_name
        return self.changed({0 if name is None else name: sample})

    def changed(self, changes: Changes) -> DenoiserCall:
        """Return the same with some arguments in place of its own."""
        if not changes:
            return self
        positional = tuple(changes.get(place, one) for place, one in enumerate(self.positional))
        return DenoiserCall(positional, {**self.named, **{k: v for k, v in changes.items() if isinstance(k, str)}})

    def changes_to(self, other: DenoiserCall) -> Changes:
        """Return the arguments that another call has in place of those of this one."""
        mine, its = ({**dict(enumerate(one.positional)), **one.named} for one in (self, other))
        return {name: value for name, value in its.items() if name not in mine or not _same(mine[name], value)}

    def half(self, second: bool) -> DenoiserCall:
        """Return what is asked about one of the two halves of the batch."""
        count = len(self.sample)
        return DenoiserCall(
            tuple(_half(one, count, second) for one in self.positional),
            {name: _half(one, count, second) for name, one in self.named.items()},
        )

    def ask(self, forward: Forward) -> Any:
        """Call a denoiser."""
        return forward(*self.positional, **self.named)


@contextmanager
def answering(denoiser: nn.Module, answer: Callable[[Forward, DenoiserCall], Any]) -> Iterator[None]:
    """Let `answer` answer for a denoiser. It is given what the denoiser would answer with, and the call."""
    whole, before = denoiser.forward, vars(denoiser).get("forward")

    @functools.wraps(whole)
    def forward(*positional: Any, **named: Any) -> Any:
        return answer(whole, DenoiserCall(positional, named))

    denoiser.forward = forward
    try:
        yield
    finally:
        if before is None:
            del denoiser.forward
        else:
            denoiser.forward = before


def calls_of_a_step(
    pipeline: Any, denoiser: nn.Module, arguments: Mapping[str, Any], pictures: int, channels: int | None
) -> tuple[DenoiserCall, ...]:
    """Return the denoiser's calls in a step of a pipeline, one or two; it is not asked, and no step is taken.

    `arguments` are those of the pipeline's call, without generators. The latents are the same for all words.

    Raises:
        Interrupted: the job was stopped between two layers of a text encoder.
    """
    calls: list[DenoiserCall] = []

    def note(_forward: Forward, call: DenoiserCall) -> Any:
        calls.append(call)
        if len(call.sample) != pictures or len(calls) == 2:
            raise _Known
        return (_nothing_said(call.sample),)

    shown = _WithoutSteps(Sampler(copy.deepcopy(pipeline.scheduler)))
    generators = [torch.Generator() for _ in range(pictures)]
    try:
        with answering(denoiser, note):
            drive(pipeline, {**arguments, "generator": generators}, shown, channels=channels)
    except _Known:
        pass
    return tuple(calls)


class _Known(Exception):  # noqa: N818  (no error: the pipeline came as far as it was meant to)
    """All calls of a step are known."""


class _WithoutSteps(SchedulerProxy):
    """One that a pipeline comes to when it has made all calls of a step."""

    def _step(self, *arguments: Any, **more: Any) -> Any:
        raise _Known


def _nothing_said(sample: Any) -> Any:
    if isinstance(sample, torch.Tensor):
        return torch.zeros_like(sample)
    return [torch.zeros_like(one) for one in sample]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _half(value: Any, count: int, second: bool) -> Any:
    """Return the half of a value that belongs to half of a batch of `count`; what has no part in it as it is."""
    if isinstance(value, torch.Tensor):
        return value.chunk(2)[second] if value.ndim and len(value) == count else value
    if isinstance(value, Mapping):
        return {name: _half(one, count, second) for name, one in value.items()}
    if isinstance(value, list):  # One entry for each of the batch, or tensors that have each a part in it.
        whole = len(value) != count or all(isinstance(one, torch.Tensor) and len(one) == count for one in value)
        if whole:
            return [_half(one, count, second) for one in value]
        return value[count // 2 :] if second else value[: count // 2]
    return value
