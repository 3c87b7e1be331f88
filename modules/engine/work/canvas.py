"""One picture that a job begins with: what is drawn of it, through which mask, and how that gets back onto it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageChops

from modules.errors import InvalidRequest
from modules.images.masks import Box, blurred, drawn_mask, filled, region_of
from modules.images.outpainting import grown, grown_mask, mask_of_sides
from modules.images.pasting import pasted, with_colours_of
from modules.images.resizing import Mode, Stretch, flattened, plainly, resized
from modules.jobs.kinds.starts import Input, Mask, Outpaint, Start

Open = Callable[[Input], Image.Image]
Size = tuple[int, int]


@dataclass(frozen=True)
class Canvas:
    """A picture as a pass begins with it. All are RGB, masks "L".

    `drawn` is what is encoded: as large as the pass draws, or in its own size where the latents are made to fit.
    Without a `mask` all of it is drawn anew, and the rest is None. `mask`, as large as the pass draws, tells what is.
    What was drawn is put onto `whole`, as far as `over`, as large as that, lets it through: at `box`, (left, top,
    right, bottom), or all over it. `like`: its colours become those of this picture.
    """

    drawn: Image.Image
    size: Size
    whole: Image.Image | None = None
    mask: Image.Image | None = None
    over: Image.Image | None = None
    box: Box | None = None
    like: Image.Image | None = None

    def finished(self, picture: Image.Image, shows: Image.Image | None = None) -> Image.Image:
        """Return the finished picture, of what was drawn. `shows`, as large as that, takes the place of `over`.

        Where the mask is black every pixel is that of the picture that it began with.
        """
        if self.like is not None:
            picture = with_colours_of(picture, self.like)
        if self.whole is None or self.over is None:
            return picture
        over = self.over if shows is None else _placed(shows, self.whole.size, self.box)
        return pasted(self.whole, picture, over, self.box)


def canvas_of(start: Start, index: int, size: Size, seed: int, open_input: Open, stretch: Stretch = plainly) -> Canvas:
    """Return what the picture of a job with this index begins with, for a pass that draws `size`, (width, height).

    `seed` is its own, which decides the noise that it may grow by. `stretch` is how its size becomes another one.

    Raises:
        InvalidRequest: the mask covers nothing.
        SteadyError: the picture or the mask is gone.
    """
    picture = picture_of(start, index, open_input)
    masked = None if start.mask is None else _mask_of(start.mask, picture.size, open_input)
    over = hard = masked
    if start.outpaint is not None:
        if start.mask is None or start.mask.padding is None:
            picture, masked = _as_it_grew(picture, masked, start, size, stretch)
        sides = mask_of_sides(picture.size, start.outpaint)
        picture = grown(picture, start.outpaint, seed)
        if masked is not None:
            masked = grown_mask(masked, start.outpaint)
        over = _either(_blurred(masked, start.mask), sides)
        hard = _either(_blurred(masked, start.mask), sides.point([0] + [255] * 255))
    elif masked is not None:
        over = hard = _blurred(masked, start.mask)
    if over is None or hard is None:
        return _without_mask(start, picture, size, stretch)
    if over.getbbox() is None:
        raise InvalidRequest("The mask covers nothing: paint over what is to be drawn anew, or use none.", "mask")
    return _with_mask(start, picture, hard, over, size, stretch)


def picture_of(start: Start, index: int, open_input: Open) -> Image.Image:
    """Return the picture that the one of a job with this index begins with: RGB, as it is, on its background.

    Raises:
        SteadyError: it is gone.
    """
    return flattened(open_input(start.picture_of(index)), start.background)


def _as_it_grew(
    picture: Image.Image, masked: Image.Image | None, start: Start, size: Size, stretch: Stretch
) -> tuple[Image.Image, Image.Image | None]:
    """Return a picture and its mask in the size that grows to that of the pass: of several, the first one has it."""
    sides = start.outpaint or Outpaint()
    before = max(size[0] - sides.left - sides.right, 1), max(size[1] - sides.top - sides.bottom, 1)
    mode = _mode(start)
    return resized(picture, before, mode, stretch), None if masked is None else resized(masked, before, mode)


def _without_mask(start: Start, picture: Image.Image, size: Size, stretch: Stretch) -> Canvas:
    if start.resize_mode == "latent":
        return Canvas(picture, size, like=resized(picture, size) if start.color_correction else None)
    drawn = resized(picture, size, _mode(start), stretch)
    return Canvas(drawn, size, like=drawn if start.color_correction else None)


def _with_mask(
    start: Start, picture: Image.Image, hard: Image.Image, over: Image.Image, size: Size, stretch: Stretch
) -> Canvas:
    padding = None if start.mask is None else start.mask.padding
    if padding is not None:
        box = region_of(over, padding, size)
        whole, fitting = picture, resized(picture.crop(box), size, "fill", stretch)
        mask = resized(hard.crop(box), size, "fill")
    else:
        box, whole = None, resized(picture, size, _mode(start), stretch)
        fitting = whole
        mask, over = resized(hard, size, _mode(start)), resized(over, size, _mode(start))
        if start.mask is not None:
            # A1111 lets all show that is half drawn anew.
            over = over.point([min(2 * value, 255) for value in range(256)])
    like = fitting if start.color_correction else None
    drawn, under = fitting, mask
    if padding is None and start.resize_mode == "latent":
        drawn, under = picture, hard  # Its latents are made to fit.
    if start.mask is not None and start.mask.content != "original":
        drawn = filled(drawn, under)
    return Canvas(drawn, size, whole, mask, over, box, like)


def _mode(start: Start) -> Mode:
    return "stretch" if start.resize_mode == "latent" else start.resize_mode


def _mask_of(mask: Mask, size: Size, open_input: Open) -> Image.Image:
    """Return a mask as large as its picture, before it is blurred."""
    told = open_input(mask.picture)
    if told.size != size:
        told = told.resize(size, Image.Resampling.BILINEAR)
    return drawn_mask(told, mask.inverted, mask.rounded and mask.soft is None)


def _blurred(masked: Image.Image | None, mask: Mask | None) -> Image.Image | None:
    return masked if masked is None or mask is None else blurred(masked, mask.blur_x, mask.blur_y)


def _either(mask: Image.Image | None, other: Image.Image) -> Image.Image:
    return other if mask is None else ImageChops.lighter(mask, other)


def _placed(mask: Image.Image, size: Size, box: Box | None) -> Image.Image:
    """Return a mask of the region as one of the whole picture: black around it."""
    if box is None:
        return mask
    whole = Image.new("L", size)
    whole.paste(resized(mask, (box[2] - box[0], box[3] - box[1])), box[:2])
    return whole
