"""What a denoiser is drawn with: which of it is inside its file, and what must lie beside it."""

from __future__ import annotations

from collections.abc import Mapping

from modules.jobs.models.detection.split import Split
from modules.jobs.models.detection.vaes import find_vae
from modules.jobs.models.family_facts import FamilyFacts

_FEWEST_TENSORS = 2  # A file without a text encoder may still have a number or two of one.
# What files of these are called by those who publish them.
_USUAL_FILES: Mapping[str, str] = {
    "clip_l": "clip_l.safetensors", "clip_h": "a safetensors of OpenCLIP ViT-H", "clip_g": "clip_g.safetensors",
    "t5xxl": "t5xxl_fp16.safetensors", "qwen3_4b": "qwen_3_4b.safetensors", "qwen3_8b": "qwen_3_8b.safetensors",
    "qwen25_7b": "qwen_2.5_vl_7b.safetensors", "gemma2_2b": "gemma_2_2b_fp16.safetensors",
    "mistral3_24b": "mistral_3_small_flux2_bf16.safetensors",
    "sd": "vae-ft-mse-840000-ema-pruned.safetensors", "sdxl": "sdxl_vae.safetensors", "sd3": "sd3_vae.safetensors",
    "flux": "ae.safetensors", "flux2": "flux2-vae.safetensors", "qwen-image": "qwen_image_vae.safetensors",
    "dc-ae": "dc-ae-f32c32-sana-1.1.safetensors",
}  # fmt: skip


def parts_inside(split: Split, facts: FamilyFacts) -> frozenset[str]:
    """Return the parts of the pipeline that have weights in a file, by their names there."""
    parts: set[str] = {facts.denoiser}
    if find_vae(split.vae) is not None:
        parts.add("vae")
    for prefix, tensors in split.encoders.items():
        counts: dict[str, int] = {}
        for name in tensors:
            part = _part_of(prefix, name, facts)
            if part is not None:
                counts[part] = counts.get(part, 0) + 1
        parts |= {part for part, count in counts.items() if count >= _FEWEST_TENSORS}
    return frozenset(parts)


def parts_needed(parts: frozenset[str], facts: FamilyFacts) -> Mapping[str, str]:
    """Return what must lie beside a file with these parts: the part's name, and the kind that does it."""
    wanted: dict[str, str] = {
        part: kind for part, kind in facts.text_encoders.items() if part not in facts.optional_encoders
    }
    wanted["vae"] = facts.vae
    return {part: kind for part, kind in wanted.items() if part not in parts}


def say_missing(part: str, kind: str) -> str:
    """Return the sentence that asks for a companion that is nowhere: which, and where to put it."""
    usual = _USUAL_FILES.get(kind, kind)
    if part == "vae":
        return f"It has no VAE inside, and none for it ({kind}) was found: put {usual} into models/VAE."
    return f"Its text encoder {kind} is not inside, and was found nowhere: put {usual} into models/text_encoder."


def _part_of(prefix: str, name: str, facts: FamilyFacts) -> str | None:
    """Return the part that a tensor below one of the prefixes of text encoders belongs to."""
    if prefix == "cond_stage_model.":
        return "text_encoder" if "text_encoder" in facts.text_encoders else None
    if prefix == "conditioner.":
        encoders = sorted(facts.text_encoders)  # A refiner has the second alone, as its first.
        number = {"embedders.0.": 0, "embedders.1.": 1}.get(name[: len("embedders.0.")])
        return encoders[number] if number is not None and number < len(encoders) else None
    called = name.partition(".")[0]
    return next((part for part, kind in facts.text_encoders.items() if kind == called), None)
