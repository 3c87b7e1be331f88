"""A tiny model of each family that has a name."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import (
    AutoencoderDC,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    ChromaPipeline,
    ChromaTransformer2DModel,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxPipeline,
    FluxTransformer2DModel,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    Lumina2Pipeline,
    Lumina2Transformer2DModel,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    PNDMScheduler,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SanaPipeline,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from torch import nn
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3ForCausalLM,
    Qwen3Model,
)

from tests.engine.tiny_models.parts import (
    BETAS,
    WIDTH,
    WORDS,
    clip,
    flow_vae,
    gemma2,
    qwen3_config,
    t5,
    tokenizer,
    unet,
    vae,
)

_HEADS = {"attention_head_dim": 16, "num_attention_heads": 2, "joint_attention_dim": WIDTH}


def flow(shift: float = 3.0, **more: Any) -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(shift=shift, **more)


def stable_diffusion(prediction_type: str = "epsilon", **more: Any) -> StableDiffusionPipeline:
    scheduler = PNDMScheduler(**BETAS, steps_offset=1, skip_prk_steps=True, prediction_type=prediction_type)
    return StableDiffusionPipeline(
        vae=vae(), text_encoder=clip(), tokenizer=tokenizer(), unet=unet(**more), scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def latent_consistency() -> LatentConsistencyModelPipeline:
    return LatentConsistencyModelPipeline(
        vae=vae(), text_encoder=clip(), tokenizer=tokenizer(), unet=unet(time_cond_proj_dim=32),
        scheduler=LCMScheduler(**BETAS), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def stable_diffusion_xl() -> StableDiffusionXLPipeline:
    conditions = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
    net = unet(cross_attention_dim=2 * WIDTH, projection_class_embeddings_input_dim=6 * 8 + WIDTH, **conditions)
    return StableDiffusionXLPipeline(
        vae=vae(scaling_factor=0.13025), text_encoder=clip(), text_encoder_2=clip(projection=True),
        tokenizer=tokenizer(), tokenizer_2=tokenizer(), unet=net,
        scheduler=EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading"),
    )  # fmt: skip


def refiner() -> StableDiffusionXLImg2ImgPipeline:
    conditions = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
    net = unet(projection_class_embeddings_input_dim=5 * 8 + WIDTH, **conditions)
    return StableDiffusionXLImg2ImgPipeline(
        vae=vae(scaling_factor=0.13025), text_encoder=None, text_encoder_2=clip(projection=True), tokenizer=None,
        tokenizer_2=tokenizer(), unet=net, requires_aesthetics_score=True, force_zeros_for_empty_prompt=False,
        scheduler=EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading"),
    )  # fmt: skip


def stable_diffusion_3() -> StableDiffusion3Pipeline:
    net = SD3Transformer2DModel(
        sample_size=16, in_channels=4, out_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=2,
        caption_projection_dim=16, pooled_projection_dim=2 * WIDTH, joint_attention_dim=4 * WIDTH, patch_size=2,
    )  # fmt: skip
    return StableDiffusion3Pipeline(
        transformer=net, scheduler=flow(), vae=flow_vae(), text_encoder=clip(projection=True), tokenizer=tokenizer(),
        text_encoder_2=clip(projection=True), tokenizer_2=tokenizer(), text_encoder_3=t5(4 * WIDTH),
        tokenizer_3=tokenizer(),
    )  # fmt: skip


def flux() -> FluxPipeline:
    net = FluxTransformer2DModel(
        **_HEADS, in_channels=16, num_layers=1, num_single_layers=1, pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8), guidance_embeds=True,
    )  # fmt: skip
    return FluxPipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flow_vae(), text_encoder=clip(), tokenizer=tokenizer(),
        text_encoder_2=t5(), tokenizer_2=tokenizer(), transformer=net,
    )  # fmt: skip


def flux_2_klein() -> Flux2KleinPipeline:
    net = Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=3 * WIDTH, timestep_guidance_channels=32, axes_dims_rope=[4, 4, 4, 4],
        guidance_embeds=False,
    )  # fmt: skip
    return Flux2KleinPipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flux_2_vae(), text_encoder=Qwen3ForCausalLM(qwen3_config(27)),
        tokenizer=tokenizer(chat=True), transformer=net, is_distilled=False,
    )  # fmt: skip


def flux_2_vae(channels: int = 4) -> AutoencoderKLFlux2:
    made = AutoencoderKLFlux2(
        block_out_channels=(8,) * 4, down_block_types=("DownEncoderBlock2D",) * 4, norm_num_groups=4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=channels, sample_size=64,
    )  # fmt: skip
    nn.init.uniform_(made.bn.running_mean, -0.5, 0.5)
    nn.init.uniform_(made.bn.running_var, 0.5, 2.0)
    return made


def chroma() -> ChromaPipeline:
    net = ChromaTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, **_HEADS, axes_dims_rope=(4, 4, 8),
        approximator_hidden_dim=32, approximator_layers=1, approximator_num_channels=16,
    )  # fmt: skip
    return ChromaPipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flow_vae(), text_encoder=t5(), tokenizer=tokenizer(),
        transformer=net,
    )  # fmt: skip


def z_image() -> ZImagePipeline:
    net = ZImageTransformer2DModel(
        all_patch_size=(2,), all_f_patch_size=(1,), in_channels=4, dim=32, n_layers=2, n_refiner_layers=1, n_heads=2,
        n_kv_heads=2, cap_feat_dim=WIDTH, rope_theta=256.0, axes_dims=[8, 4, 4], axes_lens=[1024, 64, 64],
    )  # fmt: skip
    for token in (net.x_pad_token, net.cap_pad_token):
        nn.init.ones_(token)
    return ZImagePipeline(
        scheduler=flow(), vae=flow_vae(), text_encoder=Qwen3Model(qwen3_config()), tokenizer=tokenizer(chat=True),
        transformer=net,
    )  # fmt: skip


def qwen_image() -> QwenImagePipeline:
    net = QwenImageTransformer2DModel(**_HEADS, in_channels=16, out_channels=4, num_layers=2, axes_dims_rope=(4, 4, 8))
    return QwenImagePipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=qwen_image_vae(), text_encoder=qwen_25_vl(),
        tokenizer=tokenizer(), transformer=net,
    )  # fmt: skip


def qwen_image_edit(pipeline: Any) -> Any:
    """Return one of the pipelines that change pictures: their text encoder sees these too."""
    words = tokenizer(4096, chat=True)
    words.add_special_tokens({"additional_special_tokens": list(_SEEN)})
    seen = dict(zip(_SEEN.values(), words.convert_tokens_to_ids(list(_SEEN)), strict=True))
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56), tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(), chat_template=words.chat_template,
    )  # fmt: skip
    parts = dict(qwen_image().components)
    return pipeline(**{**parts, "tokenizer": words, "text_encoder": qwen_25_vl(seen), "processor": processor})


# What stands for a picture in the words, and what the text encoder calls it.
_SEEN = {
    "<|vision_start|>": "vision_start_token_id", "<|vision_end|>": "vision_end_token_id",
    "<|image_pad|>": "image_token_id", "<|video_pad|>": "video_token_id",
}  # fmt: skip


def qwen_image_vae() -> AutoencoderKLQwenImage:
    return AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.7, 1.0, 2.0],
    )  # fmt: skip


def qwen_25_vl(seen: Mapping[str, int] | None = None) -> Qwen2_5_VLForConditionalGeneration:
    """Return the text encoder; `seen` are the numbers of the words that stand for a picture."""
    text = {
        "vocab_size": WORDS, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 2048,
        "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default"},
    }  # fmt: skip
    sight = {"depth": 1, "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_heads": 2, "out_hidden_size": WIDTH}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=sight, **(seen or {}))
    return Qwen2_5_VLForConditionalGeneration(config)


def lumina_2() -> Lumina2Pipeline:
    net = Lumina2Transformer2DModel(
        sample_size=8, patch_size=2, in_channels=4, hidden_size=32, num_layers=2, num_refiner_layers=1,
        num_attention_heads=2, num_kv_heads=2, multiple_of=16, axes_dim_rope=[8, 4, 4], axes_lens=[512, 64, 64],
        cap_feat_dim=WIDTH,
    )  # fmt: skip
    return Lumina2Pipeline(
        transformer=net, scheduler=flow(6.0), vae=flow_vae(), text_encoder=gemma2(), tokenizer=tokenizer()
    )


def sana() -> SanaPipeline:
    net = SanaTransformer2DModel(
        patch_size=1, in_channels=4, out_channels=4, num_layers=2, num_attention_heads=2, attention_head_dim=8,
        num_cross_attention_heads=2, cross_attention_head_dim=8, cross_attention_dim=16, caption_channels=WIDTH,
        sample_size=8,
    )  # fmt: skip
    scheduler = DPMSolverMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=3.0, beta_schedule="linear"
    )
    return SanaPipeline(
        tokenizer=tokenizer(300), text_encoder=gemma2(), vae=deep_compression_vae(), transformer=net,
        scheduler=scheduler,
    )  # fmt: skip


def deep_compression_vae() -> AutoencoderDC:
    levels = 6
    kinds = ("ResBlock",) * 5 + ("EfficientViTBlock",)
    scales = ((),) * 5 + ((5,),)
    return AutoencoderDC(
        in_channels=3, latent_channels=4, attention_head_dim=4, encoder_block_types=kinds, decoder_block_types=kinds,
        encoder_block_out_channels=(8,) * levels, decoder_block_out_channels=(8,) * levels,
        encoder_layers_per_block=(1,) * levels, decoder_layers_per_block=(1,) * levels,
        encoder_qkv_multiscales=scales, decoder_qkv_multiscales=scales, downsample_block_type="conv",
        upsample_block_type="interpolate", decoder_norm_types="rms_norm", decoder_act_fns="silu",
        scaling_factor=0.41407,
    )  # fmt: skip


def pixart_sigma() -> PixArtSigmaPipeline:
    net = pixart_transformer(None)
    return PixArtSigmaPipeline(
        tokenizer=tokenizer(300), text_encoder=t5(), vae=vae(scaling_factor=0.13025), transformer=net,
        scheduler=DPMSolverMultistepScheduler(),
    )  # fmt: skip


def pixart_transformer(size_condition: bool | None) -> PixArtTransformer2DModel:
    return PixArtTransformer2DModel(
        sample_size=8, num_layers=2, patch_size=2, attention_head_dim=8, num_attention_heads=2, in_channels=4,
        out_channels=8, cross_attention_dim=16, caption_channels=WIDTH, norm_type="ada_norm_single",
        norm_elementwise_affine=False, norm_eps=1e-6, use_additional_conditions=size_condition,
    )  # fmt: skip


def seeded(make: Any) -> Any:
    """Return a model with weights that are the same each time."""
    torch.manual_seed(0)
    return make()
