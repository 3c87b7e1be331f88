"""LoRAs and textual inversions for tests: small files that say what real ones say of themselves."""

from collections.abc import Mapping
from pathlib import Path

from tests.jobs.made_files import Shape, write_file

CROSS = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"


def make_lora(
    path: Path,
    width: int = 768,
    rank: int = 4,
    contents: bytes | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a LoRA on one layer that reads words `width` numbers wide; `contents` are the bytes of its first part."""
    tensors = {f"{CROSS}.lora_down.weight": (rank, width), f"{CROSS}.lora_up.weight": (320, rank)}
    data = {f"{CROSS}.lora_down.weight": contents} if contents is not None else None
    return write_file(path, tensors, metadata=metadata, contents=data)


def make_embedding(path: Path, width: int = 768, vectors: int = 2) -> Path:
    """Write a textual inversion of so many vectors, as A1111 writes them."""
    return write_file(path, {"emb_params": (vectors, width)}, dtype="F32")


def make_pair(path: Path, vectors: int = 2) -> Path:
    """Write a textual inversion for both text encoders of SDXL."""
    shapes: Mapping[str, Shape] = {"clip_l": (vectors, 768), "clip_g": (vectors, 1280)}
    return write_file(path, shapes, dtype="F32")
