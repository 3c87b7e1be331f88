"""Models of other families with random weights, for benchmarks: tiny ones, and a Flux as large as an SD 1.5."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxPipeline, FluxTransformer2DModel

from benchmarks.full_size_model import VAE
from tests.engine.tiny_models import named
from tests.engine.tiny_models.parts import WIDTH, clip, t5, tokenizer

# 0.8 billion numbers.
_FLUX = {
    "attention_head_dim": 128, "num_attention_heads": 10, "joint_attention_dim": WIDTH, "pooled_projection_dim": WIDTH,
    "num_layers": 5, "num_single_layers": 20, "in_channels": 64,
}  # fmt: skip


def build_tiny_sdxl(folder: Path) -> None:
    """Write an SDXL of a few layers to `folder`."""
    named.seeded(named.stable_diffusion_xl).save_pretrained(folder)


def build_tiny_flux(folder: Path) -> None:
    """Write a Flux of a few layers to `folder`."""
    named.seeded(named.flux).save_pretrained(folder)


def build_flux(folder: Path) -> None:
    """Write a Flux of 0.8 billion numbers to `folder`, in bfloat16, with text encoders of a few kilobytes: 1.9 GB."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        transformer = FluxTransformer2DModel(guidance_embeds=True, **_FLUX)
    finally:
        torch.set_default_dtype(before)
    vae = AutoencoderKL(
        **{**VAE, "latent_channels": 16}, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
        use_post_quant_conv=False,
    ).to(torch.bfloat16)  # fmt: skip
    FluxPipeline(
        scheduler=named.flow(use_dynamic_shifting=True), vae=vae, text_encoder=clip(), tokenizer=tokenizer(),
        text_encoder_2=t5(), tokenizer_2=tokenizer(), transformer=transformer,
    ).save_pretrained(folder)  # fmt: skip
