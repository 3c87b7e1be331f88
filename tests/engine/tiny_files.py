"""Tiny models with random weights, as folders in diffusers layout and as single files of the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from modules.engine.models.single_file.family_config import config_of
from modules.prompts.shipped_tokenizers import tokenizer_folder
from tests.engine import original_keys
from tests.engine.original_keys import state_of

WORDS = {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407, "vocab_size": 49408}


class Both(NamedTuple):
    """The same weights twice."""

    folder: Path
    file: Path


def clip(projection: bool = False, width: int = 64, act: str = "quick_gelu") -> Any:
    """Return a text encoder of CLIP, two layers of `width`, which is a multiple of 64."""
    config = CLIPTextConfig(
        **WORDS, hidden_size=width, intermediate_size=32, num_hidden_layers=2, num_attention_heads=width // 64,
        hidden_act=act, projection_dim=width,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)


def clip_tokenizer(**more: Any) -> Any:
    """Return CLIP's own."""
    return CLIPTokenizer.from_pretrained(str(tokenizer_folder("clip")), local_files_only=True, **more)


def autoencoder(**config: Any) -> AutoencoderKL:
    """Return an autoencoder of four levels."""
    return AutoencoderKL(
        block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, **config,
    )  # fmt: skip


def save_pipeline(pipeline: DiffusionPipeline, place: Path, name: str) -> Path:
    """Write a pipeline as a folder."""
    folder = place / f"{name} folder"
    pipeline.save_pretrained(folder)
    return folder


def sd1(place: Path, dtype: torch.dtype = torch.float32, in_channels: int = 4) -> Both:
    """Write a Stable Diffusion 1."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64, in_channels=in_channels, block_out_channels=(32, 64), cross_attention_dim=64,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    vae, text = autoencoder(latent_channels=4), clip()
    return _stable_diffusion(place, "sd1", dtype, unet, vae, text, PNDMScheduler, clip_tokenizer())


def sd2(place: Path, dtype: torch.dtype = torch.float32) -> Both:
    """Write a Stable Diffusion 2, whose text encoder is OpenCLIP's without its last layer."""
    torch.manual_seed(1)
    unet = UNet2DConditionModel(
        sample_size=64, block_out_channels=(64, 128), cross_attention_dim=128, use_linear_projection=True,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=(1, 2),
    )  # fmt: skip
    vae, text = autoencoder(latent_channels=4), clip(width=128, act="gelu")
    return _stable_diffusion(place, "sd2", dtype, unet, vae, text, DDIMScheduler, clip_tokenizer(pad_token="!"))


def _stable_diffusion(
    place: Path, name: str, dtype: torch.dtype, unet: Any, vae: Any, text: Any, scheduler: Any, tokenizer: Any
) -> Both:
    pipeline = StableDiffusionPipeline(
        unet=unet, vae=vae, text_encoder=text, tokenizer=tokenizer,
        scheduler=scheduler(**config_of(name).scheduler), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype)  # fmt: skip
    words = {"cond_stage_model.transformer.": original_keys.clip(state_of(text))}
    if name == "sd2":
        words = {"cond_stage_model.model.": original_keys.open_clip(state_of(text), last_layer=True)}
    parts = {
        "model.diffusion_model.": original_keys.unet(state_of(unet)),
        "first_stage_model.": original_keys.vae(state_of(vae)),
        **words,
        "model_ema.": {"decay": torch.tensor(0.9999)},
    }
    return Both(save_pipeline(pipeline, place, name), original_keys.write(place / f"{name}.safetensors", parts))


def sdxl(place: Path, dtype: torch.dtype = torch.float32) -> Both:
    """Write a Stable Diffusion XL."""
    torch.manual_seed(2)
    first, second = clip(), clip(projection=True, act="gelu", width=128)
    unet = UNet2DConditionModel(
        sample_size=128, block_out_channels=(32, 64, 128), cross_attention_dim=192, use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(1, 1, 2), transformer_layers_per_block=(1, 1, 2), addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=6 * 256 + 128,
    )  # fmt: skip
    vae = autoencoder(latent_channels=4, scaling_factor=0.13025)
    pipeline = StableDiffusionXLPipeline(
        unet=unet, vae=vae, text_encoder=first, text_encoder_2=second, tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(pad_token="!"), scheduler=EulerDiscreteScheduler(**config_of("sdxl").scheduler),
    ).to(dtype)  # fmt: skip
    parts = {
        "model.diffusion_model.": original_keys.unet(state_of(unet)),
        "first_stage_model.": original_keys.vae(state_of(vae)),
        "conditioner.embedders.0.transformer.": original_keys.clip(state_of(first)),
        "conditioner.embedders.1.model.": original_keys.open_clip(state_of(second)),
    }
    return Both(save_pipeline(pipeline, place, "sdxl"), original_keys.write(place / "sdxl.safetensors", parts))


def sdxl_refiner(place: Path, dtype: torch.dtype = torch.float32) -> Both:
    """Write a refiner of Stable Diffusion XL, which has the second text encoder alone."""
    torch.manual_seed(3)
    text = clip(projection=True, act="gelu", width=128)
    unet = UNet2DConditionModel(
        sample_size=128, block_out_channels=(32, 64, 128, 128), cross_attention_dim=128, use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(1, 1, 2, 2), transformer_layers_per_block=2, addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=5 * 256 + 128,
    )  # fmt: skip
    vae = autoencoder(latent_channels=4, scaling_factor=0.13025)
    pipeline = StableDiffusionXLImg2ImgPipeline(
        unet=unet, vae=vae, text_encoder=None, text_encoder_2=text, tokenizer=None,
        tokenizer_2=clip_tokenizer(pad_token="!"), requires_aesthetics_score=True,
        scheduler=EulerDiscreteScheduler(**config_of("sdxl-refiner").scheduler), force_zeros_for_empty_prompt=False,
    ).to(dtype)  # fmt: skip
    parts = {
        "model.diffusion_model.": original_keys.unet(state_of(unet)),
        "first_stage_model.": original_keys.vae(state_of(vae)),
        "conditioner.embedders.0.model.": original_keys.open_clip(state_of(text)),
    }
    file = original_keys.write(place / "sdxl-refiner.safetensors", parts)
    return Both(save_pipeline(pipeline, place, "sdxl-refiner"), file)
