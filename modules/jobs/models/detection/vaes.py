"""Tell decoders of latents by how many channels they take. Some differ in their weights alone: then the name speaks."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from modules.jobs.models.detection.tensors import Tensors

_WAN = ("decoder.middle.0.residual.0.gamma", "decoder.mid_block.resnets.0.norm1.gamma")
_FILMS = ("decoder.time_conv_out.weight", "decoder.temp_conv_in.weight")
_WAN_22 = ("decoder.upsamples.0.upsamples.0.residual.0.gamma",)
_FIRST_OF_WANS_KIND = ("decoder.conv_in.weight", "decoder.conv_in.conv.weight", "decoder.conv1.weight")
_OF_WANS_KIND = {16: "qwen-image", 64: "Qwen-Image 2.1", 32: "Hunyuan 1.5"}
_TINY = ("taesd_decoder.1.weight", "decoder.layers.0.weight")
_DC_AE = ("decoder.stages.1.op_list.0.main.conv.conv.bias", "encoder.project_in.conv.bias")


@dataclass(frozen=True)
class FoundVae:
    """A decoder of latents. `kind` is a `VaeKind` of `family_facts.py`, or what people call one that no family has."""

    kind: str
    channels: int | None
    tiny: bool = False
    video: bool = False


def find_vae(tensors: Tensors, words: Set[str] = frozenset()) -> FoundVae | None:
    """Return what a VAE decodes, None where it is none. `words` are those of the file's name, case-folded."""
    return _find_tiny(tensors, words) or _find_large(tensors, words)


def _find_large(tensors: Tensors, words: Set[str]) -> FoundVae | None:
    if tensors.has_any(*_WAN):
        # Those of Wan 2.1 are Qwen-Image's, and their weights decode the same latents.
        channels = (
            tensors.side(1, "decoder.conv_in.weight", "decoder.conv_in.conv.weight", "decoder.conv1.weight") or 16
        )
        if tensors.has_any(*_WAN_22) or channels == 48:
            return FoundVae("Wan 2.2", 48, video=True)
        return FoundVae(_OF_WANS_KIND.get(channels, ""), channels)
    if tensors.has_any(*_DC_AE):
        return FoundVae("dc-ae", tensors.side(1, "decoder.project_in.conv.weight", "decoder.conv_in.weight") or 32)
    shape = tensors.shape("decoder.conv_in.weight")
    if len(shape) != 4:
        return None
    channels = shape[1]
    if tensors.has_any(*_FILMS):
        return FoundVae("a model of films", channels, video=True)
    match channels:
        case 4:
            return FoundVae("sdxl" if words & {"sdxl", "xl"} else "sd", 4)
        case 16:
            return FoundVae("sd3" if _names_sd3(words) else "flux", 16)
        case 32:
            return FoundVae("flux2" if "bn.running_mean" in tensors else "dc-ae", 32)
        case 64:
            return FoundVae("HunyuanImage", 64)
    return FoundVae("", channels)


def _find_tiny(tensors: Tensors, words: Set[str]) -> FoundVae | None:
    if "decoder.22.bias" in tensors:
        return FoundVae("TAEHV", None, tiny=True, video=True)
    if tensors.has("1.weight", "3.conv.0.weight") or tensors.has_any(*_TINY):
        channels = tensors.side(1, "1.weight", "taesd_decoder.1.weight", "decoder.layers.0.weight")
        kind = {4: "sdxl" if words & {"taesdxl", "sdxl", "xl"} else "sd", 32: "flux2"}.get(channels or 0, "flux")
        if channels == 16 and ((words & {"taesd"} and "3" in words) or _names_sd3(words)):
            kind = "sd3"
        return FoundVae(kind, channels, tiny=True)
    return None


def _names_sd3(words: Set[str]) -> bool:
    return bool(words & {"sd3", "sd35"}) or {"sd", "3"} <= words or {"sd", "35"} <= words
