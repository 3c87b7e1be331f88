"""The fields that name pictures to begin with, and say how much of them stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from modules.jobs.kinds.starts import MaskedContent, OutpaintFill, ResizeMode
from modules.jobs.lenient import Check, fault, is_blank, real_number, show, switch, whole_number

_INPUT_NAME = re.compile(r"[0-9a-f]{64}\.png")
_HOW = "send it as base64, or the name or address of a picture that is here"
# Each of a job's events tells the names of what it begins with.
PICTURES_MOST = 200
MARGIN_HIGHEST = 2048
_BLUR_HIGHEST = 256


def input_name(field: str) -> Check:
    """Check the name of an input; what clients send in its place was taken in before (`modules/jobs/inputs`)."""

    def check(value: Any) -> str | None:
        if is_blank(value):
            return None
        if not isinstance(value, str) or not _INPUT_NAME.fullmatch(value):
            raise fault(f"{field} {show(value)} is no picture: {_HOW}.")
        return value

    return check


def input_names(field: str, most: int) -> Check:
    """Check a list of such names; one alone is understood, and empty places are left out."""
    one = input_name(field)

    def check(value: Any) -> tuple[str, ...]:
        if is_blank(value):
            return ()
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            raise fault(f"{field} {show(value)} is no list of pictures: send a list with one at least.")
        if len(names) > most:
            raise fault(f"{field} has {len(names):,} pictures: send at most {most:,} at once.")
        return tuple(name for name in (one(name) for name in names) if name is not None)

    return check


def _choice(label: str, names: Sequence[str], default: int) -> Check:
    """Check one of several things that A1111's clients name by their number; their names are understood."""
    told = ", ".join(f"{number} ({name})" for number, name in enumerate(names))

    def check(value: Any) -> int:
        if is_blank(value):
            return default
        if isinstance(value, str) and value.strip().casefold() in names:
            return names.index(value.strip().casefold())
        try:
            number: int = whole_number(label, 0, len(names) - 1, default)(value)
        except PydanticCustomError as error:
            raise fault(f"{label} {show(value)} is not possible: use {told}.") from error
        return number

    return check


def _outpaint_fill(value: Any) -> str:
    if is_blank(value):
        return OUTPAINT_FILLS[0]
    if value not in OUTPAINT_FILLS:
        raise fault(f"Outpaint fill {show(value)} is not possible: use {', '.join(OUTPAINT_FILLS)}.")
    return str(value)


def _margin(side: str) -> Check:
    return whole_number(f"Outpaint {side}", 0, MARGIN_HIGHEST, 0, " pixels")


def _soft(label: str, low: float, high: float, default: float) -> Check:
    return real_number(f"Soft inpainting: {label}", low, high, default)


RESIZE_MODES: tuple[ResizeMode, ...] = get_args(ResizeMode)
MASKED_CONTENTS: tuple[MaskedContent, ...] = get_args(MaskedContent)
OUTPAINT_FILLS: tuple[OutpaintFill, ...] = get_args(OutpaintFill)

InitImages = Annotated[tuple[str, ...], BeforeValidator(input_names("init_images", PICTURES_MOST))]
MaskImage = Annotated[str | None, BeforeValidator(input_name("mask"))]
LatentMask = Annotated[str | None, BeforeValidator(input_name("latent_mask"))]
ResizeModeNumber = Annotated[int, BeforeValidator(_choice("Resize mode", RESIZE_MODES, 0))]
Scale = Annotated[float | None, BeforeValidator(real_number("Resize by", 0.05, 8, None))]
ImageCfgScale = Annotated[float | None, BeforeValidator(real_number("Image CFG scale", 0, 30, None))]
MaskBlur = Annotated[float | None, BeforeValidator(real_number("Mask blur", 0, _BLUR_HIGHEST, None))]
MaskBlurX = Annotated[float, BeforeValidator(real_number("Mask blur (x)", 0, _BLUR_HIGHEST, 4.0))]
MaskBlurY = Annotated[float, BeforeValidator(real_number("Mask blur (y)", 0, _BLUR_HIGHEST, 4.0))]
MaskRound = Annotated[bool, BeforeValidator(switch("mask_round", True))]
InpaintingFill = Annotated[int, BeforeValidator(_choice("Masked content", MASKED_CONTENTS, 0))]
InpaintFullRes = Annotated[bool, BeforeValidator(switch("inpaint_full_res", True))]
InpaintPadding = Annotated[int, BeforeValidator(whole_number("Masked area padding", 0, 1024, 0, " pixels"))]
MaskInvert = Annotated[bool, BeforeValidator(switch("inpainting_mask_invert", False))]
NoiseMultiplier = Annotated[float | None, BeforeValidator(real_number("Noise multiplier", 0, 1.5, None))]
ExtraNoise = Annotated[float | None, BeforeValidator(real_number("Extra noise", 0, 1, None))]
IncludeInitImages = Annotated[bool, BeforeValidator(switch("include_init_images", False))]
AsCondition = Annotated[bool | None, BeforeValidator(switch("as_condition", None))]
OutpaintLeft = Annotated[int, BeforeValidator(_margin("left"))]
OutpaintRight = Annotated[int, BeforeValidator(_margin("right"))]
OutpaintTop = Annotated[int, BeforeValidator(_margin("top"))]
OutpaintBottom = Annotated[int, BeforeValidator(_margin("bottom"))]
OutpaintFillName = Annotated[OutpaintFill, BeforeValidator(_outpaint_fill)]
OutpaintBlend = Annotated[int, BeforeValidator(whole_number("Outpaint blend", 0, 256, 8, " pixels"))]
SoftInpainting = Annotated[bool, BeforeValidator(switch("soft_inpainting", False))]
ScheduleBias = Annotated[float, BeforeValidator(_soft("schedule bias", 0, 8, 1.0))]
PreservationStrength = Annotated[float, BeforeValidator(_soft("preservation strength", 0, 8, 0.5))]
TransitionContrast = Annotated[float, BeforeValidator(_soft("transition contrast boost", 1, 32, 4.0))]
MaskInfluence = Annotated[float, BeforeValidator(_soft("mask influence", 0, 1, 0.0))]
DifferenceThreshold = Annotated[float, BeforeValidator(_soft("difference threshold", 0, 8, 0.5))]
DifferenceContrast = Annotated[float, BeforeValidator(_soft("difference contrast", 0, 8, 2.0))]
FirstpassImage = Annotated[str | None, BeforeValidator(input_name("firstpass_image"))]
DenoisingStrength = Annotated[float, BeforeValidator(real_number("Denoising strength", 0, 1, 0.75))]
