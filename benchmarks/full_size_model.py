"""A Stable Diffusion 1.5 of full size with random weights, in bfloat16: draws noise as slowly as the real one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from tests.program import ROOT

TOKENIZER = ROOT / "models" / "Stable-diffusion" / "emoji" / "tokenizer"
UNET = {
    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768,
    "attention_head_dim": 8, "layers_per_block": 2,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}  # fmt: skip
VAE = {
    "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4, "sample_size": 512,
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
}  # fmt: skip
SCHEDULER = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1,
    "skip_prk_steps": True, "set_alpha_to_one": False,
}  # fmt: skip


def build(folder: Path) -> Path:
    """Write the model, 2.1 GB, in diffusers layout to `folder` and return it."""
    torch.manual_seed(0)
    tokenizer = json.loads((TOKENIZER / "tokenizer_config.json").read_text())
    vocabulary = len(json.loads((TOKENIZER / "vocab.json").read_text()))
    text = CLIPTextConfig(
        vocab_size=max(49408, vocabulary), hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
        num_attention_heads=12, bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1,
    )  # fmt: skip
    with init_empty_weights():
        networks: dict[str, Any] = {
            "unet": UNet2DConditionModel(**UNET),
            "vae": AutoencoderKL(**VAE),
            "text_encoder": CLIPTextModel(text),
        }
    for name, network in networks.items():
        place = folder / name
        place.mkdir(parents=True)
        weights = {key: _random(tensor) for key, tensor in network.state_dict().items()}
        file = "model.safetensors" if name == "text_encoder" else "diffusion_pytorch_model.safetensors"
        save_file(weights, place / file, metadata={"format": "pt"})
        _save_config(network, place)
    PNDMScheduler(**SCHEDULER).save_pretrained(folder / "scheduler")
    shutil.copytree(TOKENIZER, folder / "tokenizer")
    index = {
        "_class_name": "StableDiffusionPipeline", "safety_checker": [None, None], "feature_extractor": [None, None],
        "requires_safety_checker": False, "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", tokenizer.get("tokenizer_class", "CLIPTokenizer")],
        "scheduler": ["diffusers", "PNDMScheduler"],
    }  # fmt: skip
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _random(tensor: torch.Tensor) -> torch.Tensor:
    """Return small numbers, so that the noise stays finite through all layers."""
    return torch.empty(tensor.shape, dtype=torch.bfloat16).normal_(std=0.02)


def _save_config(network: Any, place: Path) -> None:
    if hasattr(network, "save_config"):
        network.save_config(place)
    else:
        network.config.save_pretrained(place)
