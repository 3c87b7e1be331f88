"""A Stable Diffusion of a few kilobytes with random weights: draws noise in milliseconds, in the real layout."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel

from modules.paths import ROOT

TOKENIZER = ROOT / "models" / "Stable-diffusion" / "emoji" / "tokenizer"
LATENT_CHANNELS = 4

PLAIN = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 1, "clip_sample": False,
    "set_alpha_to_one": False,
}  # fmt: skip
TERMINAL_NOISE = PLAIN | {
    "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
}  # fmt: skip


def build(folder: Path, scheduler_config: dict[str, Any] = TERMINAL_NOISE, seed: int = 0) -> Path:
    """Write the model to `folder`, 64 pixels native, and return `folder`."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=LATENT_CHANNELS, out_channels=LATENT_CHANNELS, block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=8, layers_per_block=1, norm_num_groups=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4, sample_size=64,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=LATENT_CHANNELS, norm_num_groups=4,
    )  # fmt: skip
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet,
        scheduler=DDIMScheduler(**scheduler_config), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    shutil.copytree(TOKENIZER, folder / "tokenizer", dirs_exist_ok=True)
    (folder / "defaults.json").write_text(json.dumps({"steps": 4, "cfg_scale": 3.0, "sampler_name": "Euler"}))
    return folder
