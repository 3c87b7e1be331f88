"""The fields of hires fix, as A1111 and Forge have them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from modules.jobs.kinds.fields import PROMPT_LONGEST, SIDE_MULTIPLE, check_sampler, check_scheduler
from modules.jobs.lenient import Check, fault, is_blank, pixels, real_number, switch, text, whole_number
from modules.jobs.models.defaults import CFG_SCALE_HIGHEST, STEPS_HIGHEST
from modules.setting_field import LONGEST_TEXT

HIRES_SIDE_HIGHEST = 8192
TILE_LOWEST, TILE_HIGHEST, TILE_MULTIPLE = 256, 4096, 64
# What A1111's page calls what is as in the first pass.
_SAME = frozenset({"Use same checkpoint", "Use same sampler", "Use same scheduler"})


def _unless_same(check: Check) -> Check:
    def checked(value: Any) -> Any:
        return None if is_blank(value) or (isinstance(value, str) and value in _SAME) else check(value)

    return checked


def _name(label: str) -> Check:
    """Check a name; none of it is what is used when it is left out."""
    checked = text(label, LONGEST_TEXT)

    def check(value: Any) -> str | None:
        return None if is_blank(value) else str(checked(value)).strip()

    return check


def _none_for_zero(check: Check) -> Check:
    def checked(value: Any) -> Any:
        return check(value) or None

    return checked


def _tile(value: Any) -> int:
    sides = f"0 (automatic), or {TILE_LOWEST:,} to {TILE_HIGHEST:,} in steps of {TILE_MULTIPLE}"
    number: int = whole_number("Tile of hires fix", 0, TILE_HIGHEST, 0)(value)
    if number and (number < TILE_LOWEST or number % TILE_MULTIPLE):
        raise fault(f"Tile of hires fix {number:,} is not possible: use {sides}.")
    return number


def _side(label: str) -> Check:
    checked = pixels(label, 0, HIRES_SIDE_HIGHEST, SIDE_MULTIPLE)

    def check(value: Any) -> int:
        return checked(value) or 0

    return check


_cfg = real_number("Hires CFG scale", 0, CFG_SCALE_HIGHEST, None, " (0 is as in the first pass)")

EnableHr = Annotated[bool, BeforeValidator(switch("enable_hr", False))]
HrScale = Annotated[float, BeforeValidator(real_number("Hires upscale", 1, 8, 2.0))]
HrUpscaler = Annotated[str | None, BeforeValidator(_name("Hires upscaler"))]
HrSteps = Annotated[
    int, BeforeValidator(whole_number("Hires steps", 0, STEPS_HIGHEST, 0, " (0 is as many as in the first pass)"))
]
HrResizeX = Annotated[int, BeforeValidator(_side("Hires width"))]
HrResizeY = Annotated[int, BeforeValidator(_side("Hires height"))]
FirstphaseWidth = Annotated[int, BeforeValidator(_side("Width of the first pass"))]
FirstphaseHeight = Annotated[int, BeforeValidator(_side("Height of the first pass"))]
HrCheckpoint = Annotated[str | None, BeforeValidator(_unless_same(_name("Hires checkpoint")))]
HrSampler = Annotated[str | None, BeforeValidator(_unless_same(check_sampler))]
HrScheduler = Annotated[str | None, BeforeValidator(_unless_same(check_scheduler))]
HrPrompt = Annotated[str, BeforeValidator(text("Hires prompt", PROMPT_LONGEST))]
HrNegativePrompt = Annotated[str, BeforeValidator(text("Hires negative prompt", PROMPT_LONGEST))]
HrCfg = Annotated[float | None, BeforeValidator(_none_for_zero(_cfg))]
HrDistilledCfg = Annotated[
    float | None, BeforeValidator(_none_for_zero(real_number("Hires distilled CFG scale", 0, 30, None)))
]
HrTile = Annotated[int, BeforeValidator(_tile)]
