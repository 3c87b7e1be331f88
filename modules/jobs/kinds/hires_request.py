"""Hires fix: what the first pass drew is enlarged and drawn over in a second one; by A1111's fields and rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from modules.errors import InvalidRequest
from modules.jobs.kinds import hires_fields, start_fields
from modules.jobs.kinds.base import Pass, PictureWords, Words
from modules.jobs.kinds.choice import READ_WITH_CLIP_SKIP, Models
from modules.jobs.kinds.drawing_request import DrawingRequest, source_of
from modules.jobs.kinds.enlarging import enlarging_by
from modules.jobs.kinds.faults import fault_at
from modules.jobs.kinds.fields import SIDE_LOWEST
from modules.jobs.kinds.hires_choice import check_refiner, find_hires_checkpoint, find_hires_upscaler
from modules.jobs.kinds.hires_fields import HIRES_SIDE_HIGHEST
from modules.jobs.kinds.sizes import Size, resized, scaled
from modules.jobs.kinds.starts import FindInput, Pictures, Start
from modules.jobs.kinds.step_rules import exactly
from modules.jobs.kinds.writing import words_of, written
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import facts_of
from modules.jobs.models.family_facts import DRAWN_IN_TILES
from modules.jobs.samplers import check_pair, find_sampler, find_schedule, split_sampler
from modules.options import Settings

# A second pass over more pixels than this is drawn in tiles of this many a side, where nobody says otherwise.
_WHOLE_AT_MOST = 1536 * 1536
_TILE = 1024


class HiresRequest(DrawingRequest):
    """A request that may be drawn twice, the second time larger. None: as in the first pass.

    The finished size is `hr_resize_x` times `hr_resize_y` (of which 0 is what keeps the ratio; with both, what is over
    is cut off), else `hr_scale` times the first one. With `firstphase_width` and `firstphase_height`, an older way to
    ask, it is `width` times `height`. With `firstpass_image` there is only the second pass, over that picture.
    """

    enable_hr: hires_fields.EnableHr = False
    firstphase_width: hires_fields.FirstphaseWidth = 0
    firstphase_height: hires_fields.FirstphaseHeight = 0
    denoising_strength: start_fields.DenoisingStrength = 0.75
    hr_scale: hires_fields.HrScale = 2.0
    hr_upscaler: hires_fields.HrUpscaler = Field(None, description="What enlarges, of latents or pixels; None: Latent.")
    hr_second_pass_steps: hires_fields.HrSteps = 0
    hr_resize_x: hires_fields.HrResizeX = 0
    hr_resize_y: hires_fields.HrResizeY = 0
    hr_checkpoint_name: hires_fields.HrCheckpoint = None
    hr_sampler_name: hires_fields.HrSampler = None
    hr_scheduler: hires_fields.HrScheduler = None
    hr_prompt: hires_fields.HrPrompt = Field(
        "", description="Words of the second pass; without any those of the first."
    )
    hr_negative_prompt: hires_fields.HrNegativePrompt = ""
    hr_cfg: hires_fields.HrCfg = None
    hr_distilled_cfg: hires_fields.HrDistilledCfg = None
    hr_tile: hires_fields.HrTile = Field(
        0, description="How many pixels a side the second pass sees at a time; 0: all, or 1024 where that is too much."
    )
    firstpass_image: start_fields.FirstpassImage = Field(
        None, description="A finished picture for the second pass, in place of what the first one draws."
    )

    @model_validator(mode="after")
    def _check_hires(self) -> Self:
        try:
            if self.firstpass_image is not None and not self.enable_hr:
                message = "firstpass_image is for the second pass of hires fix: send enable_hr true, or leave it out."
                raise InvalidRequest(message, "firstpass_image")
            if (self.firstphase_width == 0) != (self.firstphase_height == 0):
                lacks = "firstphase_height" if self.firstphase_height == 0 else "firstphase_width"
                raise InvalidRequest(f"{lacks} is missing: send both sides of the first pass, or neither.", lacks)
            if self.firstphase_width and self.firstpass_image is None and None in (self.width, self.height):
                lacks = "width" if self.width is None else "height"
                message = f"{lacks} is missing: with firstphase_width and firstphase_height it is the finished size."
                raise InvalidRequest(message, lacks)
            for name in ("firstphase_width", "firstphase_height"):
                if 0 < getattr(self, name) < SIDE_LOWEST:
                    message = f"{name} {getattr(self, name)} is not possible: use {SIDE_LOWEST} or more."
                    raise InvalidRequest(message, name)
        except InvalidRequest as error:
            raise fault_at(error) from error
        return self

    def find_models(self, catalogue: CheckpointCatalogue, settings: Settings) -> Models:
        """Return the models that both passes are drawn with, and what enlarges between them."""
        models = super().find_models(catalogue, settings)
        if not self.enable_hr:
            return models
        upscaler = find_hires_upscaler(self.hr_upscaler, catalogue)
        models = replace(models, upscaler=upscaler)
        if self.hr_checkpoint_name is not None:
            hires = find_hires_checkpoint(self.hr_checkpoint_name, models, upscaler, catalogue)
            parts = {} if hires is None else catalogue.companions_of(hires)
            models = replace(models, hires=hires, hires_parts=parts)
        self._check_tile(models.hires or models.checkpoint)
        if self._refines(self.settings_over(settings), second=True):
            check_refiner(models)
        first = self._first(models, self.settings_over(settings))
        self._second_sampler(first)
        if self.firstpass_image is None:
            self._finished_size((first.width, first.height))
        return models

    def check_inputs(self, pictures: Pictures) -> None:
        """Check that the picture of the second pass is there, and does not become too large."""
        if self.firstpass_image is not None:
            picture = pictures.find(self.firstpass_image)
            self._finished_size((picture.width, picture.height))

    def with_hires(self, models: Models, settings: Settings, find_input: FindInput) -> tuple[Pass, ...]:
        """Return the passes from noise, or from the picture that is sent, to the finished picture."""
        first = self._first(models, settings)
        if not self.enable_hr or models.upscaler is None:
            return self.with_refiner(first, models)
        if self.firstpass_image is not None:
            picture = find_input(self.firstpass_image)
            first = first.model_copy(update={"width": picture.width, "height": picture.height})
            start = Start(pictures=(picture,), background=settings.img2img_background_color)
            second = self._second(first, models, settings).model_copy(update={"start": start})
            return self._refined(second, models, settings, second=True)
        second = self._second(first, models, settings)
        return (
            *self._refined(first, models, settings, second=False),
            *self._refined(second, models, settings, second=True),
        )

    def _first(self, models: Models, settings: Settings) -> Pass:
        """Return the first pass, at its own size."""
        first = self.first_pass(models.checkpoint, settings)
        if not self.enable_hr or not self.firstphase_width:
            return first
        return first.model_copy(update={"width": self.firstphase_width, "height": self.firstphase_height})

    def _second(self, first: Pass, models: Models, settings: Settings) -> Pass:
        assert models.upscaler is not None
        checkpoint = models.hires or models.checkpoint
        steps = exactly(self.hr_second_pass_steps or first.steps, self.denoising_strength)
        sampler_name, scheduler = self._second_sampler(first)
        width, height = self._finished_size((first.width, first.height))
        enlarging = enlarging_by(models.upscaler, settings, settings.img2img_extra_noise)
        distilled = self.distilled_cfg_scale if self.hr_distilled_cfg is None else self.hr_distilled_cfg
        return Pass(
            width=width,
            height=height,
            steps=steps.of_list,
            begin=steps.begin,
            sampler_name=sampler_name,
            scheduler=scheduler,
            cfg_scale=first.cfg_scale if self.hr_cfg is None else self.hr_cfg,
            distilled_cfg_scale=self.distilled_for(checkpoint, distilled),
            shift=self.shift_for(checkpoint),
            noise=self.noise_of(sampler_name, checkpoint, settings),
            guidance_rescale=self.rescale_for(checkpoint),
            checkpoint=None if models.hires is None else source_of(models.hires, models.hires_parts),
            enlarging=enlarging,
            words=self._second_words(models, settings),
            tile=self._tile((width, height), checkpoint),
            denoising_strength=self.denoising_strength,
        )

    def _refined(self, one: Pass, models: Models, settings: Settings, *, second: bool) -> tuple[Pass, ...]:
        return self.with_refiner(one, models) if self._refines(settings, second=second) else (one,)

    def _refines(self, settings: Settings, *, second: bool) -> bool:
        """Tell whether a refiner takes part in this pass of hires fix."""
        which = settings.hires_fix_refiner_pass
        return which == "both passes" or which == ("second pass" if second else "first pass")

    def texts(self) -> tuple[PictureWords, ...]:
        """Return the prompts of the first pass, and those of the second, which are the same where it has none."""
        if not self.enable_hr:
            return super().texts()
        second = PictureWords(
            prompt=self.hr_prompt if self.hr_prompt.strip() else self.prompt,
            negative_prompt=self.hr_negative_prompt if self.hr_negative_prompt.strip() else self.negative_prompt,
        )
        return (*super().texts(), second)

    def _second_words(self, models: Models, settings: Settings) -> Words | None:
        """Return the words of the second pass where they are not those of the first."""
        checkpoint = models.hires or models.checkpoint
        first, second = (
            words_of(text, skip, settings)
            for text, skip in zip(
                (written(text, models.styles, settings) for text in self.texts()),
                (models.clip_skip, models.clip_skip if checkpoint.family in READ_WITH_CLIP_SKIP else 1),
                strict=True,
            )
        )
        return None if second == first else second

    def _second_sampler(self, first: Pass) -> tuple[str, str]:
        """Return sampler and schedule type of the second pass; of what was not sent, those of the first if they fit.

        Raises:
            InvalidRequest: the two that were sent do not go together.
        """
        if self.hr_sampler_name is None and self.hr_scheduler is None:
            return first.sampler_name, first.scheduler
        name, from_name = split_sampler(self.hr_sampler_name or first.sampler_name)
        sampler, asked = find_sampler(name), self.hr_scheduler or from_name
        schedule = find_schedule(asked or first.scheduler)
        try:
            check_pair(sampler, schedule)
        except InvalidRequest as error:
            if asked is not None:
                raise InvalidRequest(str(error), "hr_scheduler") from error
            return sampler.name, "Automatic"
        return sampler.name, schedule.label

    def _finished_size(self, first: Size) -> Size:
        """Return the size of the second pass.

        Raises:
            InvalidRequest: it is larger or smaller than can be drawn.
        """
        if self.hr_resize_x or self.hr_resize_y:
            size, field = resized(first, self.hr_resize_x, self.hr_resize_y), "hr_resize_x"
        elif self.firstphase_width and self.firstpass_image is None and self.width and self.height:
            size, field = (self.width, self.height), "width"
        else:
            size, field = scaled(first, self.hr_scale), "hr_scale"
        if max(size) > HIRES_SIDE_HIGHEST or min(size) < SIDE_LOWEST:
            raise InvalidRequest(
                f"Hires fix would make {size[0]:,} × {size[1]:,} of {first[0]:,} × {first[1]:,}: sides of "
                f"{SIDE_LOWEST} to {HIRES_SIDE_HIGHEST:,} pixels are possible.",
                field,
            )
        return size

    def _tile(self, size: Size, checkpoint: Checkpoint) -> int | None:
        tile = self.hr_tile or (_TILE if size[0] * size[1] > _WHOLE_AT_MOST and _may_tile(checkpoint) else 0)
        return tile if tile and tile < max(size) else None

    def _check_tile(self, checkpoint: Checkpoint) -> None:
        """Check that a model can draw in tiles, where that is asked for.

        Raises:
            InvalidRequest: it cannot.
        """
        if self.hr_tile and not _may_tile(checkpoint):
            message = f"{checkpoint.name} cannot draw in tiles: leave hr_tile out, or use another model."
            raise InvalidRequest(message, "hr_tile")


def _may_tile(checkpoint: Checkpoint) -> bool:
    """Tell whether a model can draw in tiles. Of one of a kind that nobody knows the engine finds out."""
    return checkpoint.family in DRAWN_IN_TILES or facts_of(checkpoint.family) is None
