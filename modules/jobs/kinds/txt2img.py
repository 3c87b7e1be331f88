"""txt2img: a picture, or several, from words; A1111's `POST /sdapi/v1/txt2img`."""

from __future__ import annotations

from typing import ClassVar

from modules.jobs.kinds import drawn_values
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.hires_request import HiresRequest
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.starts import FindInput
from modules.options import Settings


class Txt2ImgRequest(HiresRequest):
    """A picture, or several, from words. None means the model's own default, for the size its native one.

    Keys that are not known are ignored, as A1111 does. What begins with `hr_` is about the second pass of hires fix.
    """

    kind: ClassVar[str] = "txt2img"

    def passes(self, models: Models, settings: Settings, find_input: FindInput) -> tuple[Pass, ...]:
        """Return the pass from noise to the picture, and the second one of hires fix; of both a refiner may end one."""
        return self.with_hires(models, settings, find_input)


TXT2IMG = Kind(
    request=Txt2ImgRequest,
    resolved=ResolvedJob,
    picture=drawn_values.in_picture,
    infotext=drawn_values.in_infotext,
    told=drawn_values.told,
    told_fields=frozenset(Txt2ImgRequest.model_fields),
    inputs=("firstpass_image",),
)
