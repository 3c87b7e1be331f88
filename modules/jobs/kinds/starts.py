"""What a pass begins with in place of noise alone: pictures, and which part of them is drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from PIL import Image

from modules.jobs.kinds.frozen import Frozen


class Input(Frozen):
    """A picture that a job starts from: the name of its file among the inputs, and its size in pixels."""

    name: str
    width: int
    height: int


# Return an input by its name.
# Raises: InvalidRequest (it is no name), InputGone (it is not there any more).
FindInput = Callable[[str], Input]


class Pictures(Protocol):
    """The inputs, as far as a request is checked by them."""

    def find(self, name: str) -> Input:
        """Return an input by its name. Raises: InvalidRequest (it is no name), InputGone (it is not there any more)."""
        ...

    def open(self, picture: Input) -> Image.Image:
        """Return its pixels, RGB or RGBA. Raises: InputGone."""
        ...


def no_input(name: str) -> Input:
    """Stand for the inputs where there are none."""
    raise LookupError(f"There are no inputs to find {name} in")


ResizeMode = Literal["stretch", "crop", "fill", "latent"]
MaskedContent = Literal["fill", "original", "latent noise", "latent nothing"]
OutpaintFill = Literal["edge", "noise", "mirror"]


class SoftMask(Frozen):
    """Per-pixel strength, A1111's "soft inpainting", by its names; without it a pixel is drawn anew or kept."""

    schedule_bias: float
    preservation_strength: float
    transition_contrast: float
    mask_influence: float
    difference_threshold: float
    difference_contrast: float


class Mask(Frozen):
    """Which part of a picture is drawn anew: where `picture` is white, or with `inverted` where it is black.

    It is blurred by a Gauss of these standard deviations, in pixels of the picture that it lies on; `rounded` ones have
    no grey before that. `content` stands under it to begin with. `padding`: only the part of the picture that the mask
    covers, and so many pixels around it, is drawn, at the size of the pass, and put back; None: the whole picture.
    """

    picture: Input
    inverted: bool = False
    blur_x: float = 4
    blur_y: float = 4
    rounded: bool = True
    content: MaskedContent = "original"
    padding: int | None = None
    soft: SoftMask | None = None


class Outpaint(Frozen):
    """By how many pixels a picture grows on each side, and what stands there to begin with.

    `blend`: so many pixels of the picture beside the new ones are drawn anew too.
    """

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0
    fill: OutpaintFill = "edge"
    blend: int = 8


class Start(Frozen):
    """The pictures that a pass begins with, in place of noise alone: picture i of the job gets number i modulo theirs.

    `noise_multiplier` and `extra_noise` are A1111's. `background` is the colour under what is transparent. With
    `as_condition` the model is told of the picture, and begins with noise (instruct models). With `color_correction`
    the finished picture gets the colours of the one it began with. `hashes` are those of the pictures' pixels, MD5,
    where they are saved too.
    """

    pictures: tuple[Input, ...]
    resize_mode: ResizeMode = "stretch"
    noise_multiplier: float = 1.0
    extra_noise: float = 0.0
    background: str = "#ffffff"
    mask: Mask | None = None
    mask_weight: float = 1.0
    outpaint: Outpaint | None = None
    as_condition: bool = False
    color_correction: bool = False
    hashes: tuple[str, ...] = ()

    def picture_of(self, index: int) -> Input:
        """Return what the picture of the job with this index begins with."""
        return self.pictures[index % len(self.pictures)]

    def hash_of(self, index: int) -> str | None:
        """Return the hash of that picture; None: it is not saved."""
        return self.hashes[index % len(self.hashes)] if self.hashes else None
