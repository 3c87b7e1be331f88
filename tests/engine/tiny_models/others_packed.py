"""Tiny models of pipelines that are driven by their signature: those that pack their latents, each in its own way."""

from diffusers import (
    AdaptiveProjectedMixGuidance,
    AutoencoderKLHunyuanImage,
    BriaFiboPipeline,
    BriaFiboTransformer2DModel,
    BriaPipeline,
    BriaTransformer2DModel,
    ErnieImagePipeline,
    ErnieImageTransformer2DModel,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    HunyuanImagePipeline,
    HunyuanImageTransformer2DModel,
    Ideogram4Pipeline,
    Ideogram4Transformer2DModel,
    Krea2Pipeline,
    Krea2Transformer2DModel,
    LongCatImagePipeline,
    LongCatImageTransformer2DModel,
    NucleusMoEImagePipeline,
    NucleusMoEImageTransformer2DModel,
    OvisImagePipeline,
    OvisImageTransformer2DModel,
)
from transformers import (
    Qwen3ForCausalLM,
    Qwen3Model,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLModel,
    SmolLM3Config,
    SmolLM3ForCausalLM,
)

from tests.engine.tiny_models.named import flow, flux_2_vae, qwen_25_vl, qwen_image_vae
from tests.engine.tiny_models.others import wan_vae
from tests.engine.tiny_models.parts import WIDTH, WORDS, flow_vae, qwen3_config, t5, tokenizer, vae


def qwen_3_vl_config(layers: int) -> Qwen3VLConfig:
    text = {
        "vocab_size": WORDS, "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": layers,
        "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 2048,
        "rope_scaling": {"mrope_section": [2, 1, 1], "rope_type": "default"},
    }  # fmt: skip
    sight = {
        "depth": 1, "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_heads": 2, "out_hidden_size": WIDTH,
        "deepstack_visual_indexes": [0],
    }  # fmt: skip
    return Qwen3VLConfig(text_config=text, vision_config=sight)


def flux_2() -> Flux2Pipeline:
    """With a Qwen3 that reads words as the large Mistral would: the pipeline takes its layers 10, 20 and 30."""
    net = Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=3 * WIDTH, timestep_guidance_channels=32, axes_dims_rope=[4, 4, 4, 4],
    )  # fmt: skip
    return Flux2Pipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flux_2_vae(), text_encoder=Qwen3ForCausalLM(qwen3_config(30)),
        tokenizer=tokenizer(chat=True), transformer=net,
    )  # fmt: skip


def krea_2() -> Krea2Pipeline:
    net = Krea2Transformer2DModel(
        in_channels=16, num_layers=2, attention_head_dim=8, num_attention_heads=2, num_key_value_heads=2,
        intermediate_size=32, timestep_embed_dim=8, text_hidden_dim=WIDTH, num_text_layers=3,
        text_num_attention_heads=2, text_num_key_value_heads=1, text_intermediate_size=16,
        num_layerwise_text_blocks=1, num_refiner_text_blocks=1, axes_dims_rope=(4, 2, 2), rope_theta=1000.0,
    )  # fmt: skip
    return Krea2Pipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=qwen_image_vae(), transformer=net, tokenizer=tokenizer(),
        text_encoder=Qwen3VLModel(qwen_3_vl_config(2)), text_encoder_select_layers=(0, 1, 2),
    )  # fmt: skip


def nucleus() -> NucleusMoEImagePipeline:
    net = NucleusMoEImageTransformer2DModel(
        patch_size=2, in_channels=16, out_channels=4, num_layers=2, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=WIDTH, axes_dims_rope=(8, 4, 4), moe_enabled=False, capacity_factors=[8.0, 8.0],
    )  # fmt: skip
    return NucleusMoEImagePipeline(
        transformer=net, scheduler=flow(use_dynamic_shifting=True), vae=qwen_image_vae(),
        text_encoder=Qwen3VLForConditionalGeneration(qwen_3_vl_config(8)), processor=tokenizer(1024, chat=True),
    )  # fmt: skip


