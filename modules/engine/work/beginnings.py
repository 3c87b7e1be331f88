"""The passes of a portion of a job made ready, one after the other: the model, the words, and what it begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.families.base import Words
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.progress.parts import Phase
from modules.engine.upscaling.tiling import Tiling
from modules.engine.work.beginning import Beginning
from modules.engine.work.canvas import picture_of
from modules.engine.work.decoding import decode
from modules.engine.work.enlarging import enlarge_latents
from modules.engine.work.pass_models import PassModels
from modules.engine.work.picture_encoding import encode_pictures
from modules.engine.work.portion import Portion
from modules.engine.work.sampling import Ready
from modules.engine.work.starts import Starts
from modules.images.resizing import covering, middle
from modules.jobs.kinds.base import Enlarging
from modules.jobs.latent_upscaling import LATENT_MODES


class Beginnings:
    """Makes passes ready. What is enlarged with pixels is decoded by the model that drew it, before the next one comes.

    `save_memory` and `once_more` are those of `decode` and `encode_pictures`; `note` is told what people are to know.
    `got_on` is called now and then while pictures are enlarged, which may take minutes.
    """

    def __init__(
        self,
        parts: EngineParts,
        portion: Portion,
        models: PassModels,
        starts: Starts,
        save_memory: bool = False,
        once_more: Callable[[str], None] | None = None,
        note: Callable[[str, str], None] = lambda kind, text: None,
        got_on: Callable[[], None] = lambda: None,
    ) -> None:
        self._parts = parts
        self._portion = portion
        self._resolved = portion.resolved
        self._progress = portion.progress
        self._models = models
        self._starts = starts
        self._save_memory = save_memory
        self._once_more = once_more
        self._note = note
        self._got_on = got_on

    def ready(self, number: int, left: torch.Tensor | None, resumed: bool, indices: Sequence[int], first: int) -> Ready:
        """Return what a pass of the pictures `indices` runs with, of which the picture `first` is drawn first.

        `left`: latents of the pass before, (batch, …), if there was one. One that is `resumed` goes on amid its steps.

        Raises:
            Interrupted: the job was stopped in a network, between two tiles or two pictures.
            SteadyError: a model, an upscaler or a picture is gone, or makes no numbers.
        """
        models, one, starts = self._models, self._resolved.passes[number], self._starts
        enlarging = one.enlarging
        enlarged: list[Image.Image] | None = None
        if enlarging is not None and not resumed and enlarging.upscaler not in LATENT_MODES:
            enlarged = self._enlarged(number, enlarging, left, indices, first)
        self._have(number, first)
        models.prepare_networks(number, indices[0])
        model, script = models.in_use, models.script(number, indices)
        words = script.first
        if self._resolved.passes[number].tile is not None and not model.family.draws_in_tiles:
            name = model.key.path.name
            self._note("tile", f"{name} is not of a kind that can draw in tiles: it draws the whole picture at once.")
        beginning: Beginning | None = None
        if enlarging is None and starts.is_needed(number, resumed):
            if one.start is not None:
                self._enter("prepare", first, number)
            beginning = starts.beginning(number, indices, model, words)
        elif enlarging is not None and not resumed:
            clean = self._clean(number, enlarging, enlarged, left, indices, first)
            multiplier, extra = (1.0, 0.0) if one.start is None else (one.start.noise_multiplier, one.start.extra_noise)
            beginning = Beginning(clean, multiplier, extra + enlarging.extra_noise)
        self._parts.previews.place(starts.placings(number, indices))
        return Ready(model, words, beginning, starts.told(number, indices, model), script)

    def finished(self, latents: torch.Tensor, number: int, index: int) -> Image.Image:
        """Return the finished picture of one picture's latents, (1, …), that a pass left."""
        picture = self.decode(latents, number)

        def drawn_with() -> tuple[LoadedModel, Words]:
            self._models.load(number, self._progress.advance)
            return self._models.in_use, self._models.script(number, [index]).first

        return self._starts.finished(number, index, picture, latents, drawn_with)

    def decode(self, latents: torch.Tensor, number: int) -> Image.Image:
        """Return the picture of one picture's latents, (1, …), that a pass left."""
        one = self._resolved.passes[number]
        model = self._models.decoding(number, self._progress.advance)
        return decode(model, latents, (one.width, one.height), self._save_memory, self._once_more)

    def _have(self, number: int, first: int) -> None:
        """Have the model of a pass in memory."""
        models = self._models
        if not models.is_at(number):
            if models.has_to_load(number):
                self._enter("load", first, number)
            self._parts.previews.change_model(models.load(number, self._progress.advance))

    def _enlarged(
        self, number: int, enlarging: Enlarging, left: torch.Tensor | None, indices: Sequence[int], first: int
    ) -> list[Image.Image]:
        """Return what a pass begins with, as pictures of its size."""
        if left is not None:
            self._have(number - 1, first)
        self._enter("upscale", first, number)
        self._parts.state.current_latent = None  # What shows now are the tiles.
        one = self._resolved.passes[number]
        size, pictures = (one.width, one.height), list[Image.Image]()
        for place, index in enumerate(indices):
            picture = self._picture(number, index) if left is None else self.decode(left[place : place + 1], number - 1)
            made = self._parts.upscalers.enlarge(
                enlarging.upscaler, enlarging.model, picture, covering(picture.size, size),
                partial(self._tile_done, place, len(indices)),
                tiling=Tiling(enlarging.tile, enlarging.tile_overlap),
                seen=partial(self._parts.previews.show_picture, self._portion.in_job(index)),
            )  # fmt: skip
            pictures.append(middle(made, size))
        return pictures

    def _clean(
        self,
        number: int,
        enlarging: Enlarging,
        enlarged: Sequence[Image.Image] | None,
        left: torch.Tensor | None,
        indices: Sequence[int],
        first: int,
    ) -> torch.Tensor:
        """Return the latents that a pass begins with, (batch, …), as large as it draws, without noise."""
        passes, model = self._resolved.passes, self._models.in_use
        if enlarged is not None:
            self._enter("prepare", first, number)
            return self._encode(model, enlarged)
        one, how = passes[number], LATENT_MODES[enlarging.upscaler]
        size = one.width, one.height
        if left is not None:
            before = passes[number - 1]
            return enlarge_latents(model, left, (before.width, before.height), size, how)
        self._enter("prepare", first, number)
        pictures = [self._picture(number, index) for index in indices]
        return torch.cat(
            [enlarge_latents(model, self._encode(model, [picture]), picture.size, size, how) for picture in pictures]
        )

    def _picture(self, number: int, index: int) -> Image.Image:
        """Return the finished picture that a first pass enlarges."""
        start = self._resolved.passes[number].start
        assert start is not None
        return picture_of(start, index, self._parts.inputs.open)

    def _encode(self, model: LoadedModel, pictures: Sequence[Image.Image]) -> torch.Tensor:
        return encode_pictures(model, pictures, self._save_memory, self._once_more)

    def _tile_done(self, place: int, pictures: int, fraction: float) -> None:
        self._progress.advance((place + fraction) / pictures)
        self._got_on()

    def _enter(self, phase: Phase, first: int, number: int) -> None:
        self._portion.enter(phase, first, number)
        self._parts.cancel.check()
