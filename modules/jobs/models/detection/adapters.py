"""Tell LoRAs and their kin, and textual inversions, with the family that they were made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from modules.jobs.models.detection.tensors import Tensors

_LORA_ENDS = (
    ".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".lora.down.weight", ".lora.up.weight",
    "_lora.down.weight", "_lora.up.weight", ".lora_linear_layer.down.weight", ".hada_w1_a", ".lokr_w1", ".lokr_w1_a",
    ".oft_blocks", ".oft_diag", ".dora_scale", ".diff", ".diff_b", ".w_norm", ".lora_A.default.weight", ".on_input",
    "_lora1.down.weight", "_lora2.down.weight",
)  # fmt: skip
# What only a GLoRA has together.
_GLORA_ENDS = (".a1.weight", ".a2.weight", ".b1.weight", ".b2.weight")
_DOWN_ENDS = (
    ".lora_down.weight", ".lora_A.weight", ".lora.down.weight", "_lora.down.weight", ".lora_A.default.weight",
    ".hada_w1_b",
)  # fmt: skip
_BY_WORDS = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl-refiner"}
# Parts of names that one family has alone, the first that fits. They come with dots or underscores.
_BY_NAME = (
    ("joint_blocks.", "sd3"),
    ("txtfusion.", "Krea2Pipeline"),
    ("double_stream_blocks.", "HiDreamImagePipeline"),
    ("distilled_guidance", "chroma"),
    (".img_mlp.", "qwen-image"),
    ("stream_modulation", "flux2"),
    ("double_layers.", "AuraFlowPipeline"),
)
_FLUX = ("double_blocks.", "single_blocks.", "single_transformer_blocks.")
_BY_METADATA = {
    "sd_v1": "sd1", "sd_v2": "sd2", "sdxl": "sdxl", "sd3": "sd3", "flux1": "flux", "flux2": "flux2",
    "lumina2": "lumina2", "chroma": "chroma", "qwen": "qwen-image", "zimage": "z-image",
}  # fmt: skip
# A block of a transformer that only Stable Diffusion XL has: in each of the others' there is but one.
_DEEPER = re.compile(r"(?:down|up|mid|input|output|middle)\.blocks?\..*transformer\.blocks\.[1-9]")
# A textual inversion by the width of its vectors; 2048 are those of both of SDXL's text encoders, one behind the other.
_BY_VECTORS = {768: "sd1", 1024: "sd2", 1280: "sdxl", 2048: "sdxl", 4096: "flux"}
_EMBEDDING_NAMES = frozenset({"emb_params", "clip_l", "clip_g", "t5", "t5xxl", "t5_out", "clip_l_out", "clip_g_out"})
# What A1111 calls the vectors alone, and what is left of its pickles' names where somebody converted one.
_SURE_EMBEDDING_NAMES = frozenset({"emb_params", "string_to_param", "string_to_param.*", "*"})
_MOST_VECTORS = 1024


def is_lora(tensors: Tensors) -> bool:
    """Tell whether it changes another model's weights."""
    return tensors.ends(*_LORA_ENDS) or all(tensors.ends(end) for end in _GLORA_ENDS)


def words_width_of_lora(tensors: Tensors) -> int | None:
    """Return how wide the words are that it reads in the cross attention of a UNet; None: it changes nothing there."""
    return next((width for name, width in _downs(tensors) if width is not None and _takes_words(name)), None)


def family_of_lora(tensors: Tensors, metadata: Mapping[str, str]) -> str:
    """Return the family whose models it changes, "" where nothing tells."""
    widths = dict(_downs(tensors))
    for name, width in widths.items():
        if width in _BY_WORDS and _takes_words(name):
            return _BY_WORDS[width]
    for part, family in _BY_NAME:
        if any(part.replace("_", ".") in name for name in widths):
            return family
    return _by_width(widths) or _by_metadata(metadata) or _by_arrangement(widths)