def ovis() -> OvisImagePipeline:
    net = OvisImageTransformer2DModel(
        patch_size=1, in_channels=16, out_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=WIDTH, axes_dims_rope=(4, 4, 8),
    )  # fmt: skip
    return OvisImagePipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flow_vae(), text_encoder=Qwen3Model(qwen3_config()),
        tokenizer=tokenizer(1024, chat=True), transformer=net,
    )  # fmt: skip


def ideogram_4() -> Ideogram4Pipeline:
    def net() -> Ideogram4Transformer2DModel:
        return Ideogram4Transformer2DModel(
            in_channels=16, num_layers=2, attention_head_dim=16, num_attention_heads=2, intermediate_size=32,
            adaln_dim=16, llm_features_dim=13 * WIDTH, mrope_section=(4, 2, 2),
        )  # fmt: skip

    return Ideogram4Pipeline(
        scheduler=flow(), vae=flux_2_vae(), text_encoder=Qwen3VLModel(qwen_3_vl_config(36)),
        tokenizer=tokenizer(2048, chat=True), transformer=net(), unconditional_transformer=net(),
    )  # fmt: skip


def bria() -> BriaPipeline:
    net = BriaTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=WIDTH, pooled_projection_dim=None, axes_dims_rope=[0, 4, 4],
    )  # fmt: skip
    return BriaPipeline(
        transformer=net, scheduler=flow(), vae=vae(shift_factor=0), text_encoder=t5(), tokenizer=tokenizer(128)
    )


def bria_fibo() -> BriaFiboPipeline:
    net = BriaFiboTransformer2DModel(
        patch_size=1, in_channels=4, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=2 * WIDTH, text_encoder_dim=WIDTH, pooled_projection_dim=None, axes_dims_rope=[0, 4, 4],
    )  # fmt: skip
    words = SmolLM3Config(
        vocab_size=WORDS, hidden_size=WIDTH, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    return BriaFiboPipeline(
        transformer=net, scheduler=flow(), vae=wan_vae(), text_encoder=SmolLM3ForCausalLM(words),
        tokenizer=tokenizer(256),
    )  # fmt: skip


def hunyuan_image() -> HunyuanImagePipeline:
    net = HunyuanImageTransformer2DModel(
        in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=8, num_layers=1, num_single_layers=1,
        num_refiner_layers=1, patch_size=(1, 1), guidance_embeds=False, text_embed_dim=WIDTH, text_embed_2_dim=WIDTH,
        rope_axes_dim=(4, 4),
    )  # fmt: skip
    decoder = AutoencoderKLHunyuanImage(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(32, 32, 32, 32, 32, 32),
        layers_per_block=1, scaling_factor=0.476986, spatial_compression_ratio=32, sample_size=64,
    )  # fmt: skip
    return HunyuanImagePipeline(
        scheduler=flow(), vae=decoder, text_encoder=qwen_25_vl(), tokenizer=tokenizer(1024), text_encoder_2=t5(),
        tokenizer_2=tokenizer(128), transformer=net, guider=AdaptiveProjectedMixGuidance(),
        ocr_guider=AdaptiveProjectedMixGuidance(),
    )  # fmt: skip


def longcat() -> LongCatImagePipeline:
    net = LongCatImageTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=WIDTH, pooled_projection_dim=WIDTH, axes_dims_rope=[4, 4, 8],
    )  # fmt: skip
    return LongCatImagePipeline(
        scheduler=flow(use_dynamic_shifting=True), vae=flow_vae(16), text_encoder=qwen_25_vl(),
        tokenizer=tokenizer(1024), text_processor=tokenizer(1024, chat=True), transformer=net,
    )  # fmt: skip


def ernie() -> ErnieImagePipeline:
    net = ErnieImageTransformer2DModel(
        hidden_size=32, num_attention_heads=2, num_layers=2, ffn_hidden_size=32, in_channels=16, out_channels=16,
        text_in_dim=WIDTH, rope_axes_dim=(8, 4, 4),
    )  # fmt: skip
    return ErnieImagePipeline(
        transformer=net, vae=flux_2_vae(), text_encoder=Qwen3Model(qwen3_config()), tokenizer=tokenizer(),
        scheduler=flow(),
    )  # fmt: skip
