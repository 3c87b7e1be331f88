"""Tell the variants of a family of transformers by what the weights show, and which of them are not drawn with."""

from __future__ import annotations

from modules.jobs.models.detection.tensors import Tensors

Variant = tuple[str, str | None]
_PIXELS = "draws pixels and no latents, which no pipeline of diffusers does"


def none(tensors: Tensors) -> Variant:
    """Return that nothing tells a variant."""
    return "", None


def of_sd3(tensors: Tensors) -> Variant:
    """Tell 3 from 3.5, which has norms on its queries, and the large one, 38 blocks deep and as many times 64 wide."""
    width = tensors.side(0, "x_embedder.proj.weight", "pos_embed.proj.weight")
    if width == 38 * 64:
        return "3.5-large", None
    normed = tensors.has_any(
        "joint_blocks.0.context_block.attn.ln_q.weight", "joint_blocks.0.x_block.attn.ln_q.weight",
        "transformer_blocks.0.attn.norm_q.weight",
    )  # fmt: skip
    return ("3.5-medium" if normed else "medium"), None


def of_klein(tensors: Tensors) -> Variant:
    """Tell the sizes by the width of the words, which is that of the text encoder."""
    width = tensors.side(1, "txt_in.weight", "context_embedder.weight")
    return ("9b" if width == 12288 else "4b"), None


def of_chroma(tensors: Tensors) -> Variant:
    """Tell Radiance, which decodes by itself."""
    return ("radiance", _PIXELS) if tensors.begins("nerf_blocks.") else ("", None)


def of_flux(tensors: Tensors) -> Variant:
    """Tell dev, which is given its guidance, from schnell, and those that take the channels of pictures too."""
    channels = tensors.side(1, "img_in.weight", "x_embedder.weight")
    made = tensors.side(0, "final_layer.linear.weight", "proj_out.weight")
    if channels and made and channels != made:
        variant = {2: "control", 6: "fill"}.get(channels // made if channels % made == 0 else 0)
        return (variant, None) if variant else ("", f"takes {channels} channels and returns {made}")
    guided = tensors.has_any("guidance_in.in_layer.weight", "time_text_embed.guidance_embedder.linear_1.weight")
    return ("dev" if guided else "schnell"), None


def of_z_image(tensors: Tensors) -> Variant:
    """Tell Omni, which sees pictures."""
    if tensors.begins("dec_net.cond_embed"):
        return "", _PIXELS
    return ("omni" if "siglip_embedder.0.weight" in tensors else "turbo"), None


def of_qwen_image(tensors: Tensors) -> Variant:
    """Tell the third edition of Edit, which has a marker, and Layered, which has an embedding of its own."""
    if "time_text_embed.addition_t_embedding.weight" in tensors:
        return "layered", None
    return ("edit-plus" if "__index_timestep_zero__" in tensors else ""), None


def of_sana(tensors: Tensors) -> Variant:
    """Tell Sprint, which is given its guidance."""
    guided = tensors.begins("cfg_embedder.", "time_embed.guidance_embedder.")
    return ("sprint" if guided else ""), None
