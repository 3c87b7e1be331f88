"""What a job keeps of an upscaler that was chosen for it."""

from __future__ import annotations

from modules.jobs.kinds.base import Enlarging
from modules.jobs.kinds.drawing_request import source_of
from modules.jobs.models.upscalers import Upscaler
from modules.options import Settings


def enlarging_by(upscaler: Upscaler, settings: Settings, extra_noise: float = 0.0) -> Enlarging:
    """Return how pictures are enlarged by an upscaler, whose file is hashed."""
    return Enlarging(
        upscaler=upscaler.name,
        model=None if upscaler.file is None else source_of(upscaler.file),
        tile=settings.ESRGAN_tile,
        tile_overlap=settings.ESRGAN_tile_overlap,
        extra_noise=extra_noise,
    )