def _downs(tensors: Tensors) -> Iterator[tuple[str, int | None]]:
    """Yield the parts that read a layer's input, by name with dots alone, and how wide that input is."""
    for name in tensors:
        if name.endswith(_DOWN_ENDS):
            yield name.replace("_", "."), tensors.side(1, name)


def find_embedding(tensors: Tensors) -> str | None:
    """Return the family that a textual inversion is for ("" where nothing tells), None where it is none.

    One vector has the shape (width,), several have (count, width). Under A1111's own name they may be of any width,
    such as that of a small model of which this program knows nothing.
    """
    vectors = {name: entry.shape for name, entry in tensors.entries.items() if name != "string_to_token"}
    if not 0 < len(vectors) <= 4 or not all(_is_vectors(shape) for shape in vectors.values()):
        return None
    sure = _SURE_EMBEDDING_NAMES.intersection(vectors)
    widths = [shape[-1] for shape in vectors.values()]
    if not sure and any(width not in _BY_VECTORS for width in widths):
        return None
    if len(vectors) > 1 and not sure and not set(vectors) <= _EMBEDDING_NAMES:
        return None
    if tensors.has("clip_l", "clip_g"):
        return "sdxl"
    if tensors.begins("t5"):
        return "flux"
    return _BY_VECTORS.get(widths[0], "") if len(vectors) == 1 else ""


def vectors_of_embedding(tensors: Tensors) -> tuple[int | None, int | None]:
    """Return how many tokens a textual inversion stands for, and how wide its vectors for one are, side by side.

    Of those of SDXL one half is for each of its text encoders. Vectors for a T5 are not counted.
    """
    shapes = [
        entry.shape
        for name, entry in tensors.entries.items()
        if name != "string_to_token" and not name.startswith("t5") and _is_vectors(entry.shape)
    ]
    if not shapes:
        return None, None
    return max(shape[0] if len(shape) == 2 else 1 for shape in shapes), sum(shape[-1] for shape in shapes)


def _is_vectors(shape: tuple[int, ...]) -> bool:
    return len(shape) == 1 or (len(shape) == 2 and 0 < shape[0] <= _MOST_VECTORS)


def _by_width(widths: Mapping[str, int | None]) -> str:
    """Return the family by how wide the layers of its transformer are."""
    flux = [width for name, width in widths.items() if any(part.replace("_", ".") in name for part in _FLUX)]
    if flux:
        return "flux2" if any(width in (6144, 15360) for width in flux) else _flux_or_klein(flux)
    layers = [width for name, width in widths.items() if "layers." in name and ("attention" in name)]
    if 3840 in layers:
        return "z-image"
    if 2304 in layers:
        return "lumina2"
    return ""


def _by_arrangement(widths: Mapping[str, int | None]) -> str:
    """Return the family of a UNet by how deep its transformers are, where not even the words' width tells it.

    A small UNet of Stable Diffusion 1's kind, for words of another width, is what its folder is: "sd1".
    """
    if any(_DEEPER.search(name) for name in widths):
        return "sdxl"
    return "sd1" if any(_takes_words(name) for name in widths) else ""


def _takes_words(name: str) -> bool:
    """Tell whether a layer of a UNet is given the words. `name` has dots alone; some of diffusers' have "processor"."""
    return ("attn2.to.k" in name or "attn2.processor.to.k" in name) and not name.startswith("lora.te")


def _flux_or_klein(widths: list[int | None]) -> str:
    return "flux2-klein" if any(width in (7680, 12288, 4096) for width in widths) and 3072 not in widths else "flux"


def _by_metadata(metadata: Mapping[str, str]) -> str:
    said = metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture", "")
    said = said.casefold()
    if "stable-diffusion-xl" in said:
        return "sdxl"
    if "stable-diffusion-v1" in said:
        return "sd1"
    return next((family for start, family in _BY_METADATA.items() if said.startswith(start)), "")
