"""The pictures that the passes of a job begin with: their latents, what of them is known, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from modules.engine.families.base import Asked, Words
from modules.engine.families.latent_layout import Layout
from modules.engine.families.telling import Told
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.samplers.blending import Blend, SoftMix
from modules.engine.work.beginning import Beginning
from modules.engine.work.canvas import Canvas, Open, canvas_of
from modules.engine.work.picture_encoding import encode_pictures, encode_pixels, pixels_of
from modules.engine.work.seeds import Seeds
from modules.errors import ModelError
from modules.images.masks import latent_mask
from modules.images.placing import Placing
from modules.images.resizing import Stretch, plainly, resized, widened
from modules.images.soft_compositing import mask_by_difference
from modules.jobs.kinds.base import Enlarging, ResolvedJob
from modules.jobs.kinds.starts import SoftMask, Start

# InstructPix2Pix's own.
_IMAGE_CFG_SCALE = 1.5
# Return a picture at another size, (width, height), as that says.
Enlarge = Callable[[Enlarging, Image.Image, tuple[int, int]], Image.Image]
# Of a canvas: the number of its pass, the name of its picture, and the seed of what it grows by.
_Key = tuple[int, str, int]


@dataclass(frozen=True)
class _Known:
    """What is known of a batch: `clean` and `mask`, (batch, …), as they lie in the picture."""

    clean: torch.Tensor
    mask: torch.Tensor | None


class Starts:
    """What the passes of a job begin with in place of noise alone, and how their pictures are finished.

    All follows from the job and its inputs: made anew it has the same bits, so no snapshot keeps it. `once_more` and
    `save_memory` are those of `encode_pictures`; `enlarge` runs an upscaler.
    """

    def __init__(
        self,
        resolved: ResolvedJob,
        open_input: Open,
        save_memory: bool = False,
        once_more: Callable[[str], None] | None = None,
        enlarge: Enlarge | None = None,
    ) -> None:
        self._resolved = resolved
        self._enlarge = enlarge
        self._open = open_input
        self._save_memory = save_memory
        self._once_more = once_more
        self._canvases: dict[_Key, Canvas] = {}
        self._latents: dict[tuple[_Key, ModelKey], torch.Tensor] = {}

    def governing(self, number: int) -> int | None:
        """Return the number of the pass whose start counts in a pass: its own, or that of what it goes on with."""
        passes = self._resolved.passes
        for earlier in range(number, -1, -1):
            if passes[earlier].enlarging is not None:
                return None
            if passes[earlier].start is not None:
                return earlier
        return None

    def has_to_encode(self, number: int) -> bool:
        """Tell whether pictures have to be encoded for a pass."""
        governing = self.governing(number)
        return governing is not None and (governing == number or _has_mask(self._start(governing)))

    def is_needed(self, number: int, resumed: bool) -> bool:
        """Tell whether a pass needs its beginning: one that goes on amid its steps has it, but for what is known."""
        governing = self.governing(number)
        return self.has_to_encode(number) and (not resumed or (governing is not None and self._knows(governing)))

    def beginning(self, number: int, indices: Sequence[int], model: LoadedModel, words: Words) -> Beginning | None:
        """Return what a pass of the pictures of a batch begins with; None: noise, or what the one before left.

        Raises:
            Interrupted: the job was stopped between two blocks of the encoder.
            SteadyError: a picture is gone, a mask covers nothing, or the model cannot begin with a picture.
        """
        governing = self.governing(number)
        if governing is None or not self.has_to_encode(number):
            return None
        start = self._start(governing)
        self._keep_only(governing, indices)
        if start.as_condition:
            return None
        known, layout = self._known(governing, number, indices, model, words)
        clean, blend = layout.running(known.clean), None
        if known.mask is not None:
            blend = Blend(clean, layout.running(known.mask), _soft_mix(start, known, layout))
        return Beginning(clean, start.noise_multiplier, start.extra_noise, blend, goes_on=governing < number)

    def told(self, number: int, indices: Sequence[int], model: LoadedModel) -> Told | None:
        """Return what the model of a pass is told of the pictures of a batch; None: nothing.

        Models for inpainting are told of all as if it were to be drawn anew, where nothing else is said.

        Raises:
            Interrupted: the job was stopped between two blocks of the encoder.
            SteadyError: a picture is gone, or the model cannot be told of one, or has to be.
        """
        family, pipeline, governing = model.family, model.pipeline, self.governing(number)
        one, start = self._resolved.passes[number], None if governing is None else self._start(governing)
        if family.takes_mask(pipeline):
            return self._told_of_mask(number, indices, model)
        if governing is None or start is None or not (start.as_condition or family.needs_picture(pipeline)):
            if family.needs_picture(pipeline):
                raise ModelError(f"{model.key.path.name} changes pictures: begin with one, in img2img.")
            return None
        if not family.told_by_latents:
            return Told(torch.empty(0), pictures=tuple(self._canvas(governing, index).drawn for index in indices))
        latents = torch.cat([self._encoded(governing, index, model) for index in indices])
        layout = family.layout(pipeline, (one.width, one.height))
        told = Told(layout.running(latents), image_guidance_scale=one.image_cfg_scale or _IMAGE_CFG_SCALE)
        if family.telling(pipeline, told) is None:
            raise ModelError(f"{model.key.path.name} cannot be told of a picture: begin with it instead, in img2img.")
        return told

    def finished(
        self,
        number: int,
        index: int,
        picture: Image.Image,
        latents: torch.Tensor,
        drawn_with: Callable[[], tuple[LoadedModel, Words]],
    ) -> Image.Image:
        """Return a finished picture of what a pass drew: put back onto the one that it began with, where it has a mask.

        `latents`: (1, …), those that it was decoded from.
        """
        governing = self.governing(number)
        if governing is None:
            return picture
        start = self._start(governing)
        if not _has_mask(start) and not start.color_correction:
            return picture  # What it began with is no longer needed, and may be gone.
        canvas = self._canvas(governing, index)
        soft = None if start.mask is None else start.mask.soft
        shows = None
        if soft is not None:
            known, layout = self._known(governing, number, [index], *drawn_with())
            shows = _shows(known, layout.spatial(latents), soft, canvas.size)
        return canvas.finished(picture, shows)

    def placings(self, number: int, indices: Sequence[int]) -> list[Placing]:
        """Return for each picture of a batch where on its whole picture a pass draws; none: it draws all of it."""
        governing = self.governing(number)
        if governing is None or not _has_mask(self._start(governing)):
            return []
        canvases = [self._canvas(governing, index) for index in indices]
        return [
            Placing(one.whole, one.over, one.box)
            for one in canvases
            if one.whole is not None and one.over is not None and one.box is not None
        ]

    def _knows(self, governing: int) -> bool:
        start = self._start(governing)
        return _has_mask(start) or start.as_condition

    def _start(self, governing: int) -> Start:
        start = self._resolved.passes[governing].start
        assert start is not None
        return start

    def _key(self, governing: int, index: int) -> _Key:
        """Return what tells one canvas of the job from another: pictures that begin alike share it."""
        start = self._start(governing)
        drawn_noise = start.outpaint is not None and start.outpaint.fill == "noise"
        seed = self._resolved.seed_of(index) if drawn_noise else 0
        return governing, start.picture_of(index).name, seed

    def _keep_only(self, governing: int, indices: Sequence[int]) -> None:
        """Forget the canvases of other batches: of large pictures they are hundreds of megabytes."""
        needed = {self._key(governing, index) for index in indices}
        self._canvases = {key: one for key, one in self._canvases.items() if key in needed}
        self._latents = {key: one for key, one in self._latents.items() if key[0] in needed}

    def _canvas(self, governing: int, index: int) -> Canvas:
        key = self._key(governing, index)
        if key not in self._canvases:
            one = self._resolved.passes[governing]
            seed = self._resolved.seed_of(index)
            stretch = self._stretch(one.resizing)
            made = canvas_of(self._start(governing), index, (one.width, one.height), seed, self._open, stretch)
            self._canvases[key] = made
        return self._canvases[key]

    def _stretch(self, by: Enlarging | None) -> Stretch:
        """Return how pictures become as large as a pass draws: smaller ones by what it says, if it says it."""

        def stretch(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
            is_smaller = picture.width < size[0] or picture.height < size[1]
            if by is None or self._enlarge is None or not is_smaller:
                return plainly(picture, size)
            return self._enlarge(by, picture, size)

        return stretch

    def _known(
        self, governing: int, number: int, indices: Sequence[int], model: LoadedModel, words: Words
    ) -> tuple[_Known, Layout]:
        """Return what is known of the pictures of a batch, and where it is in the latents that the scheduler sees."""
        start, one = self._start(governing), self._resolved.passes[governing]
        canvases = [self._canvas(governing, index) for index in indices]
        size = one.width, one.height
        layout = model.family.layout(model.pipeline, size)
        clean = torch.cat([self._encoded(governing, index, model) for index in indices])
        if not _has_mask(start):
            return _Known(clean, None), layout
        shape = clean.shape[-1], clean.shape[-2]
        masks = [_latent_mask(canvas, model, shape, _is_rounded(start)) for canvas in canvases]
        mask = torch.stack(masks).to(clean)
        content = None if start.mask is None else start.mask.content
        if content in ("latent noise", "latent nothing"):
            under = torch.zeros_like(clean)
            if content == "latent noise":
                under = layout.spatial(self._noise(number, indices, model, words)).to(clean)
            clean = clean * (1 - mask) + under * mask
        return _Known(clean, mask), layout

    def _encoded(self, governing: int, index: int, model: LoadedModel) -> torch.Tensor:
        """Return the latents of a canvas as they lie in it, (1, channels, height, width), for what the pass draws."""
        key = self._key(governing, index), model.key
        if key not in self._latents:
            self._latents[key] = _fitting(self._canvas(governing, index), model, self._save_memory, self._once_more)
        return self._latents[key]

    def _told_of_mask(self, number: int, indices: Sequence[int], model: LoadedModel) -> Told:
        """Return pictures that are grey where they are drawn anew, and where that is."""
        governing, one = self.governing(number), self._resolved.passes[number]
        encode = partial(encode_pixels, model, save_memory=self._save_memory, once_more=self._once_more)
        if governing is None:
            width, height = model.family.rounded(model.pipeline, (one.width, one.height))
            all_of_it, grey = torch.ones(1, 1, height, width), encode(torch.zeros(1, 3, height, width))
            return Told(grey.expand(len(indices), *grey.shape[1:]), all_of_it.expand(len(indices), -1, -1, -1))
        start = self._start(governing)
        latents, masks = list[torch.Tensor](), list[torch.Tensor]()
        for index in indices:
            pixels, mask = _pixels_of(self._canvas(governing, index), model, _is_rounded(start))
            latents.append(encode(pixels * (1 - start.mask_weight * mask)))
            masks.append(mask)
        return Told(torch.cat(latents), torch.cat(masks))

    def _noise(self, number: int, indices: Sequence[int], model: LoadedModel, words: Words) -> torch.Tensor:
        """Return the noise of the pictures' seeds: (batch, …), as the scheduler sees it."""
        one, family = self._resolved.passes[number], model.family
        sampler = family.sampler(model.pipeline, one.sampler_name, one.scheduler, one.steps, one.shift, one.noise)
        arguments = family.arguments(model.pipeline, words, Asked.by(one, len(indices)))
        seeds = Seeds.of(self._resolved, indices)
        return seeds.noise(model, arguments | {"generator": seeds.generators()}, sampler)


