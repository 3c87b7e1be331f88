"""txt2img: a picture, or several, from words; A1111's `POST /sdapi/v1/txt2img`."""

from __future__ import annotations

from typing import ClassVar

from modules.errors import InvalidRequest
from modules.jobs.kinds import drawn_values
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.hires_request import HiresRequest
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.starts import FindInput
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.families import told_of_picture
from modules.options import Settings


class Txt2ImgRequest(HiresRequest):
    """A picture, or several, from words. None means the model's own default, for the size its native one.

    Keys that are not known are ignored, as A1111 does. What begins with `hr_` is about the second pass of hires fix.
    """

    kind: ClassVar[str] = "txt2img"

    def find_models(self, catalogue: CheckpointCatalogue, settings: Settings) -> Models:
        """Return the models that both passes are drawn with, and what enlarges between them.

        Raises:
            InvalidRequest: as with every kind, and for models that change pictures and draw none.
            ModelError: one lacks a file.
        """
        models = super().find_models(catalogue, settings)
        for model, field in ((models.checkpoint, "sd_model_checkpoint"), (models.hires, "hr_checkpoint_name")):
            if model is not None and told_of_picture(model.family, model.variant, model.kind) == "always":
                raise InvalidRequest(f"{model.name} changes pictures and draws none: use it in img2img.", field)
        return models

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
