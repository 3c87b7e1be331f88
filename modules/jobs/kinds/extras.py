"""extras: pictures made larger, and faces on them mended; A1111's `extra-single-image` and `extra-batch-images`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import Enlarging
from modules.jobs.kinds.choice import ChosenFile
from modules.jobs.kinds.drawing_request import source_of
from modules.jobs.kinds.extras_values import (
    MendedFaces,
    ResolvedExtras,
    enlarged_size,
    in_infotext,
    in_picture,
    told_of,
)  # fmt: skip
from modules.jobs.kinds.folder_pictures import FolderPicture, list_pictures
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.starts import Input, Pictures
from modules.jobs.latent_upscaling import NO_UPSCALER
from modules.jobs.lenient import fault, is_blank, real_number, show, switch, text, whole_number
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.vae_file import stamp_of_file
from modules.jobs.version import VERSION
from modules.options import Settings
from modules.setting_field import LONGEST_TEXT

LONGEST_SIDE = 16_384
MOST_PIXELS = 12_288 * 12_288
TIMES_HIGHEST = 16
MOST_PICTURES = 1000
FACES = ("GFPGAN", "CodeFormer")  # in A1111's order
_PATH_LONGEST = 4096


def _check_pictures(value: Any) -> list[str]:
    """Return the names of pictures: of texts, or of A1111's objects with `data`."""
    if is_blank(value):
        return []
    if not isinstance(value, list) or len(value) > MOST_PICTURES:
        raise fault(f"{show(value)} is no list of at most {MOST_PICTURES:,} pictures: send some, or leave it out.")
    names = [one.get("data") if isinstance(one, Mapping) else one for one in value]
    if not all(isinstance(name, str) and name for name in names):
        raise fault("A picture of the list is empty: send each as base64.")
    return [str(name) for name in names]


_Visibility = Annotated[float, BeforeValidator(real_number("Visibility", 0, 1, 0.0))]
_Upscaler = Annotated[str, BeforeValidator(text("Upscaler", LONGEST_TEXT))]
_Side = Annotated[int, BeforeValidator(whole_number("Size", 1, LONGEST_SIDE, 512))]
_Pictures = Annotated[list[str], BeforeValidator(_check_pictures)]