def _has_mask(start: Start) -> bool:
    return start.mask is not None or start.outpaint is not None


def _is_rounded(start: Start) -> bool:
    """Tell whether each latent is drawn anew or kept, with nothing between."""
    return start.mask is None or (start.mask.rounded and start.mask.soft is None)


def _latent_mask(canvas: Canvas, model: LoadedModel, shape: tuple[int, int], rounded: bool) -> torch.Tensor:
    """Return how much of each latent is drawn anew: (1, height, width), for a `shape` (width, height)."""
    assert canvas.mask is not None
    mask = widened(canvas.mask, model.family.rounded(model.pipeline, canvas.size))
    return torch.from_numpy(latent_mask(mask, shape, rounded))[None]


def _pixels_of(canvas: Canvas, model: LoadedModel, rounded: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a model for inpainting is shown, (1, 3, height, width), and how much of it it draws anew, 0..1."""
    size = model.family.rounded(model.pipeline, canvas.size)
    pixels = pixels_of(widened(resized(canvas.drawn, canvas.size), size))
    if canvas.mask is None:
        return pixels, torch.ones_like(pixels[:, :1])
    mask = np.array(widened(canvas.mask, size), np.float32) / 255
    return pixels, torch.from_numpy(np.around(mask) if rounded else mask)[None, None]


def _fitting(
    canvas: Canvas, model: LoadedModel, save_memory: bool, once_more: Callable[[str], None] | None
) -> torch.Tensor:
    family, pipeline = model.family, model.pipeline
    encoded = encode_pictures(model, [canvas.drawn], save_memory, once_more)
    spatial = family.layout(pipeline, canvas.drawn.size).spatial(encoded)
    if canvas.drawn.size == canvas.size:
        return spatial
    width, height = family.latent_size(pipeline, canvas.size)
    return functional.interpolate(spatial, (height, width), mode="bilinear")


def _soft_mix(start: Start, known: _Known, layout: Layout) -> SoftMix | None:
    soft = None if start.mask is None else start.mask.soft
    if soft is None or known.mask is None:
        return None
    return SoftMix(
        known.clean,
        known.mask,
        bias=soft.schedule_bias,
        strength=soft.preservation_strength,
        contrast=soft.transition_contrast,
        spatial=layout.spatial,
        running=layout.running,
    )


def _shows(known: _Known, latents: torch.Tensor, soft: SoftMask, size: tuple[int, int]) -> Image.Image:
    """Return the mask through which a picture shows: by how far its latents, (1, …), are from those it began with."""
    assert known.mask is not None
    difference = torch.linalg.vector_norm(latents.float() - known.clean.to(latents).float(), dim=1)[0]
    values, mask = (one.double().cpu().numpy() for one in (difference, known.mask[0, 0]))
    return mask_by_difference(np.asarray(values), np.asarray(mask), soft, size)
