"""Decoding in tiles: for pictures that are too large to be decoded whole, and to save memory."""

from __future__ import annotations

from typing import Any

# Above this many pixels decoders work in tiles: whole, a picture of 2048×2048 takes tens of gigabytes.
_WHOLE_AT_MOST_PIXELS = 1024 * 1024
# Sides of a tile in latents. Smaller ones would show.
_TILE = 64
_TILE_TO_SAVE_MEMORY = 32
_SMALLEST_TILE = 16


def can_tile(vae: Any, scale: int, size: tuple[int, int]) -> bool:
    """Tell whether a decoder can work in tiles, and a picture of `size` pixels is large enough for more than one.

    `scale` is how many pixels a latent has, in a row.
    """
    if not _has_tiles(vae, scale):
        return False
    return max(size) > (_SMALLEST_TILE * scale if _is_square(vae) else int(vae.tile_sample_min_height))


def choose_tiling(vae: Any, scale: int, size: tuple[int, int], save_memory: bool) -> None:
    """Let the decoder work in tiles if the picture is large, or in small ones to save memory; else whole."""
    if not _has_tiles(vae, scale):
        return
    if not save_memory and size[0] * size[1] <= _WHOLE_AT_MOST_PIXELS:
        vae.disable_tiling()
        return
    if _is_square(vae):
        tile = _TILE
        if save_memory:
            tile = min(_TILE_TO_SAVE_MEMORY, max(_SMALLEST_TILE, max(size) // scale // 2))
        vae.tile_latent_min_size, vae.tile_sample_min_size = tile, tile * scale
    vae.enable_tiling()


def _has_tiles(vae: Any, scale: int) -> bool:
    if scale <= 0 or not hasattr(vae, "use_tiling"):
        return False
    if not _is_square(vae) and not isinstance(getattr(vae, "tile_sample_min_height", None), int):
        return False
    # AutoencoderTiny takes the number of colours for that of its upsamplings.
    return bool(getattr(vae, "spatial_scale_factor", scale) == scale)


def _is_square(vae: Any) -> bool:
    """Tell whether its tiles are squares whose side is an attribute; others come with sizes of their own."""
    return hasattr(vae, "tile_latent_min_size")
