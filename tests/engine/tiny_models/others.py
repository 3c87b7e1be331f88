"""Tiny models of pipelines that are driven by their signature: those whose latents are as the VAE takes them."""

from typing import Any

from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogView3PlusPipeline,
    CogView3PlusTransformer2DModel,
    CogView4Pipeline,
    CogView4Transformer2DModel,
    DDIMScheduler,
    DDPMScheduler,
    HunyuanDiT2DModel,
    HunyuanDiTPAGPipeline,
    HunyuanDiTPipeline,
    IFPipeline,
    Kandinsky3Pipeline,
    Kandinsky3UNet,
    LuminaNextDiT2DModel,
    LuminaPipeline,
    PixArtAlphaPipeline,
    UNet2DConditionModel,
    VQModel,
)
from transformers import (
    BertConfig,
    BertModel,
    GemmaConfig,
    GemmaForCausalLM,
    GlmConfig,
    GlmForCausalLM,
    UMT5Config,
    UMT5EncoderModel,
)

from tests.engine.tiny_models.named import flow, pixart_transformer
from tests.engine.tiny_models.parts import BETAS, WIDTH, WORDS, t5, tokenizer, vae


def aura_flow() -> AuraFlowPipeline:
    net = AuraFlowTransformer2DModel(
        sample_size=8, patch_size=2, in_channels=4, num_mmdit_layers=1, num_single_dit_layers=1, attention_head_dim=8,
        num_attention_heads=2, caption_projection_dim=16, joint_attention_dim=WIDTH, out_channels=4,
        pos_embed_max_size=256,
    )  # fmt: skip
    words = UMT5Config(vocab_size=WORDS, d_model=WIDTH, d_kv=8, d_ff=32, num_layers=2, num_heads=2, dropout_rate=0.0)
    return AuraFlowPipeline(
        tokenizer=tokenizer(), text_encoder=UMT5EncoderModel(words), vae=vae(), transformer=net, scheduler=flow(1.73)
    )


def cogview_3() -> CogView3PlusPipeline:
    net = CogView3PlusTransformer2DModel(
        patch_size=2, in_channels=4, num_layers=1, attention_head_dim=4, num_attention_heads=2, out_channels=4,
        text_embed_dim=WIDTH, time_embed_dim=8, condition_dim=2, pos_embed_max_size=8, sample_size=8,
    )  # fmt: skip
    return CogView3PlusPipeline(
        tokenizer=tokenizer(), text_encoder=t5(), vae=vae(), transformer=net, scheduler=CogVideoXDDIMScheduler()
    )


def cogview_4() -> CogView4Pipeline:
    net = CogView4Transformer2DModel(
        patch_size=2, in_channels=4, num_layers=1, attention_head_dim=4, num_attention_heads=4, out_channels=4,
        text_embed_dim=WIDTH, time_embed_dim=8, condition_dim=4,
    )  # fmt: skip
    scheduler = flow(base_shift=0.25, max_shift=0.75, use_dynamic_shifting=True, time_shift_type="linear")
    words = GlmConfig(
        vocab_size=WORDS, hidden_size=WIDTH, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8, pad_token_id=0,
    )  # fmt: skip
    return CogView4Pipeline(
        tokenizer=tokenizer(1024), text_encoder=GlmForCausalLM(words), vae=vae(), transformer=net, scheduler=scheduler
    )


def hunyuan_dit(pipeline: Any = HunyuanDiTPipeline, **more: Any) -> Any:
    net = HunyuanDiT2DModel(
        sample_size=8, num_layers=2, patch_size=2, attention_head_dim=8, num_attention_heads=2, in_channels=4,
        cross_attention_dim=WIDTH, cross_attention_dim_t5=WIDTH, pooled_projection_dim=16, hidden_size=16,
        activation_fn="gelu-approximate", text_len=77, text_len_t5=256,
    )  # fmt: skip
    words = BertConfig(
        vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0,
    )  # fmt: skip
    return pipeline(
        vae=vae(), text_encoder=BertModel(words), tokenizer=tokenizer(), transformer=net,
        scheduler=DDPMScheduler(**BETAS, prediction_type="v_prediction"), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False, text_encoder_2=t5(), tokenizer_2=tokenizer(256), **more,
    )  # fmt: skip


def hunyuan_dit_pag() -> HunyuanDiTPAGPipeline:
    made: HunyuanDiTPAGPipeline = hunyuan_dit(HunyuanDiTPAGPipeline, pag_applied_layers="blocks.1")
    return made


def kandinsky_3() -> Kandinsky3Pipeline:
    net = Kandinsky3UNet(
        in_channels=4, time_embedding_dim=4, groups=2, attention_head_dim=4, layers_per_block=3,
        block_out_channels=(16, 32), cross_attention_dim=4, encoder_hid_dim=WIDTH,
    )  # fmt: skip
    decoder = VQModel(
        block_out_channels=[32] * 4, down_block_types=["DownEncoderBlock2D"] * 4, latent_channels=4,
        layers_per_block=1, norm_num_groups=8, norm_type="spatial", num_vq_embeddings=12, vq_embed_dim=4,
        up_block_types=["UpDecoderBlock2D"] * 4,
    )  # fmt: skip
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="squaredcos_cap_v2", steps_offset=1)
    return Kandinsky3Pipeline(tokenizer=tokenizer(128), text_encoder=t5(), unet=net, scheduler=scheduler, movq=decoder)


def pixart_alpha() -> PixArtAlphaPipeline:
    return PixArtAlphaPipeline(
        tokenizer=tokenizer(120), text_encoder=t5(), vae=vae(), transformer=pixart_transformer(False),
        scheduler=DDIMScheduler(),
    )  # fmt: skip


def lumina() -> LuminaPipeline:
    net = LuminaNextDiT2DModel(
        sample_size=8, patch_size=2, in_channels=4, hidden_size=16, num_layers=2, num_attention_heads=2,
        num_kv_heads=2, multiple_of=16, norm_eps=1e-5, learn_sigma=True, qk_norm=True, cross_attention_dim=WIDTH,
    )  # fmt: skip
    words = GemmaConfig(
        vocab_size=WORDS, hidden_size=WIDTH, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8,
    )  # fmt: skip
    return LuminaPipeline(
        transformer=net, scheduler=flow(), vae=vae(), text_encoder=GemmaForCausalLM(words), tokenizer=tokenizer(256)
    )


def deep_floyd() -> IFPipeline:
    net = UNet2DConditionModel(
        sample_size=64, layers_per_block=1, block_out_channels=[32, 32],
        down_block_types=["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"],
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", in_channels=3, out_channels=6, cross_attention_dim=32,
        up_block_types=["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"], encoder_hid_dim=WIDTH,
        attention_head_dim=8, addition_embed_type="text", addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm", resnet_time_scale_shift="scale_shift", act_fn="gelu",
    )  # fmt: skip
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2", thresholding=True, variance_type="learned_range")
    return IFPipeline(
        tokenizer=tokenizer(), text_encoder=t5(), unet=net, scheduler=scheduler, safety_checker=None,
        feature_extractor=None, watermarker=None, requires_safety_checker=False,
    )  # fmt: skip


def wan_vae() -> AutoencoderKLWan:
    return AutoencoderKLWan(
        base_dim=4, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.7, 1.0, 2.0],
    )  # fmt: skip
