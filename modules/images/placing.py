"""Where a picture that is being drawn belongs: a region of a larger one, in which it is shown."""

from __future__ import annotations

from PIL import Image

from modules.images.masks import Box
from modules.images.resizing import resized


class Placing:
    """A region, `box` (left, top, right, bottom), of `whole`, drawn as far as `over`, a mask of it, lets it through.

    For one thread. What it is shown on is made smaller once for each size.
    """

    def __init__(self, whole: Image.Image, over: Image.Image, box: Box) -> None:
        self._whole, self._over, self._box = whole, over, box
        self._small: tuple[Image.Image, Image.Image] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        return self._whole.size

    def region_in(self, size: tuple[int, int]) -> Box:
        """Return where the region is when the whole picture has this size; at least one pixel large."""
        across, down = size[0] / self._whole.width, size[1] / self._whole.height
        left, top, right, bottom = self._box
        left, top = min(int(left * across), size[0] - 1), min(int(top * down), size[1] - 1)
        return left, top, max(round(right * across), left + 1), max(round(bottom * down), top + 1)

    def shown(self, region: Image.Image, size: tuple[int, int]) -> Image.Image:
        """Return the whole picture in a size, with what is drawn of the region in its place."""
        if self._small is None or self._small[0].size != size:
            whole, over = (one.resize(size, Image.Resampling.BICUBIC) for one in (self._whole, self._over))
            self._small = whole, over
        whole, over = self._small
        left, top, right, bottom = self.region_in(size)
        drawn = whole.copy()
        drawn.paste(resized(region, (right - left, bottom - top)), (left, top))
        return Image.composite(drawn, whole, over)
