"""What the networks of diffusers call their tensors is what they are known by: of each class, without weights."""

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from modules.jobs.models.detection.detect import identify
from modules.jobs.models.detection.found import Found
from modules.jobs.models.tensor_header import TensorEntry, TensorHeader

_BOTH: dict[str, Any] = {"num_layers": 1, "num_single_layers": 1}
DENOISERS: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "SD 1": ("UNet2DConditionModel", {"cross_attention_dim": 768}, ("sd1", "")),
    "SD 1 inpainting": ("UNet2DConditionModel", {"cross_attention_dim": 768, "in_channels": 9}, ("sd1", "inpaint")),
    "SD 2": ("UNet2DConditionModel", {"cross_attention_dim": 1024, "use_linear_projection": True}, ("sd2", "")),
    "SD 3": ("SD3Transformer2DModel", {"num_layers": 1}, ("sd3", "medium")),
    "SD 3.5 Medium": ("SD3Transformer2DModel", {"num_layers": 1, "qk_norm": "rms_norm"}, ("sd3", "3.5-medium")),
    "Flux.1 dev": ("FluxTransformer2DModel", _BOTH | {"guidance_embeds": True}, ("flux", "dev")),
    "Flux.1 schnell": ("FluxTransformer2DModel", _BOTH, ("flux", "schnell")),
    "Flux.1 Fill": (
        "FluxTransformer2DModel",
        _BOTH | {"guidance_embeds": True, "in_channels": 384, "out_channels": 64},
        ("flux", "fill"),
    ),
    "Flux.2": ("Flux2Transformer2DModel", _BOTH, ("flux2", "")),
    "Flux.2 klein 9B": (
        "Flux2Transformer2DModel",
        _BOTH | {"guidance_embeds": False, "joint_attention_dim": 12288},
        ("flux2-klein", "9b"),
    ),
    "Chroma": ("ChromaTransformer2DModel", _BOTH, ("chroma", "")),
    "Z-Image": ("ZImageTransformer2DModel", {"n_layers": 1}, ("z-image", "turbo")),
    "Qwen-Image": ("QwenImageTransformer2DModel", {"num_layers": 1}, ("qwen-image", "")),
    "Lumina 2": ("Lumina2Transformer2DModel", {"num_layers": 1, "cap_feat_dim": 2304}, ("lumina2", "")),
    "Sana": ("SanaTransformer2DModel", {"num_layers": 1}, ("sana", "")),
    "Sana Sprint": ("SanaTransformer2DModel", {"num_layers": 1, "guidance_embeds": True}, ("sana", "sprint")),
    "PixArt-Σ": (
        "PixArtTransformer2DModel",
        {"num_layers": 1, "caption_channels": 4096, "use_additional_conditions": False},
        ("pixart-sigma", ""),
    ),
    "PixArt-α": ("PixArtTransformer2DModel", {"num_layers": 1, "caption_channels": 4096}, ("PixArtAlphaPipeline", "")),
    "AuraFlow": ("AuraFlowTransformer2DModel", {"num_mmdit_layers": 1}, ("AuraFlowPipeline", "")),
    "Krea 2": ("Krea2Transformer2DModel", {"num_layers": 1}, ("Krea2Pipeline", "")),
    "Qwen-Image 2.1": ("QwenImage21Transformer2DModel", {"num_layers": 1}, ("QwenImage21Pipeline", "")),
    "Nucleus": ("NucleusMoEImageTransformer2DModel", {"num_layers": 1}, ("NucleusMoEImagePipeline", "")),
    "Ovis": ("OvisImageTransformer2DModel", _BOTH, ("OvisImagePipeline", "")),
    "HunyuanImage": ("HunyuanImageTransformer2DModel", _BOTH, ("HunyuanImagePipeline", "")),
    "CogView 4": ("CogView4Transformer2DModel", {"num_layers": 1}, ("CogView4Pipeline", "")),
}  # fmt: skip
FILMS = {
    "WanTransformer3DModel": {"num_layers": 1},
    "LTXVideoTransformer3DModel": {"num_layers": 1},
    "MochiTransformer3DModel": {"num_layers": 1},
    "CogVideoXTransformer3DModel": {"num_layers": 1},
    "HunyuanVideoTransformer3DModel": _BOTH,
}
VAES = {
    "AutoencoderKL": ("sd", 4),
    "AutoencoderKLFlux2": ("flux2", 32),
    "AutoencoderKLQwenImage": ("qwen-image", 16),
    "AutoencoderKLWan": ("qwen-image", 16),
    "AutoencoderDC": ("dc-ae", 32),
}


def detected(class_name: str, config: dict[str, Any]) -> Found:
    """Return what a file with the tensors of such a network is found to be."""
    with torch.device("meta"):
        tensors = getattr(diffusers, class_name)(**config).state_dict()
    entries = {name: TensorEntry("F16", tuple(one.shape), 0, 0) for name, one in tensors.items()}
    return identify(TensorHeader(Path("model.safetensors"), "safetensors", 0, entries))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # diffusers about its own imports
@pytest.mark.parametrize("name", DENOISERS)
def test_denoisers(name: str) -> None:
    class_name, config, expected = DENOISERS[name]
    found = detected(class_name, config)
    assert (found.role, found.family, found.variant) == ("denoiser", *expected)


@pytest.mark.parametrize("class_name", FILMS)
def test_networks_for_films(class_name: str) -> None:
    found = detected(class_name, FILMS[class_name])
    assert found.role == "video"
    assert class_name.startswith(found.label)


@pytest.mark.parametrize("class_name", VAES)
def test_vaes(class_name: str) -> None:
    found = detected(class_name, {})
    assert (found.role, found.kind, found.latent_channels) == ("vae", *VAES[class_name])
