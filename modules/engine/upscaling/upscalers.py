"""Make pictures larger: plainly, or by an upscaler, tile by tile, and stopped between two of its layers."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from modules.engine.models.devices import Device
from modules.engine.models.model_cache import ModelCache, free_memory
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.upscaling.kept_networks import KeptNetworks
from modules.engine.upscaling.network import UpscalerNetwork
from modules.engine.upscaling.seen_so_far import SeenSoFar
from modules.engine.upscaling.tiling import Mosaic, Tiling, lay_out
from modules.errors import ModelError
from modules.jobs.kinds.base import Enlarging, Source
from modules.jobs.latent_upscaling import NO_UPSCALER, PIXEL_UPSCALERS
from modules.jobs.models.upscalers import UpscalerCatalogue

logger = logging.getLogger(__name__)

# What an upscaler makes may be so much larger than what is asked for, in pixels, before it is shown a smaller picture.
_TIMES_TOO_LARGE = 4
_NEVER_TOO_LARGE = 128_000_000
_MOST_RUNS = 13  # enough for 1 pixel to 8192 by twos
_SMALLEST_TILE = 32
_LONGEST_SEEN = 512
_DEFAULT_TILING = Tiling()

Size = tuple[int, int]


class Upscalers:
    """Enlarges pictures. On the thread that draws."""

    def __init__(self, device: Device, cancel: Cancel, catalogue: UpscalerCatalogue, model_cache: ModelCache) -> None:
        self._device = device
        self._cancel = cancel
        self._kept = KeptNetworks(device, cancel, catalogue, model_cache)
        model_cache.kept_beside.append(self.forget)

    @property
    def keys(self) -> frozenset[str]:
        """Which upscalers are in memory, by hash."""
        return self._kept.keys

    def forget(self) -> None:
        """Give back the memory of the upscalers that are kept."""
        self._kept.forget()

    def enlarge(
        self,
        name: str,
        source: Source | None,
        picture: Image.Image,
        size: Size,
        progress: Callable[[float], None],
        *,
        tiling: Tiling = _DEFAULT_TILING,
        seen: Callable[[Image.Image], None] | None = None,
    ) -> Image.Image:
        """Return a picture at another size, (width, height), as RGB, or RGBA where it has transparent parts.

        `source` is the upscaler's file, None for a plain one. It runs as often as is needed, and what is too large then
        is shrunk, as A1111 does; an upscaler of scale 1 runs once. `progress` gets 0..1; `seen`, after each tile, a
        small picture of how far it is. What is transparent is enlarged plainly.

        Raises:
            Interrupted: the job was stopped.
            ModelError: the upscaler is gone, was changed, or is none.
        """
        self._cancel.check()
        alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA", "PA") else None
        if alpha is None and "transparency" in picture.info:
            picture = picture.convert("RGBA")
            alpha = picture.getchannel("A")
        opaque = picture.convert("RGB")
        if source is None:
            if name not in (NO_UPSCALER, *PIXEL_UPSCALERS):
                raise ModelError(f"The upscaler {name} needs a file, which this job does not name: submit it again.")
            how = Image.Resampling.NEAREST if name == "Nearest" else Image.Resampling.LANCZOS
            made = self._resized(opaque, size, how)
        else:
            how = Image.Resampling.LANCZOS
            made = self._by_network(self._kept.get(source), opaque, size, progress, tiling, seen)
        if alpha is not None:
            made.putalpha(self._resized(alpha, size, how))
        progress(1.0)
        return made

    def enlarge_by(self, how: Enlarging, picture: Image.Image, size: Size) -> Image.Image:
        """Return a picture at another size, as `enlarge` does, by what a job says."""
        tiling = Tiling(how.tile, how.tile_overlap)
        return self.enlarge(how.upscaler, how.model, picture, size, lambda _fraction: None, tiling=tiling)

    def _by_network(
        self,
        network: UpscalerNetwork,
        picture: Image.Image,
        size: Size,
        progress: Callable[[float], None],
        tiling: Tiling,
        seen: Callable[[Image.Image], None] | None,
    ) -> Image.Image:
        begun = 0.0
        # Later runs are over more pixels, and take as much longer.
        works = _works(picture.size, size, network.scale)
        for number, (shown, work) in enumerate(works):
            if shown != picture.size:
                picture = self._resized(picture, shown, Image.Resampling.LANCZOS)
            share = work / sum(one for _shown, one in works)

            def on_tile(fraction: float, begun: float = begun, share: float = share) -> None:
                progress(begun + fraction * share)

            picture = self._one_run(network, picture, on_tile, tiling, seen)
            begun += share
            logger.debug("Run %d of %d by %s: %s", number + 1, len(works), network.path.name, picture.size)
        return self._resized(picture, size, Image.Resampling.LANCZOS)

    def _one_run(
        self,
        network: UpscalerNetwork,
        picture: Image.Image,
        progress: Callable[[float], None],
        tiling: Tiling,
        seen: Callable[[Image.Image], None] | None,
    ) -> Image.Image:
        """Return the picture as many times larger as the network makes it; with less memory in smaller tiles."""
        if tiling.side <= 0:
            tiling = Tiling(max(picture.size), 0)
        while True:
            try:
                return self._tile_by_tile(network, picture, progress, tiling, seen)
            except Exception as error:
                smaller = tiling.halved(_SMALLEST_TILE) if is_out_of_memory(error) else None
                if smaller is None:
                    raise
                logger.warning("Memory ran out with tiles of %d pixels: tried again with half", tiling.side)
                tiling = smaller
            free_memory(self._device)

    def _tile_by_tile(
        self,
        network: UpscalerNetwork,
        picture: Image.Image,
        progress: Callable[[float], None],
        tiling: Tiling,
        seen: Callable[[Image.Image], None] | None,
    ) -> Image.Image:
        pixels = np.asarray(picture)
        layout = lay_out(*picture.size, tiling, network.multiple)
        mosaic = Mosaic(layout, network.scale)
        so_far = SeenSoFar(picture, _LONGEST_SEEN) if seen is not None else None
        for number, (column, row) in enumerate(layout):
            self._cancel.check()
            tile = network.enlarge(pixels[row.start : row.end, column.start : column.end])
            if tile.shape[:2] != (row.length * network.scale, column.length * network.scale):
                raise ModelError(f"{network.path.name} gave a tile of another size than its own: use another upscaler.")
            mosaic.add(tile)
            progress((number + 1) / len(layout))
            if seen is not None and so_far is not None:
                so_far.add(column, row, tile)
                seen(so_far.picture)
        return Image.fromarray(mosaic.picture)

    def _resized(self, picture: Image.Image, size: Size, how: Image.Resampling) -> Image.Image:
        """Return a picture at another size; seconds for a large one, and nothing in it can be stopped."""
        if picture.size == size:
            return picture
        return wait_for(lambda: picture.resize(size, how), self._cancel.check_waiting)


def _works(have: Size, want: Size, scale: int) -> list[tuple[Size, int]]:
    """Return at which size a picture is shown to a network in each of its runs, and how many pixels that are.

    It runs once where it makes nothing larger, and not at all where the picture is large enough already. What comes out
    of it is not let grow far beyond what is wanted: then it is shown less.
    """
    if scale == 1:
        return [(have, have[0] * have[1])]
    most = max(_TIMES_TOO_LARGE * want[0] * want[1], _NEVER_TOO_LARGE)
    works = []
    while have[0] < want[0] or have[1] < want[1]:
        if have[0] * have[1] * scale**2 > most:
            share = math.sqrt(most / (have[0] * have[1] * scale**2))
            have = (max(1, int(have[0] * share)), max(1, int(have[1] * share)))
        works.append((have, have[0] * have[1]))
        grown = (have[0] * scale, have[1] * scale)
        if grown[0] <= have[0] or len(works) >= _MOST_RUNS:
            break
        have = grown
    return works
