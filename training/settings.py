"""Name the folders, the seeds and the shapes that every stage of the training shares."""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = Path(__file__).resolve().parent
WORK = ROOT / "work"
NPM = WORK / "npm"
PICTURES = WORK / "pictures.npy"
PICTURE_LIST = WORK / "pictures.json"
CAPTIONS = WORK / "captions.json"
EVERYDAY_NAMES = WORK / "everyday_names.json"
POOL = WORK / "pool"
TOKENIZER = WORK / "tokenizer"
AUTOENCODER = WORK / "autoencoder.pt"
FINISHED_AUTOENCODER = ROOT / "autoencoder.safetensors"
DENOISER = WORK / "denoiser.pt"
JUDGE = WORK / "judge.pt"
SMALL_PICTURES = WORK / "pictures64.npy"
PREVIEW_DECODER = WORK / "preview_decoder"
EXPORT = WORK / "export"
MODEL = ROOT.parent / "models" / "Stable-diffusion" / "emoji"
UPSCALER = ROOT.parent / "models" / "ESRGAN" / "emoji-2x.safetensors"
LORA = ROOT.parent / "models" / "Lora" / "pixel-art.safetensors"
EMBEDDING = ROOT.parent / "models" / "embeddings" / "sprig.safetensors"

SEED = 20240917
FAVOURITES = frozenset((ROOT / "favourites.txt").read_text(encoding="utf-8").split("\n")) - {""}
STYLES = ("3d", "flat", "noto", "twemoji")
PICTURE_SIZE = 256
LATENT_CHANNELS = 16
LATENT_SIZE = PICTURE_SIZE // 16
TOKENS = 77
SHORT_TOKENS = 24
TEXT_WIDTH = 192
# What `taskset` leaves; elsewhere all cores.
WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
SKIN_TONES = ("1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff")


def plain(code: str) -> str:
    """Reduce a code point sequence to the form in which all sets agree: lower case, no FE0F, no padding."""
    parts = [part.lstrip("0") for part in re.split(r"[-_]", code.lower())]
    return "-".join(part for part in parts if part != "fe0f")


def is_toned(code: str) -> bool:
    """Tell whether a plain code names a form with a skin tone."""
    return any(tone in code for tone in SKIN_TONES)


def without_tone(code: str) -> str:
    """Return the plain code of the form without a skin tone."""
    return "-".join(part for part in code.split("-") if part not in SKIN_TONES)


def is_held_out(code: str) -> bool:
    """Tell whether the autoencoder must not see a picture; all skin tones and all sets of a thing go together."""
    return zlib.crc32(without_tone(code).encode()) % 40 == 0


def read_picture_list() -> list[dict[str, str]]:
    """Read `style` and `code` of every picture, in the order of the picture array."""
    pictures: list[dict[str, str]] = json.loads(PICTURE_LIST.read_text(encoding="utf-8"))
    return pictures


def build_autoencoder() -> AutoencoderTiny:
    """Make the autoencoder: 3 x 256 x 256 pictures in -1..1 to 16 x 16 x 16 latents and back.

    Most blocks sit at the three coarsest levels, where they cost little. Without those at 128 the way from features of
    64 x 64 to the picture would be linear, and edges would have rings.
    """
    return AutoencoderTiny(
        encoder_block_out_channels=(48,) * 5,
        decoder_block_out_channels=(48,) * 5,
        num_encoder_blocks=(0, 0, 2, 6, 6),
        num_decoder_blocks=(8, 6, 4, 3, 0),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )


def read_autoencoder_state() -> dict[str, Any]:
    """Return the autoencoder's checkpoint, else the finished one of the repository, else nothing.

    `model` is the state of `build_autoencoder`, `baked` tells whether latents have mean 0 and variance 1.
    """
    if AUTOENCODER.exists():
        state: dict[str, Any] = torch.load(AUTOENCODER, weights_only=True, map_location="cpu")
        return state
    if FINISHED_AUTOENCODER.exists():
        weights = load_file(FINISHED_AUTOENCODER)
        return {"model": {key: value.float() for key, value in weights.items()}, "baked": True}
    return {}


def load_autoencoder() -> AutoencoderTiny:
    """Return the autoencoder that latents are made with; the normalisation must be baked in."""
    state = read_autoencoder_state()
    if not state.get("baked"):
        raise SystemExit("The latents are not normalised yet: run `04_autoencoder.py bake` first.")
    model = build_autoencoder()
    model.load_state_dict(state["model"])
    return model.eval()


def build_unet() -> UNet2DConditionModel:
    """Make the denoiser: three levels of 64, 128 and 224 channels.

    It reads the text by cross-attention at the lower two, and all of it at once beside the timestep (as DeepFloyd's IF
    does): a small network would take its shapes from the noise for long otherwise.
    """
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(64, 128, 224),
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=(2, 4, 7),
        cross_attention_dim=TEXT_WIDTH,
        addition_embed_type="text",
        addition_embed_type_num_heads=6,
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
