"""img2img: pictures from pictures and words, all of them or a masked part; A1111's `POST /sdapi/v1/img2img`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from modules.errors import InvalidRequest
from modules.images.masks import drawn_mask
from modules.jobs.kinds import drawn_values, start_fields
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.enlarging import enlarging_by
from modules.jobs.kinds.faults import fault_at
from modules.jobs.kinds.fields import SIDE_HIGHEST, SIDE_LOWEST
from modules.jobs.kinds.hires_choice import find_upscaler
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.sizes import Size, drawable, floored, scaled
from modules.jobs.kinds.soft_inpainting import PREFIX, from_script
from modules.jobs.kinds.starts import FindInput, Input, Mask, Outpaint, Pictures, SoftMask, Start
from modules.jobs.kinds.step_rules import exactly, part_of
from modules.jobs.latent_upscaling import NO_UPSCALER
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import can_be_told_of_picture, told_of_picture
from modules.options import Settings

GROWN_SIDE_HIGHEST = 4096
# The models that weigh the picture against the words, and how where nobody says: as A1111's page has it.
_INSTRUCT, _IMAGE_CFG_SCALE = "instruct", 1.5


class Img2ImgRequest(DrawingRequest):
    """Pictures from pictures. None means the model's own default, for the size that of the first picture.

    Picture i of the job begins with number i of `init_images`, and with the first one again after the last. Where fewer
    are asked for (`batch_size` times `n_iter`) than there are, one is made of each. `scale` is by how much the size
    differs from the picture's, in place of `width` and `height`; with only the masked part drawn (`inpaint_full_res`)
    they are the size at which that is drawn. With `outpaint_left` and the like the picture grows by so many pixels, and
    its finished size is that. Keys that are not known are ignored, as A1111 does.
    """

    kind: ClassVar[str] = "img2img"

    init_images: start_fields.InitImages = ()
    resize_mode: start_fields.ResizeModeNumber = 0
    denoising_strength: start_fields.DenoisingStrength = 0.75
    scale: start_fields.Scale = None
    image_cfg_scale: start_fields.ImageCfgScale = None
    mask: start_fields.MaskImage = Field(None, description="White where the picture is drawn anew.")
    latent_mask: start_fields.LatentMask = None
    mask_blur: start_fields.MaskBlur = Field(None, description="In place of mask_blur_x and mask_blur_y.")
    mask_blur_x: start_fields.MaskBlurX = 4.0
    mask_blur_y: start_fields.MaskBlurY = 4.0
    mask_round: start_fields.MaskRound = True
    inpainting_fill: start_fields.InpaintingFill = 0
    inpaint_full_res: start_fields.InpaintFullRes = True
    inpaint_full_res_padding: start_fields.InpaintPadding = 0
    inpainting_mask_invert: start_fields.MaskInvert = False
    initial_noise_multiplier: start_fields.NoiseMultiplier = None
    img2img_extra_noise: start_fields.ExtraNoise = None
    as_condition: start_fields.AsCondition = Field(
        None,
        description="Begin with noise, whatever the strength, and tell the model of the picture; None: its own way.",
    )
    include_init_images: start_fields.IncludeInitImages = False
    outpaint_left: start_fields.OutpaintLeft = 0
    outpaint_right: start_fields.OutpaintRight = 0
    outpaint_top: start_fields.OutpaintTop = 0
    outpaint_bottom: start_fields.OutpaintBottom = 0
    outpaint_fill: start_fields.OutpaintFillName = "edge"
    outpaint_blend: start_fields.OutpaintBlend = Field(
        8, description="How many pixels of the picture beside the new ones are drawn anew too."
    )
    soft_inpainting: start_fields.SoftInpainting = Field(
        False, description="Draw anew by degrees, as grey the mask is; alwayson_scripts of A1111 is understood too."
    )
    soft_inpainting_schedule_bias: start_fields.ScheduleBias = 1.0
    soft_inpainting_preservation_strength: start_fields.PreservationStrength = 0.5
    soft_inpainting_transition_contrast: start_fields.TransitionContrast = 4.0
    soft_inpainting_mask_influence: start_fields.MaskInfluence = 0.0
    soft_inpainting_difference_threshold: start_fields.DifferenceThreshold = 0.5
    soft_inpainting_difference_contrast: start_fields.DifferenceContrast = 2.0

    @classmethod
    def understood(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the request with soft inpainting as fields of its own."""
        return from_script(data)

    @model_validator(mode="after")
    def _check_pictures(self) -> Self:
        try:
            if not self.init_images:
                message = "There is no picture to begin with: send init_images, a list with one at least."
                raise InvalidRequest(message, "init_images")
            if self.mask is not None and self.latent_mask not in (None, self.mask):
                message = "mask and latent_mask are two pictures, and one is drawn with: send mask alone."
                raise InvalidRequest(message, "latent_mask")
            if self.soft_inpainting and self._mask is None:
                message = "Soft inpainting needs a mask: send mask, or soft_inpainting false."
                raise InvalidRequest(message, "soft_inpainting")
        except InvalidRequest as error:
            raise fault_at(error) from error
        return self

    @property
    def _mask(self) -> str | None:
        return self.mask or self.latent_mask

    @property
    def batches(self) -> tuple[int, int]:
        """How many pictures are drawn at once, and how often; as many as there are to begin with, at least."""
        pictures = len(self.init_images)
        if pictures <= self.batch_size * self.n_iter:
            return self.batch_size, self.n_iter
        at_once = next(size for size in range(self.batch_size, 0, -1) if pictures % size == 0)
        return at_once, pictures // at_once

    def find_models(self, catalogue: CheckpointCatalogue, settings: Settings) -> Models:
        """Return the models that the request draws with.

        Raises:
            InvalidRequest: as with every kind, and if the model is to be told of a picture and cannot be.
            ModelError: one lacks a file.
        """
        models = super().find_models(catalogue, settings)
        checkpoint = models.checkpoint
        if self.as_condition and not can_be_told_of_picture(checkpoint.family, checkpoint.variant, checkpoint.kind):
            message = (
                f"{checkpoint.name} cannot be told of a picture: send as_condition false, so that it begins with it."
            )
            raise InvalidRequest(message, "as_condition")
        name = self.settings_over(settings).upscaler_for_img2img
        if name.strip() in ("", NO_UPSCALER) or start_fields.RESIZE_MODES[self.resize_mode] == "latent":
            return models
        return replace(models, upscaler=find_upscaler(name, catalogue, "upscaler_for_img2img"))

    def check_inputs(self, pictures: Pictures) -> None:
        """Check that the pictures are there, that the mask covers something, and that the size is possible."""
        self.check_sizes(pictures)
        if self._mask is None:
            return
        mask = pictures.find(self._mask)
        drawn = drawn_mask(pictures.open(mask), self.inpainting_mask_invert, self._rounded)
        if self._outpaint is None and drawn.getbbox() is None:
            inverted = " with inpainting_mask_invert" if self.inpainting_mask_invert else ""
            message = f"The mask covers nothing{inverted}: paint over what is to be drawn anew, or send none."
            raise InvalidRequest(message, "mask")

    def check_sizes(self, pictures: Pictures) -> None:
        """Check that the pictures are there and the size is possible; no pixel is looked at."""
        first, *_ = [pictures.find(name) for name in self.init_images]
        self._size(first, None)

    def passes(self, models: Models, settings: Settings, find_input: FindInput) -> tuple[Pass, ...]:
        """Return the pass over the pictures, of which a refiner may take the end."""
        pictures = tuple(find_input(name) for name in self.init_images)
        whole = self.first_pass(models.checkpoint, settings)
        width, height = self._size(pictures[0], models.checkpoint)
        rule = exactly if settings.img2img_fix_steps else part_of
        steps = rule(whole.steps, self.denoising_strength)
        start = self._start(pictures, settings, find_input)
        resizing = None if models.upscaler is None else enlarging_by(models.upscaler, settings)
        update: dict[str, Any] = {"width": width, "height": height, "start": start, "resizing": resizing}
        if self._is_told(models.checkpoint):
            update["start"] = start.model_copy(update={"as_condition": True})
        else:
            update |= {
                "steps": steps.of_list,
                "begin": steps.begin,
                "denoising_strength": self.denoising_strength,
                "steps_asked": None if steps.of_list == whole.steps else whole.steps,
            }
        if models.checkpoint.variant == _INSTRUCT:
            update["image_cfg_scale"] = _IMAGE_CFG_SCALE if self.image_cfg_scale is None else self.image_cfg_scale
        return self.with_refiner(whole.model_copy(update=update), models)

    def _is_told(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the model begins with noise, and reads the picture."""
        if self.as_condition is None:
            return told_of_picture(checkpoint.family, checkpoint.variant, checkpoint.kind) is not None
        return self.as_condition

    def _start(self, pictures: tuple[Input, ...], settings: Settings, find_input: FindInput) -> Start:
        multiplier, extra = self.initial_noise_multiplier, self.img2img_extra_noise
        return Start(
            pictures=pictures,
            resize_mode=start_fields.RESIZE_MODES[self.resize_mode],
            noise_multiplier=settings.initial_noise_multiplier if multiplier is None else multiplier,
            extra_noise=settings.img2img_extra_noise if extra is None else extra,
            background=settings.img2img_background_color,
            mask=None if self._mask is None else self._whole_mask(find_input(self._mask)),
            mask_weight=settings.inpainting_mask_weight,
            outpaint=self._outpaint,
            color_correction=settings.img2img_color_correction,
        )

    def _whole_mask(self, picture: Input) -> Mask:
        soft = {name: getattr(self, f"{PREFIX}_{name}") for name in SoftMask.model_fields}
        return Mask(
            picture=picture,
            inverted=self.inpainting_mask_invert,
            blur_x=self.mask_blur_x if self.mask_blur is None else self.mask_blur,
            blur_y=self.mask_blur_y if self.mask_blur is None else self.mask_blur,
            rounded=self._rounded,
            content=start_fields.MASKED_CONTENTS[self.inpainting_fill],
            padding=self.inpaint_full_res_padding if self.inpaint_full_res else None,
            soft=SoftMask(**soft) if self.soft_inpainting else None,
        )

    @property
    def _rounded(self) -> bool:
        """Whether the mask has no grey; that is what soft inpainting goes by."""
        return self.mask_round and not self.soft_inpainting

    @property
    def _outpaint(self) -> Outpaint | None:
        sides = self.outpaint_left, self.outpaint_right, self.outpaint_top, self.outpaint_bottom
        if not any(sides):
            return None
        left, right, top, bottom = sides
        return Outpaint(
            left=left, right=right, top=top, bottom=bottom, fill=self.outpaint_fill, blend=self.outpaint_blend
        )

    def _size(self, picture: Input, checkpoint: Checkpoint | None) -> Size:
        """Return the size of the pass; `checkpoint` None: it is not known yet.

        Raises:
            InvalidRequest: it is not possible.
        """
        own, only_masked = (picture.width, picture.height), self._mask is not None and self.inpaint_full_res
        if self._outpaint is not None:
            grown = self._grown(own, self._outpaint)
            if not only_masked:
                return grown
        if self.scale is not None:
            return self._scaled(own, self.scale)
        if self.width is not None or self.height is not None:
            return self._sent(own)
        if only_masked:
            return drawable(own) if checkpoint is None else (checkpoint.native_width, checkpoint.native_height)
        return drawable(own)

    def _grown(self, own: Size, outpaint: Outpaint) -> Size:
        width, height = own[0] + outpaint.left + outpaint.right, own[1] + outpaint.top + outpaint.bottom
        if max(width, height) > GROWN_SIDE_HIGHEST or min(width, height) < SIDE_LOWEST:
            wide = outpaint.left or outpaint.right
            raise InvalidRequest(
                f"The picture would grow from {own[0]:,} × {own[1]:,} to {width:,} × {height:,}: sides of "
                f"{SIDE_LOWEST} to {GROWN_SIDE_HIGHEST:,} pixels are possible.",
                "outpaint_left" if wide else "outpaint_top",
            )
        return width, height

    def _scaled(self, own: Size, scale: float) -> Size:
        size = scaled(own, scale)
        if max(size) > SIDE_HIGHEST or min(size) < SIDE_LOWEST:
            raise InvalidRequest(
                f"Resized by {scale:g}, {own[0]:,} × {own[1]:,} would be {size[0]:,} × {size[1]:,}: sides of "
                f"{SIDE_LOWEST} to {SIDE_HIGHEST:,} pixels are possible.",
                "scale",
            )
        return size

    def _sent(self, own: Size) -> Size:
        """Return the size that was sent; of one side the other is as the picture's ratio has it."""
        width = self.width or floored((self.height or 0) * own[0] / own[1])
        height = self.height or floored((self.width or 0) * own[1] / own[0])
        return min(max(width, SIDE_LOWEST), SIDE_HIGHEST), min(max(height, SIDE_LOWEST), SIDE_HIGHEST)


IMG2IMG = Kind(
    request=Img2ImgRequest,
    resolved=ResolvedJob,
    picture=drawn_values.in_picture,
    infotext=drawn_values.in_infotext,
    told=drawn_values.told,
    told_fields=frozenset(Img2ImgRequest.model_fields),
    inputs=("init_images", "mask", "latent_mask"),
)
