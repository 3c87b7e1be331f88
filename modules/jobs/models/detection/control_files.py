"""Tell what is put beside a denoiser to give it a picture: ControlNets, adapters of several makers."""

from __future__ import annotations

from modules.jobs.models.detection.found import Role
from modules.jobs.models.detection.tensors import Tensors

_FAMILY_OF_WIDTH = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl-refiner"}
_XLABS = ("double_blocks.0.img_attn.norm.key_norm.scale", "double_blocks.0.linear1.weight")


def find_control_file(tensors: Tensors) -> tuple[Role, str, str] | None:
    """Return its role, its family and what people call it; None where it is none of these."""
    found = _find_controlnet(tensors)
    if found is not None:
        return "controlnet", *found
    found = _find_adapter(tensors)
    return ("adapter", *found) if found is not None else None


def _find_controlnet(tensors: Tensors) -> tuple[str, str] | None:
    if "lora_controlnet" in tensors:
        return "sdxl", "a Control-LoRA"
    for prefix in ("control_model.", ""):
        if f"{prefix}zero_convs.0.0.weight" in tensors:
            return _family_by_words(tensors), "a ControlNet"
    if "controlnet_cond_embedding.conv_in.weight" in tensors:
        told = "control_add_embedding.linear_1.bias" in tensors
        return _family_by_words(tensors), "a ControlNet Union" if told else "a ControlNet"
    if tensors.has_any("control_all_x_embedder.2-1.weight") or tensors.begins("control_noise_refiner."):
        return "z-image", "a ControlNet"
    if tensors.has("control_img_in.weight", "control_blocks.0.after_proj.weight"):
        return "qwen-image", "a ControlNet"
    if tensors.has_any("controlnet_blocks.0.weight", "controlnet_blocks.0.linear.weight"):
        return _family_of_transformer(tensors), "a ControlNet"
    return None


def _family_of_transformer(tensors: Tensors) -> str:
    if "transformer_blocks.0.img_mlp.net.0.proj.weight" in tensors:
        return "qwen-image"
    if tensors.has_any("controlnet_x_embedder.weight", *_XLABS, "controlnet_blocks.0.linear.weight"):
        return "flux"
    return "sd3" if tensors.begins("pos_embed_input.", "transformer_blocks.0.", "joint_blocks.0.") else ""


def _family_by_words(tensors: Tensors) -> str:
    """Return the family of a UNet's ControlNet by the width of its words."""
    if tensors.has_any("add_embedding.linear_1.weight", "label_emb.0.0.weight", "control_model.label_emb.0.0.weight"):
        return "sdxl"
    for name in tensors:
        if name.endswith("attn2.to_k.weight"):
            return _FAMILY_OF_WIDTH.get(tensors.side(1, name) or 0, "")
    return ""


def _find_adapter(tensors: Tensors) -> tuple[str, str] | None:
    if "ip_adapter.1.to_k_ip.weight" in tensors:
        return _FAMILY_OF_WIDTH.get(tensors.side(1, "ip_adapter.1.to_k_ip.weight") or 0, ""), "an IP-Adapter"
    if tensors.begins("ip_adapter_proj_model.") or tensors.begins("ip_adapter."):
        return "", "an IP-Adapter"
    if "redux_up.weight" in tensors:
        return "flux", "a Redux adapter"
    if tensors.begins("lllite_unet_"):
        return "sdxl", "a ControlNet-LLLite"
    if "adapter.body.0.resnets.0.block1.weight" in tensors:
        return "", "a T2I-Adapter"
    if tensors.has_any("body.0.in_conv.weight") or tensors.has("conv_in.weight", "body.0.block2.weight"):
        width = tensors.side(1, "conv_in.weight")
        return {256: "sdxl", 768: "sdxl", 64: "sd1", 192: "sd1"}.get(width or 0, ""), "a T2I-Adapter"
    return None
