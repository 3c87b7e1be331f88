"""A UNet in GGUF, as ComfyUI's tools write them, with text encoder and VAE in another file."""

from pathlib import Path

import gguf
import numpy
import torch
from safetensors.torch import load_file

from modules.jobs.models.tensor_file import read_tensor_header
from tests.engine import original_keys
from tests.engine.models.single_file.comparing import load, same_weights
from tests.engine.tiny_files import Both

_UNET = "model.diffusion_model."
_KIND = gguf.GGMLQuantizationType.Q8_0


def write_unet(path: Path, checkpoint: Path) -> dict[str, torch.Tensor]:
    """Write the UNet of a checkpoint, convolutions flat with their shapes beside them; return what it then holds."""
    held: dict[str, torch.Tensor] = {}
    writer = gguf.GGUFWriter(str(path), "sd1")
    for name, tensor in load_file(checkpoint).items():
        if not name.startswith(_UNET):
            continue
        name, numbers = name.removeprefix(_UNET), tensor.float().numpy()
        if numbers.ndim == 4 and numbers.size % 32 == 0:
            writer.add_array(f"comfy.gguf.orig_shape.{name}", list(numbers.shape))
            packed = gguf.quants.quantize(numbers.reshape(-1, 32), _KIND)
        elif numbers.ndim == 2 and numbers.shape[1] % 32 == 0:
            packed = gguf.quants.quantize(numbers, _KIND)
        else:
            writer.add_tensor(name, numbers)
            held[name] = tensor.float()
            continue
        writer.add_tensor(name, packed, raw_dtype=_KIND)
        held[name] = torch.from_numpy(numpy.array(gguf.quants.dequantize(packed, _KIND))).reshape(tensor.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return held


def test_a_unet_in_gguf_has_the_numbers_that_were_packed(sd1: Both, tmp_path: Path) -> None:
    path = tmp_path / "unet.gguf"
    held = write_unet(path, sd1.file)
    header = read_tensor_header(path)
    assert {name: entry.shape for name, entry in header.tensors.items()} == {
        name: tuple(tensor.shape) for name, tensor in held.items()
    }
    assert {entry.dtype for entry in header.tensors.values()} == {"Q8_0", "F32"}
    model = load(path, parts=(("text_encoder", sd1.file), ("vae", sd1.file)))
    loaded = original_keys.unet(model.pipeline.unet.state_dict())
    assert loaded.keys() == held.keys()
    for name, tensor in loaded.items():
        assert torch.equal(tensor, held[name]), name
    assert same_weights(model.pipeline.vae, load(sd1.file).pipeline.vae)
