"""Flow-matching models of a few kilobytes with random weights, and words that no text encoder has read."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
)
from torch import nn

from modules.engine.families.base import Family
from modules.engine.families.known import FAMILIES
from modules.engine.models.loaded_model import LoadedModel, ModelKey

HEADS = {"attention_head_dim": 16, "num_attention_heads": 2, "joint_attention_dim": 16}


def stable_diffusion_3() -> LoadedModel:
    torch.manual_seed(0)
    transformer = SD3Transformer2DModel(
        **HEADS, sample_size=16, in_channels=4, out_channels=4, num_layers=2, caption_projection_dim=32,
        pooled_projection_dim=32, patch_size=2,
    )  # fmt: skip
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)

    def encode_prompt(prompt: str, negative_prompt: str, num_images_per_prompt: int, **_more: Any) -> Any:
        sizes = ((7, 16), (7, 16), (32,), (32,))
        texts = (prompt, negative_prompt) * 2
        return [
            torch.cat([embedded(text, *size)] * num_images_per_prompt) for text, size in zip(texts, sizes, strict=True)
        ]

    return _loaded(FAMILIES["sd3"], encode_prompt, scheduler=scheduler, vae=_vae(), transformer=transformer)


def flux() -> LoadedModel:
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        **HEADS, in_channels=16, num_layers=1, num_single_layers=1, pooled_projection_dim=16, axes_dims_rope=(4, 4, 8)
    )
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)

    def encode_prompt(prompt: str, num_images_per_prompt: int, **_more: Any) -> Any:
        both = (torch.cat([embedded(prompt, *size)] * num_images_per_prompt) for size in ((7, 16), (16,)))
        return *both, torch.zeros(7, 3)

    return _loaded(FAMILIES["flux"], encode_prompt, scheduler=scheduler, vae=_vae(), transformer=transformer)


def embedded(text: str, *shape: int) -> torch.Tensor:
    """Stand for a text encoder."""
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(sum(text.encode())))


def _vae() -> AutoencoderKL:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    scaled = {"scaling_factor": 1.53, "shift_factor": 0.06}
    return AutoencoderKL(block_out_channels=(8, 8, 8, 8), latent_channels=4, norm_num_groups=4, **blocks, **scaled)


def _loaded(family: Family, encode_prompt: Any, **parts: Any) -> LoadedModel:
    names = DiffusionPipeline._get_signature_keys(family.pipeline)[0]
    pipeline = family.pipeline(**dict.fromkeys(names) | parts)
    for part in pipeline.components.values():
        if isinstance(part, nn.Module):
            part.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.encode_prompt = encode_prompt
    return LoadedModel(ModelKey(Path(family.name), "x", "float32"), family, pipeline, None)
