"""Tiny flow models with random weights, as folders in diffusers layout and as single files of the same weights."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from modules.engine.models.single_file.family_config import config_of
from modules.prompts.shipped_tokenizers import tokenizer_folder
from tests.engine import original_flow_keys, original_keys
from tests.engine.original_keys import Tensors, state_of
from tests.engine.tiny_files import Both, autoencoder, clip, clip_tokenizer, save_pipeline

_FLUX_VAE = {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False, "force_upcast": True}
_MROPE = {"rope_type": "default", "rope_theta": 1_000_000.0, "mrope_section": [16, 24, 24]}


def t5() -> Any:
    """Return a T5 of two layers."""
    return T5EncoderModel(
        T5Config(
            vocab_size=32128, d_model=64, d_kv=64, d_ff=64, num_layers=2, num_heads=1, tie_word_embeddings=False,
            feed_forward_proj="gated-gelu",
        )
    )  # fmt: skip


def t5_tokenizer() -> Any:
    return T5Tokenizer.from_pretrained(str(tokenizer_folder("t5")), local_files_only=True)


def qwen3() -> Any:
    """Return a Qwen3 of two layers, with fewer words than there are."""
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, head_dim=128, rope_theta=1_000_000.0, tie_word_embeddings=True,
            max_position_embeddings=40960,
        )
    )  # fmt: skip


def qwen25_vl() -> Any:
    """Return a Qwen2.5-VL of two layers."""
    text = {
        "vocab_size": 64, "hidden_size": 128, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1,
        "num_key_value_heads": 1, "rope_parameters": _MROPE, "max_position_embeddings": 128_000,
        "rms_norm_eps": 1e-6,
    }  # fmt: skip
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 128}
    return Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False)
    )


@functools.cache
def qwen_tokenizer() -> Any:
    """Return Qwen's own. The folders have none: to write and read it takes longer than all else."""
    return Qwen2Tokenizer.from_pretrained(str(tokenizer_folder("qwen")), local_files_only=True)


def _without_ties(network: Any) -> Tensors:
    tied = set(network.all_tied_weights_keys)
    return {name: one for name, one in network.state_dict().items() if name not in tied}


def _write(place: Path, name: str, pipeline: Any, parts: dict[str, Tensors]) -> Both:
    return Both(save_pipeline(pipeline, place, name), original_keys.write(place / f"{name}.safetensors", parts))


def _scheduler(name: str, variant: str = "") -> Any:
    config = config_of(name)
    return diffusers.FlowMatchEulerDiscreteScheduler(**{**config.scheduler, **config.variants.get(variant, {})})


def sd3(place: Path) -> Both:
    """Write a Stable Diffusion 3.5 Medium, all in one file."""
    torch.manual_seed(4)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=128, num_layers=3, num_attention_heads=1, joint_attention_dim=64, caption_projection_dim=64,
        pooled_projection_dim=128, pos_embed_max_size=16, dual_attention_layers=(0, 1), qk_norm="rms_norm",
    )  # fmt: skip
    vae = autoencoder(scaling_factor=1.5305, shift_factor=0.0609, **_FLUX_VAE)
    first, second, third = clip(projection=True), clip(projection=True, act="gelu"), t5()
    first.text_projection.weight.data = torch.eye(64)
    pipeline = diffusers.StableDiffusion3Pipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("sd3"), text_encoder=first, text_encoder_2=second,
        text_encoder_3=third, tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(pad_token="!"),
        tokenizer_3=t5_tokenizer(),
    )  # fmt: skip
    second_state = original_keys.clip(state_of(second)) | {"text_projection.weight": second.text_projection.weight}
    parts = {
        "model.diffusion_model.": original_flow_keys.sd3(state_of(transformer)),
        "first_stage_model.": original_keys.vae(state_of(vae)),
        "text_encoders.clip_l.transformer.": original_keys.clip(state_of(first)),
        "text_encoders.clip_g.transformer.": second_state,
        "text_encoders.t5xxl.transformer.": _without_ties(third),
    }
    return _write(place, "sd3", pipeline, parts)


