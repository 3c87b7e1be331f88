"""Parts that many tiny models are made of: tokenizers made in memory, text encoders and VAEs of a few kilobytes."""

from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    PreTrainedTokenizerFast,
    Qwen3Config,
    T5Config,
    T5EncoderModel,
)

WIDTH = 16
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
_SPECIAL = ["<pad>", "<s>", "</s>"]
# Enough for every byte, and for the numbers by which some pipelines know a token.
WORDS = 300
_CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"


def tokenizer(length: int = 77, chat: bool = False) -> PreTrainedTokenizerFast:
    """Return a tokenizer with a token for each byte, so that every text has words that the text encoder knows."""
    alphabet = [*_SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE({token: number for number, token in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(token, number) for number, token in enumerate(_SPECIAL)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<pad>",
        model_max_length=length, chat_template=_CHAT if chat else None,
    )  # fmt: skip


def clip(width: int = WIDTH, projection: bool = False) -> CLIPTextModel | CLIPTextModelWithProjection:
    """Return a text encoder as Stable Diffusion has it; with a `projection`, the second one of SDXL."""
    config = CLIPTextConfig(
        vocab_size=WORDS, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=2,
        projection_dim=width, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


def t5(width: int = WIDTH) -> T5EncoderModel:
    """Return a T5 of two layers."""
    return T5EncoderModel(
        T5Config(
            vocab_size=WORDS, d_model=width, d_kv=8, d_ff=2 * width, num_layers=2, num_heads=2, dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
        )
    )  # fmt: skip


def qwen3_config(layers: int = 2, **more: Any) -> Qwen3Config:
    """Return the configuration of a Qwen3 with so many layers."""
    return Qwen3Config(
        vocab_size=WORDS, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, max_position_embeddings=1024, **more,
    )  # fmt: skip


def gemma2() -> Gemma2Model:
    """Return a Gemma 2 of two layers."""
    return Gemma2Model(
        Gemma2Config(
            vocab_size=WORDS, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=2, head_dim=8, max_position_embeddings=1024,
            query_pre_attn_scalar=8,
        )
    )  # fmt: skip


def vae(channels: int = 4, levels: int = 4, **more: Any) -> AutoencoderKL:
    """Return a VAE whose latents are 2 ** (levels - 1) pixels wide."""
    return AutoencoderKL(
        block_out_channels=(8,) * levels, down_block_types=("DownEncoderBlock2D",) * levels, norm_num_groups=4,
        up_block_types=("UpDecoderBlock2D",) * levels, latent_channels=channels, sample_size=64, **more,
    )  # fmt: skip


def flow_vae(channels: int = 4, levels: int = 4) -> AutoencoderKL:
    """Return a VAE as models of flows have it."""
    return vae(channels, levels, scaling_factor=1.5, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False)


def unet(**more: Any) -> UNet2DConditionModel:
    """Return a UNet as Stable Diffusion has it."""
    down, up = ("CrossAttnDownBlock2D", "DownBlock2D"), ("UpBlock2D", "CrossAttnUpBlock2D")
    values: dict[str, Any] = {
        "sample_size": 8, "block_out_channels": (8, 16), "down_block_types": down, "up_block_types": up,
        "cross_attention_dim": WIDTH, "attention_head_dim": 4, "layers_per_block": 1, "norm_num_groups": 4,
    }  # fmt: skip
    return UNet2DConditionModel(**values | more)
