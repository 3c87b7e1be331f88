"""Decoding in tiles, whatever the family: near the whole picture, and only where it is asked for or must be."""

from collections.abc import Callable

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderKLQwenImage, AutoencoderTiny

from modules.engine.families import vae_tiles
from modules.engine.families.vae_tiles import can_tile, choose_tiling
from modules.engine.models.loaded_model import LoadedModel
from tests.engine import flow


@pytest.mark.parametrize("make", [flow.stable_diffusion_3, flow.flux])
def test_every_family_decodes_in_tiles_to_save_memory(make: Callable[[], LoadedModel]) -> None:
    model = make()
    size = (256, 256)
    assert model.family.can_tile(model.pipeline, size) and not model.family.can_tile(model.pipeline, (64, 64))
    shape = (1, 4, 32, 32) if make is flow.stable_diffusion_3 else (1, 256, 16)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = model.family.decode(model.pipeline, latents, size, False)
        assert not model.pipeline.vae.use_tiling
        tiled = model.family.decode(model.pipeline, latents, size, True)
        assert model.pipeline.vae.use_tiling
        assert whole.size == tiled.size == size and whole.tobytes() != tiled.tobytes()
        assert model.family.decode(model.pipeline, latents, size, False).tobytes() == whole.tobytes()


def test_large_pictures_are_decoded_in_tiles_anyway() -> None:
    for vae in (AutoencoderKL(norm_num_groups=4, block_out_channels=(4,)), AutoencoderKLQwenImage(base_dim=4)):
        choose_tiling(vae, 8, (1024, 1024), save_memory=False)
        assert not vae.use_tiling
        choose_tiling(vae, 8, (1024, 1032), save_memory=False)
        assert vae.use_tiling
        choose_tiling(vae, 8, (64, 64), save_memory=False)
        assert not vae.use_tiling


def test_what_has_no_tiles_is_left_alone() -> None:
    small = AutoencoderTiny(encoder_block_out_channels=(4,) * 4, decoder_block_out_channels=(4,) * 4)
    for vae, scale in ((None, 8), (small, 4), (AutoencoderKL(norm_num_groups=4, block_out_channels=(4,)), 0)):
        assert not can_tile(vae, scale, (4096, 4096))
        choose_tiling(vae, scale, (4096, 4096), save_memory=True)
    assert vae_tiles._has_tiles(AutoencoderKLQwenImage(base_dim=4), 8)
