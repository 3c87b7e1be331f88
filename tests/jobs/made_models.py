"""Model folders for tests: the files that a model in diffusers layout has, with next to nothing in them."""

import hashlib
import json
from pathlib import Path
from typing import Any

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "safety_checker": [None, None],
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "requires_safety_checker": False,
}


def safetensors_bytes(content: bytes = b"\0" * 16) -> bytes:
    """Return a safetensors file with one tensor."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [len(content) // 4], "data_offsets": [0, len(content)]}})
    return len(header).to_bytes(8, "little") + header.encode() + content


def make_model(folder: Path, weights: bytes = b"\0" * 16, **configs: dict[str, Any]) -> Path:
    """Write a whole model; `configs` replaces config.json of the components that it names."""
    files: dict[str, bytes] = {"model_index.json": json.dumps(INDEX).encode()}
    files["scheduler/scheduler_config.json"] = b"{}"
    files["tokenizer/tokenizer.json"] = b"{}"
    defaults: dict[str, dict[str, Any]] = {
        "unet": {"sample_size": 64},
        "vae": {"block_out_channels": [1, 2, 3, 4]},
        "text_encoder": {},
    }
    for component, config in (defaults | configs).items():
        stem = "model" if component == "text_encoder" else "diffusion_pytorch_model"
        files[f"{component}/config.json"] = json.dumps(config).encode()
        files[f"{component}/{stem}.safetensors"] = safetensors_bytes(weights)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def make_vae(path: Path, channels: int = 4, first: str = "decoder.conv_in.weight") -> Path:
    """Write a VAE in a file of its own, with as much in it as tells that it is one."""
    shape = [2, channels, 3, 3]
    content = bytes(4 * 2 * channels * 9)
    header = json.dumps({first: {"dtype": "F32", "shape": shape, "data_offsets": [0, len(content)]}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content)
    return path


def hash_of_the_first_versions(folder: Path) -> str:
    """Return what version 0.1.0 wrote of a model's folder: SHA-256 over all weights in its folders."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.safetensors"), key=lambda path: path.relative_to(folder).as_posix()):
        data = path.read_bytes()
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
