"""What a single file is, by the names of its tensors; where those say nothing, by the folder that it comes from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from modules.jobs.models.places import Kind, kind_of_folder
from modules.jobs.models.safetensors_file import read_header, tensors_of

_LORA = (".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".hada_w1_a", ".lokr_w1", ".alpha")
_CHECKPOINT = ("first_stage_model.", "cond_stage_model.", "conditioner.", "model.diffusion_model.", "text_encoders.")
_TEXT_ENCODER = ("encoder.block.", "text_model.", "model.layers.", "transformer.resblocks.")
_CONTROL = ("control_model.", "zero_convs.", "controlnet_cond_embedding.", "controlnet_blocks.", "input_hint_block.")
_VAE = ("decoder.", "encoder.", "quant_conv.", "post_quant_conv.")
_MOST_OF_IT = 0.9


def kind_of_file(path: Path, remote: str) -> Kind:
    """Return which folder a file belongs into; `remote` is its path in the repository."""
    folders = [kind for part in PurePosixPath(remote).parts[:-1] if (kind := kind_of_folder(part)) is not None]
    if folders:
        return folders[-1]
    try:
        names = list(tensors_of(read_header(path)))
    except (OSError, ValueError):
        return "denoiser" if path.suffix.lower() == ".gguf" else "checkpoint"
    return _kind_of_names(names)


def _kind_of_names(names: list[str]) -> Kind:
    if any(name.endswith(_LORA) for name in names):
        return "lora"
    if any(name.startswith(_CONTROL) for name in names):
        return "controlnet"
    if any(name.startswith(_CHECKPOINT[:3]) for name in names):
        return "checkpoint"
    if names and sum(name.startswith(_VAE) for name in names) >= _MOST_OF_IT * len(names):
        is_text = any(name.startswith(_TEXT_ENCODER) for name in names)
        return "text_encoder" if is_text else "vae"
    if names and sum(name.startswith(_TEXT_ENCODER) for name in names) >= _MOST_OF_IT * len(names) - 2:
        return "text_encoder"
    if {"emb_params"} & set(names) or {"clip_l", "clip_g"} <= set(names):
        return "embedding"
    return "checkpoint"
