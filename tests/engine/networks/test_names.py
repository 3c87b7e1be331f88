"""Whatever a file calls a module, it is found: the names of trainers, of authors and of diffusers, for each family."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch

from modules.engine.families.known import FAMILIES
from modules.engine.networks.block_weights import block_weights, strength_in
from modules.engine.networks.file_names import bundled_part, part_of
from modules.engine.networks.module_names import ModuleNames, Target
from tests.engine import original_flow_keys, original_keys
from tests.engine.tiny_models import named, others_packed

Tensors = Mapping[str, torch.Tensor]
SD1 = ModuleNames(named.stable_diffusion(), FAMILIES["sd1"])
ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0"


def found(names: ModuleNames, tensor: str) -> tuple[Target | None, str]:
    part = part_of(tensor)
    assert part is not None, tensor
    return names.find(part.network, part.path), part.part


@pytest.mark.parametrize(
    ("tensor", "module", "part"),
    [
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight", "attn1.to_q", "down"),
        ("lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight", "attn1.to_q", "up"),
        (f"unet.{ATTENTION}.attn1.to_out.0.lora_A.weight", "attn1.to_out.0", "down"),
        (f"unet.{ATTENTION}.attn1.processor.to_out_lora.up.weight", "attn1.to_out.0", "up"),
        (f"unet.{ATTENTION}.attn2.to_k.lora.down.weight", "attn2.to_k", "down"),
        (f"unet.{ATTENTION}.attn2.to_k.lora_linear_layer.up.weight", "attn2.to_k", "up"),
        (f"base_model.model.{ATTENTION}.attn2.to_k.lora_B.weight", "attn2.to_k", "up"),
        (f"base_model.model.unet.{ATTENTION}.attn2.to_k.lora_A.default.weight", "attn2.to_k", "down"),
        (f"{ATTENTION}.attn2.to_k.lora_A", "attn2.to_k", "down"),
        ("diffusion_model.input_blocks.1.1.transformer_blocks.0.ff.net.0.proj.alpha", "ff.net.0.proj", "alpha"),
        ("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.ff.net.2.diff", "ff.net.2", "diff"),
        ("lycoris_down_blocks_0_attentions_0_transformer_blocks_0_ff_net_2.lokr_w1", "ff.net.2", "lokr_w1"),
        ("lora_unet_input_blocks_1_1_transformer_blocks_0_norm1.w_norm", "norm1", "w_norm"),
    ],
)
def test_the_same_module_under_each_name(tensor: str, module: str, part: str) -> None:
    assert found(SD1, tensor) == (Target("unet", (f"{ATTENTION}.{module}",)), part)


@pytest.mark.parametrize(
    ("tensor", "encoder"),
    [
        ("lora_te_text_model_encoder_layers_1_self_attn_q_proj.lora_up.weight", "text_encoder"),
        ("lora_te1_text_model_encoder_layers_1_self_attn_q_proj.lora_up.weight", "text_encoder"),
        ("lora_te2_text_model_encoder_layers_1_self_attn_q_proj.hada_w1_a", "text_encoder_2"),
        ("text_encoder.text_model.encoder.layers.1.self_attn.q_proj.lora_A.weight", "text_encoder"),
        ("text_encoder_2.text_model.encoder.layers.1.self_attn.q_proj.lora_B.weight", "text_encoder_2"),
        ("text_encoder.text_model.encoder.layers.1.self_attn.to_q_lora.down.weight", "text_encoder"),
        ("text_encoders.clip_g.transformer.text_model.encoder.layers.1.self_attn.q_proj.alpha", "text_encoder_2"),
    ],
)
def test_text_encoders_under_each_name(tensor: str, encoder: str) -> None:
    target, _part = found(ModuleNames(named.stable_diffusion_xl(), FAMILIES["sdxl"]), tensor)
    assert target is not None
    assert target.network == encoder
    assert target.modules[0].endswith("encoder.layers.1.self_attn.q_proj")


def test_t5_is_the_last_encoder_of_its_family_and_a_refiner_has_one_alone() -> None:
    for pipeline, family, encoder in (
        (named.flux(), "flux", "text_encoder_2"), (named.stable_diffusion_3(), "sd3", "text_encoder_3")
    ):  # fmt: skip
        names = ModuleNames(pipeline, FAMILIES[family])
        for start in ("lora_te3_", "text_encoders.t5xxl.transformer."):
            target, _part = found(names, f"{start}encoder_block_0_layer_0_SelfAttention_q.lora_down.weight")
            assert target == Target(encoder, ("encoder.block.0.layer.0.SelfAttention.q",))
    refiner = ModuleNames(named.refiner(), FAMILIES["sdxl-refiner"])
    target, _part = found(refiner, "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight")
    assert target is not None
    assert target.network == "text_encoder_2"
    assert found(SD1, "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight")[0] is None


@pytest.mark.parametrize(
    ("pipeline", "family", "rename"),
    [
        (named.stable_diffusion, "sd1", partial(original_keys.unet, layers=1)),
        (partial(named.stable_diffusion, layers_per_block=2), "sd1", original_keys.unet),
        (named.stable_diffusion_xl, "sdxl", partial(original_keys.unet, layers=1)),
        (named.stable_diffusion_3, "sd3", original_flow_keys.sd3),
        (named.flux, "flux", original_flow_keys.flux),
        (named.chroma, "chroma", original_flow_keys.flux),
        (named.flux_2_klein, "flux2-klein", original_flow_keys.flux),
        (others_packed.flux_2, "flux2", original_flow_keys.flux),
        (named.z_image, "z-image", original_flow_keys.z_image),
    ],
)
def test_every_layer_is_found_under_its_authors_name(
    pipeline: Callable[[], Any], family: str, rename: Callable[[Tensors], Tensors]
) -> None:
    """What is found, put together as the target says, is the tensor that a file of the authors has there."""
    made = pipeline()
    names, denoiser = ModuleNames(made, FAMILIES[family]), getattr(made, FAMILIES[family].denoiser)
    renamed = rename(original_keys.state_of(denoiser))
    looked_at = 0
    for name, tensor in renamed.items():
        if tensor.ndim < 2 or not name.endswith(".weight") or name.startswith("distilled_guidance_layer"):
            continue
        target = names.find("denoiser", name.removesuffix(".weight").replace(".", "_"))
        assert target is not None, name
        rows = torch.cat([denoiser.get_submodule(path).weight for path in target.modules])
        assert torch.equal(torch.cat(rows.chunk(2)[::-1]) if target.swapped else rows, tensor), name
        looked_at += 1
    assert looked_at > 10


def test_names_of_xlabs_and_of_lumina() -> None:
    flux = ModuleNames(named.flux(), FAMILIES["flux"])
    assert found(flux, "double_blocks.0.processor.qkv_lora2.down.weight") == (
        Target("transformer", tuple(f"transformer_blocks.0.attn.add_{letter}_proj" for letter in "qkv")), "down"
    )  # fmt: skip
    assert found(flux, "single_blocks.0.processor.proj_lora.up.weight") == (
        Target("transformer", ("single_transformer_blocks.0.proj_out",)), "up"
    )  # fmt: skip
    lumina = ModuleNames(named.lumina_2(), FAMILIES["lumina2"])
    assert found(lumina, "diffusion_model.layers.0.attention.qkv.lora_A.weight") == (
        Target("transformer", tuple(f"layers.0.attn.to_{letter}" for letter in "qkv")), "down"
    )  # fmt: skip
    assert found(lumina, "lora_unet_layers_0_feed_forward_w2.lora_up.weight") == (
        Target("transformer", ("layers.0.feed_forward.linear_2",)), "up"
    )  # fmt: skip


def test_what_is_no_part_of_an_adapter() -> None:
    assert part_of("lora_unet_down_blocks_0.something") is None
    assert bundled_part("bundle_emb.sprig.string_to_param.*") == ("sprig", "string_to_param.*")
    assert bundled_part("bundle_emb.sprig.clip_l") == ("sprig", "clip_l")
    assert bundled_part("lora_te1_x.alpha") is None


def test_block_weights_stand_for_the_blocks_of_the_original() -> None:
    numbers = block_weights("0.5," + ",".join(str(n) for n in range(1, 17)))
    assert numbers is not None
    assert (numbers["BASE"], numbers["IN01"], numbers["M00"], numbers["OUT11"]) == (0.5, 1, 7, 16)
    assert [strength_in(numbers, block) for block in ("IN01", "IN00", "")] == [1, 0, 1]
    assert [block_weights(text) for text in ("1,0", "INS", "1,a" + ",0" * 10, "1" + ",nan" * 11)] == [None] * 4
    target, _part = found(SD1, "lora_unet_up_blocks_1_attentions_1_proj_in.alpha")
    assert target is not None
    assert SD1.block(target) == "OUT03"
    target, _part = found(SD1, "lora_unet_mid_block_attentions_0_proj_in.alpha")
    assert target is not None
    assert SD1.block(target) == "M00"
    target, _part = found(SD1, "lora_te_text_model_encoder_layers_0_mlp_fc1.alpha")
    assert target is not None
    assert SD1.block(target) == "BASE"
