"""Name the folders, the seeds and the shapes that every stage of the training shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = Path(__file__).resolve().parent
WORK = ROOT / "work"
NPM = WORK / "npm"
CAPTIONS = WORK / "captions.json"
PICTURES = WORK / "pictures.npy"
LATENTS = WORK / "latents.pt"
TOKENIZER = WORK / "tokenizer"
AUTOENCODER = WORK / "autoencoder.pt"
DENOISER = WORK / "denoiser.pt"
MODEL = ROOT.parent / "models" / "Stable-diffusion" / "emoji"

SEED = 20240917
PICTURE_SIZE = 128
LATENT_CHANNELS = 8
LATENT_SIZE = PICTURE_SIZE // 8
TOKENS = 77
TEXT_WIDTH = 192
WORKERS = 2


def build_autoencoder() -> AutoencoderTiny:
    """Make the autoencoder: 3 x 128 x 128 pictures in -1..1 to 8 x 16 x 16 latents and back.

    Nearly all blocks sit at the two coarsest levels, where they cost little: decoding takes about 15 ms on two cores.
    """
    return AutoencoderTiny(
        encoder_block_out_channels=(48, 48, 48, 48),
        decoder_block_out_channels=(48, 48, 48, 48),
        num_encoder_blocks=(0, 1, 3, 4),
        num_decoder_blocks=(5, 4, 1, 0),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )


def build_unet() -> UNet2DConditionModel:
    """Make the denoiser: three levels of 48, 96 and 192 channels, text read by cross-attention at the lower two."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(48, 96, 192),
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=(2, 3, 6),
        cross_attention_dim=TEXT_WIDTH,
    )


def build_text_encoder(vocabulary: int, begin: int, end: int) -> CLIPTextModel:
    """Make the text encoder, a two-layer CLIP text model trained together with the denoiser."""
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=6,
        max_position_embeddings=TOKENS,
        projection_dim=TEXT_WIDTH,
        bos_token_id=begin,
        eos_token_id=end,
        pad_token_id=end,
    )
    return CLIPTextModel(config)


def read_captions() -> list[dict[str, Any]]:
    """Read what stage 02 wrote: one entry a picture, in the order of the picture array."""
    entries: list[dict[str, Any]] = json.loads(CAPTIONS.read_text(encoding="utf-8"))
    return entries


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a stop at any moment leaves the old or the new one, never half of one."""
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)