def flux(place: Path, guidance: bool = True) -> Both:
    """Write a Flux.1, dev or schnell, all in one file."""
    torch.manual_seed(5)
    transformer = diffusers.FluxTransformer2DModel(
        num_layers=2, num_single_layers=2, num_attention_heads=1, joint_attention_dim=64, pooled_projection_dim=64,
        guidance_embeds=guidance,
    )  # fmt: skip
    vae = autoencoder(scaling_factor=0.3611, shift_factor=0.1159, **_FLUX_VAE)
    first, second = clip(), t5()
    pipeline = diffusers.FluxPipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("flux", "" if guidance else "schnell"),
        text_encoder=first, text_encoder_2=second, tokenizer=clip_tokenizer(), tokenizer_2=t5_tokenizer(),
    )  # fmt: skip
    parts = {
        "model.diffusion_model.": original_flow_keys.flux(state_of(transformer)),
        "vae.": original_keys.vae(state_of(vae)),
        "text_encoders.clip_l.transformer.": original_keys.clip(state_of(first)),
        "text_encoders.t5xxl.transformer.": _without_ties(second),
    }
    return _write(place, "flux", pipeline, parts)


def chroma(place: Path) -> Both:
    """Write a Chroma, all in one file."""
    torch.manual_seed(6)
    transformer = diffusers.ChromaTransformer2DModel(
        num_layers=2, num_single_layers=2, num_attention_heads=1, joint_attention_dim=64, approximator_hidden_dim=32,
        approximator_layers=2, approximator_num_channels=64,
    )  # fmt: skip
    # What it makes of the time is as wide as a block, which in the real ones has 3072 channels.
    transformer.distilled_guidance_layer.out_proj = torch.nn.Linear(32, 128)
    vae, text = autoencoder(scaling_factor=0.3611, shift_factor=0.1159, **_FLUX_VAE), t5()
    pipeline = diffusers.ChromaPipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("chroma"), text_encoder=text, tokenizer=t5_tokenizer()
    )
    parts = {
        "": original_flow_keys.flux(state_of(transformer)),
        "vae.": original_keys.vae(state_of(vae)),
        "text_encoders.t5xxl.transformer.": _without_ties(text),
    }
    return _write(place, "chroma", pipeline, parts)


def z_image(place: Path) -> Both:
    """Write a Z-Image, all in one file."""
    torch.manual_seed(7)
    transformer = diffusers.ZImageTransformer2DModel(
        dim=128, n_layers=2, n_refiner_layers=1, n_heads=1, n_kv_heads=1, cap_feat_dim=64
    )
    with torch.no_grad():  # They are made empty, and hold anything.
        transformer.x_pad_token.normal_()
        transformer.cap_pad_token.normal_()
    vae, text = autoencoder(scaling_factor=0.3611, shift_factor=0.1159, **_FLUX_VAE), qwen3()
    pipeline = diffusers.ZImagePipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("z-image"), text_encoder=text, tokenizer=None
    )
    parts = {
        "model.diffusion_model.": original_flow_keys.z_image(state_of(transformer)),
        "vae.": original_keys.vae(state_of(vae)),
        "text_encoders.qwen3_4b.transformer.": _without_ties(text),
    }
    return _write(place, "z-image", pipeline, parts)


def qwen_image(place: Path) -> Both:
    """Write a Qwen-Image, all in one file."""
    torch.manual_seed(8)
    transformer = diffusers.QwenImageTransformer2DModel(num_layers=2, num_attention_heads=1, joint_attention_dim=128)
    vae, text = diffusers.AutoencoderKLQwenImage(base_dim=8), qwen25_vl()
    pipeline = diffusers.QwenImagePipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("qwen-image"), text_encoder=text,
        tokenizer=None,
    )  # fmt: skip
    words = {
        name.replace("model.language_model.", "model.").replace("model.visual.", "visual."): one
        for name, one in state_of(text).items()
    }
    parts = {
        "model.diffusion_model.": state_of(transformer),
        "vae.": original_flow_keys.wan_vae(state_of(vae)),
        "text_encoders.qwen25_7b.transformer.": words,
    }
    return _write(place, "qwen-image", pipeline, parts)


def flux2_klein(place: Path) -> Both:
    """Write a Flux.2 klein, all in one file."""
    torch.manual_seed(9)
    transformer = diffusers.Flux2Transformer2DModel(
        num_layers=2, num_single_layers=2, num_attention_heads=1, joint_attention_dim=192, guidance_embeds=False
    )
    vae = diffusers.AutoencoderKLFlux2(block_out_channels=(32,) * 4)
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2.0)
    text = qwen3()
    pipeline = diffusers.Flux2KleinPipeline(
        transformer=transformer, vae=vae, scheduler=_scheduler("flux2-klein"), text_encoder=text,
        tokenizer=None, is_distilled=True,
    )  # fmt: skip
    parts = {
        "": original_flow_keys.flux(state_of(transformer)),
        "vae.": original_flow_keys.flux2_vae(state_of(vae)),
        "text_encoders.qwen3_4b.transformer.": _without_ties(text),
    }
    return _write(place, "flux2-klein", pipeline, parts)