class ExtrasRequest(JobRequest):
    """Pictures that are enlarged, and whose faces are mended: `image`, or `images`, or all of a folder.

    Keys that are not known are ignored, as A1111 does.
    """

    kind: ClassVar[str] = "extras"

    image: Annotated[str | None, BeforeValidator(lambda value: None if is_blank(value) else value)] = Field(
        None, description="A picture: base64, or the name of an input or the address of an output."
    )
    images: _Pictures = Field(default_factory=list, description="Several pictures, as image.")
    imageList: _Pictures = Field(  # noqa: N815  (as A1111 has it)
        default_factory=list, description="Several pictures, each an object with data and name."
    )
    input_dir: Annotated[str, BeforeValidator(text("Folder", _PATH_LONGEST))] = Field(
        "", description="A folder of this machine, all pictures of which are meant."
    )
    resize_mode: Annotated[int, BeforeValidator(whole_number("Resize mode", 0, 1, 0))] = Field(
        0, description="0: by upscaling_resize; 1: to upscaling_resize_w and upscaling_resize_h."
    )
    show_extras_results: Annotated[bool, BeforeValidator(switch("show_extras_results", True))] = True
    upscaling_resize: Annotated[float, BeforeValidator(real_number("Resize", 0.05, TIMES_HIGHEST, 2.0))] = 2.0
    upscaling_resize_w: _Side = 512
    upscaling_resize_h: _Side = 512
    upscaling_crop: Annotated[bool, BeforeValidator(switch("upscaling_crop", True))] = True
    upscaler_1: _Upscaler = NO_UPSCALER
    upscaler_2: _Upscaler = NO_UPSCALER
    extras_upscaler_2_visibility: _Visibility = 0.0
    upscale_first: Annotated[bool, BeforeValidator(switch("upscale_first", False))] = Field(
        False, description="Enlarge before faces are mended, not after it."
    )
    gfpgan_visibility: _Visibility = 0.0
    codeformer_visibility: _Visibility = 0.0
    codeformer_weight: _Visibility = 0.0

    @model_validator(mode="after")
    def _check_that_there_is_a_picture(self) -> Self:
        if not (self.names or self.input_dir):
            made = fault("There is no picture: send image, images, or input_dir.")
            assert made.context is not None
            made.context["field"] = "image"
            raise made
        return self

    @property
    def names(self) -> list[str]:
        """The names of the inputs that it is for; none where it is for a folder."""
        return [] if self.input_dir else self.images or self.imageList or ([self.image] if self.image else [])

    @property
    def image_count(self) -> int:
        """How many pictures the job makes; of a folder that is known later."""
        return len(self.names)

    @property
    def by(self) -> float | None:
        """How many times larger pictures become; None: they get a size."""
        return self.upscaling_resize if self.resize_mode == 0 else None

    def chosen(self, catalogue: CheckpointCatalogue, settings: Settings) -> ExtrasChoice:
        """Return the files that it takes, and the pictures of its folder, for its row to keep."""
        upscalers = []
        for name, wished in (("upscaler_1", self.upscaler_1), ("upscaler_2", self.upscaler_2)):
            second = name == "upscaler_2"
            if (second and self.extras_upscaler_2_visibility == 0) or wished.strip() in ("", NO_UPSCALER):
                continue
            try:
                found = catalogue.upscalers.find(wished)
                found.check_usable()
            except (InvalidRequest, ModelError) as error:
                raise InvalidRequest(str(error), name) from error
            upscalers.append(ChosenUpscaler(name=found.name, file=_chosen(found.file)))
        faces = tuple(_find_faces(name, catalogue) for name in FACES if self.visibility_of(name) > 0)
        folder = list_pictures(self.input_dir, "input_dir") if self.input_dir else ()
        for one in folder:
            self.check_size(one.width, one.height, bool(upscalers), "input_dir", f"{one.name} ")
        return ExtrasChoice(upscalers=tuple(upscalers), faces=faces, folder=folder)

    def visibility_of(self, restorer: str) -> float:
        """Return how much of a face that is mended shows, 0 to 1."""
        return self.codeformer_visibility if restorer == "CodeFormer" else self.gfpgan_visibility

    def check_size(self, width: int, height: int, enlarged: bool, field: str, what: str = "The picture ") -> None:
        """Check that what becomes of a picture of this size is not too large.

        Raises:
            InvalidRequest: it is; the message has the remedy.
        """
        size = enlarged_size(width, height, enlarged, self.by, self.upscaling_resize_w, self.upscaling_resize_h)
        if max(size) > LONGEST_SIDE or size[0] * size[1] > MOST_PIXELS:
            raise InvalidRequest(
                f"{what}of {width}x{height} would become {size[0]}x{size[1]}, and at most {LONGEST_SIDE:,} a side and "
                f"{MOST_PIXELS / 1e6:.0f} million pixels are made: resize it less.",
                "upscaling_resize" if self.by is not None else "upscaling_resize_w",
            )

    def check_inputs(self, pictures: Pictures) -> None:
        """Check that what becomes of each picture is not too large.

        Raises:
            InvalidRequest: one would be; with the field.
            InputGone: one is not there any more.
        """
        enlarged = self.upscaler_1.strip() not in ("", NO_UPSCALER) or self.extras_upscaler_2_visibility > 0
        for name in self.names:
            found = pictures.find(name)
            self.check_size(found.width, found.height, enlarged, "image")

    def resolve(
        self,
        models: ExtrasModels,
        settings: Settings,
        find_input: Callable[[str], Input],
        threads: int,
        environment: dict[str, str] | None = None,
    ) -> ResolvedExtras:
        """Close everything that the request leaves open.

        Raises:
            InputGone: a picture is not there any more.
            InvalidRequest: what becomes of one is too large.
            ValueError: a file has no hash yet.
        """
        enlarging = tuple(
            Enlarging(upscaler=name, model=None if file is None else source_of(file)) for name, file in models.upscalers
        )
        inputs: tuple[Input | FolderPicture, ...] = models.folder or tuple(find_input(name) for name in self.names)
        for one in inputs:
            self.check_size(one.width, one.height, bool(enlarging), "image")
        return ResolvedExtras(
            kind=self.kind,
            version=VERSION,
            saving=self.saving(self.settings_over(settings)),
            environment=environment,
            pictures=inputs,
            enlarging=enlarging,
            second_visibility=self.extras_upscaler_2_visibility if len(enlarging) > 1 else 0.0,
            upscale_by=self.by,
            width=self.upscaling_resize_w,
            height=self.upscaling_resize_h,
            crop=self.upscaling_crop,
            upscale_first=self.upscale_first,
            faces=tuple(
                MendedFaces(
                    restorer=name,
                    model=source_of(file),
                    detector=source_of(detector),
                    visibility=self.visibility_of(name),
                    weight=self.codeformer_weight if name == "CodeFormer" else 0.0,
                )
                for name, file, detector in models.faces
            ),
            tile=settings.ESRGAN_tile,
            tile_overlap=settings.ESRGAN_tile_overlap,
            threads=threads,
        )


class ChosenUpscaler(Frozen):
    """An upscaler by its name, and its file, None for a plain one."""

    name: str
    file: ChosenFile | None = None


class ChosenFaces(Frozen):
    """What mends faces: the restorer's name, its file, and the one that finds them."""

    name: str
    file: ChosenFile
    detector: ChosenFile


class ExtrasChoice(Frozen):
    """What was chosen when the job was sent, as a row holds it."""

    upscalers: tuple[ChosenUpscaler, ...] = ()
    faces: tuple[ChosenFaces, ...] = ()
    folder: tuple[FolderPicture, ...] = ()


@dataclass(frozen=True)
class ExtrasModels:
    """The files of a job as they are on disk, hashed: upscalers by name, restorers with what finds faces for them."""

    upscalers: tuple[tuple[str, ModelFile | None], ...] = ()
    faces: tuple[tuple[str, ModelFile, ModelFile], ...] = ()
    folder: tuple[FolderPicture, ...] = field(default=())


def _find_faces(name: str, catalogue: CheckpointCatalogue) -> ChosenFaces:
    at = "codeformer_visibility" if name == "CodeFormer" else "gfpgan_visibility"
    found = catalogue.face_restorers.find(name)
    try:
        found.check_usable()
    except ModelError as error:
        raise InvalidRequest(f"{error} Else send 0 ({at}).", at) from error
    file, detector = _chosen(found.file), _chosen(found.detector)
    assert file is not None and detector is not None
    return ChosenFaces(name=name, file=file, detector=detector)


def _chosen(file: ModelFile | None) -> ChosenFile | None:
    return None if file is None else ChosenFile(name=file.name, hash=file.sha256, stamp=stamp_of_file(file.path))


EXTRAS = Kind(
    request=ExtrasRequest,
    resolved=ResolvedExtras,
    picture=in_picture,
    infotext=in_infotext,
    told=told_of,
    told_fields=frozenset(ExtrasRequest.model_fields) - {"input_dir"},
    inputs=("image", "images", "imageList"),
    folders=("input_dir",),
)
