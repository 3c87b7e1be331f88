"""interrogate: what is on a picture, in words; A1111's `POST /sdapi/v1/interrogate`. It makes no picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import Resolved
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.starts import Input
from modules.jobs.lenient import fault, is_blank, text
from modules.jobs.models.captioners import CLIP
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.version import VERSION
from modules.options import Settings
from modules.setting_field import LONGEST_TEXT

# The kind of the note of a job that holds what was found.
CAPTION = "caption"


def _check_image(value: Any) -> str:
    if is_blank(value) or not isinstance(value, str):
        raise fault("Image not found: send a picture as base64.")
    return value


class InterrogateRequest(JobRequest):
    """A picture whose content is to be told in words. Keys that are not known are ignored, as A1111 does."""

    kind: ClassVar[str] = "interrogate"

    image: Annotated[str, BeforeValidator(_check_image)] = Field(
        description="The picture: base64, or the name of an input or the address of an output."
    )
    model: Annotated[str, BeforeValidator(text("Model", LONGEST_TEXT))] = Field(
        CLIP, description="A folder in models/interrogate; clip is the first of them."
    )

    @property
    def image_count(self) -> int:
        """How many pictures the job makes: none."""
        return 0

    def chosen(self, catalogue: CheckpointCatalogue, settings: Settings) -> CaptionerChoice:
        """Return which model looks at the picture, for the row to keep."""
        found = catalogue.captioners.find(self.model)
        try:
            found.check_usable()
        except ModelError as error:
            raise InvalidRequest(str(error), "model") from error
        return CaptionerChoice(captioner=found.name)

    def resolve(
        self, choice: CaptionerChoice, settings: Settings, find_input: Callable[[str], Input], threads: int
    ) -> ResolvedInterrogate:
        """Close the request.

        Raises:
            InputGone: the picture is not there any more.
        """
        return ResolvedInterrogate(
            kind=self.kind,
            version=VERSION,
            saving=self.saving(self.settings_over(settings)),
            picture=find_input(self.image),
            captioner=choice.captioner,
            threads=threads,
        )


class CaptionerChoice(Frozen):
    """The model that was chosen when the job was sent."""

    captioner: str


class ResolvedInterrogate(Resolved):
    """A job that tells what is on a picture, by the model of this name."""

    picture: Input
    captioner: str
    threads: int = 1

    @property
    def image_count(self) -> int:
        """How many pictures the job makes: none."""
        return 0

    def size_of(self, index: int) -> tuple[int, int]:
        """Return the size of the picture that is looked at."""
        return self.picture.width, self.picture.height


def _told(resolved: ResolvedInterrogate) -> dict[str, Any]:
    return {
        "captioner": resolved.captioner,
        "width": resolved.picture.width,
        "height": resolved.picture.height,
        "version": resolved.version,
    }


INTERROGATE = Kind(
    request=InterrogateRequest,
    resolved=ResolvedInterrogate,
    picture=lambda resolved, index: {},
    infotext=lambda resolved, index: {},
    told=_told,
    told_fields=frozenset({"image", "model"}),
    inputs=("image",),
)
