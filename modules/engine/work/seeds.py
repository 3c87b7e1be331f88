"""The noise of a job's pictures: of their own seeds, varied by others, or such as a picture of another size has."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.proxy import Sampler
from modules.jobs.kinds.base import ResolvedJob, Variation

# Two noises whose directions are this close have no arc between them.
_SAME_DIRECTION = 0.9995


@dataclass(frozen=True)
class Seeds:
    """The seeds of the pictures of a batch; the rest is that of `ResolvedJob`."""

    own: tuple[int, ...]
    variations: tuple[Variation, ...] = ()
    resized_from: tuple[int, int] | None = None
    noise_seed_delta: int = 0

    @classmethod
    def of(cls, resolved: ResolvedJob, indices: Sequence[int]) -> Seeds:
        """Return those of the pictures `indices` of a job."""
        varied = (resolved.variation_of(index) for index in indices)
        return cls(
            tuple(resolved.seed_of(index) for index in indices),
            tuple(one for one in varied if one is not None),
            resolved.resized_from,
            resolved.noise_seed_delta,
        )

    @property
    def are_plain(self) -> bool:
        """Whether all noise is of the pictures' own seeds, as a pipeline draws it by itself."""
        return not self.variations and self.resized_from is None and not self.noise_seed_delta

    def generators(self) -> list[torch.Generator]:
        """Return what a pass begins with: one for each picture, of its own seed."""
        return _generators(self.own)

    def generators_after(self, begun_with: list[torch.Generator]) -> list[torch.Generator]:
        """Return what draws the noise on the way, once the pass has its own from `begun_with`."""
        delta = self.noise_seed_delta
        return _generators([seed + delta for seed in self.own]) if delta else begun_with

    def noise(self, model: LoadedModel, arguments: Mapping[str, Any], sampler: Sampler) -> torch.Tensor:
        """Return the noise that a pass begins with: (batch, …), as the scheduler sees it, of unit variance.

        `arguments` are those of the pipeline's call, with the generators from which the own noise is drawn. `sampler`
        has its list then.
        """
        # The others first: the list is to be that of the pass.
        varied, resized = self._varied(model, arguments, sampler), self.resized_from
        own = model.family.noise(model.pipeline, arguments, sampler)
        if varied is None:
            return own
        if resized is None:
            return varied
        whole = model.family.layout(model.pipeline, (arguments["width"], arguments["height"]))
        part = model.family.layout(model.pipeline, resized)
        return whole.running(in_the_middle(whole.spatial(own), part.spatial(varied)))

    def _varied(self, model: LoadedModel, arguments: Mapping[str, Any], sampler: Sampler) -> torch.Tensor | None:
        """Return the noise of the pictures as it is varied, of the size that is wanted of it; None: it is the own."""
        if not self.variations and self.resized_from is None:
            return None
        given = dict(arguments)
        if self.resized_from is not None:
            given["width"], given["height"] = model.family.rounded(model.pipeline, self.resized_from)

        def drawn(seeds: Sequence[int]) -> torch.Tensor:
            fresh = Sampler(copy.deepcopy(sampler.scheduler), sampler.mends)
            return model.family.noise(model.pipeline, {**given, "generator": _generators(seeds)}, fresh)

        noise = drawn(self.own)
        if not self.variations:
            return noise
        others = drawn([one.seed for one in self.variations])
        mixed = zip(noise, others, self.variations, strict=True)
        return torch.stack([on_arc(low, high, one.strength) for low, high, one in mixed])


def on_arc(low: torch.Tensor, high: torch.Tensor, part: float) -> torch.Tensor:
    """Return a noise between two, each of one picture: so far on the arc from `low` to `high` that 0 is `low`.

    As with A1111 each row, along the second axis, is turned by itself, so that it stays noise of unit variance.
    """
    cosine = torch.nn.functional.cosine_similarity(low, high, dim=1).unsqueeze(1)
    if cosine.mean() > _SAME_DIRECTION:
        return torch.lerp(low, high, part)
    angle = torch.acos(cosine.clamp(-1, 1))
    arc = torch.sin(angle)
    return torch.sin((1 - part) * angle) / arc * low + torch.sin(part * angle) / arc * high


def in_the_middle(whole: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """Return noise with the middle of another one in its middle: (batch, channels, height, width)."""
    result, cut = whole.clone(), part
    for axis in (-2, -1):
        size = min(whole.shape[axis], part.shape[axis])
        cut = cut.narrow(axis, (part.shape[axis] - size) // 2, size)
    rows, columns = ((whole.shape[axis] - cut.shape[axis]) // 2 for axis in (-2, -1))
    result[..., rows : rows + cut.shape[-2], columns : columns + cut.shape[-1]] = cut
    return result


def _generators(seeds: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed % 2**64) for seed in seeds]
