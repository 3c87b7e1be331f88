"""Networks of several architectures are shown tiles and give pictures, also where half precision is too small."""

from pathlib import Path

import numpy as np
import pytest
import torch

from modules.engine.models.devices import Device
from modules.engine.upscaling.network import load_network
from modules.errors import ModelError
from tests.engine.tiny_upscalers import esrgan, save

CPU = Device("cpu", "CPU")


def nothing(_fraction: float) -> None:
    """Take note of no progress."""


def tile(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning")  # spandrel's SwinIR calls it in an old way
def test_one_that_works_in_windows_takes_tiles_of_any_size(tmp_path: Path) -> None:
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(0)
    network = SwinIR(
        upscale=2, img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2], mlp_ratio=2,
        upsampler="pixelshuffledirect", resi_connection="1conv",
    )  # fmt: skip
    loaded = load_network(save(network, tmp_path / "swinir.pth"), CPU, nothing)
    assert loaded.scale == 2
    assert loaded.enlarge(tile(21, 13)).shape == (26, 42, 3)


def test_one_of_one_colour_works_on_each_colour(tmp_path: Path) -> None:
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(0)
    network = Compact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=1, upscale=2)
    loaded = load_network(save(network, tmp_path / "grey.safetensors"), CPU, nothing)
    shown = tile(8, 6)
    made = loaded.enlarge(shown)
    assert made.shape == (12, 16, 3)
    alone = loaded.enlarge(np.repeat(shown[:, :, 1:2], 3, axis=2))
    assert np.allclose(made[:, :, 1], alone[:, :, 0], atol=1e-3)


def test_where_half_precision_gives_no_numbers_it_goes_on_in_float32(tmp_path: Path) -> None:
    network = esrgan()
    network.model[0].weight.data *= 1e5  # What it makes is beyond 65504.
    network.model[3].weight.data *= 1e-5
    path = save(network, tmp_path / "a.safetensors")
    exact, half = load_network(path, CPU, nothing), load_network(path, CPU, nothing)
    half.module.half()
    made = half.enlarge(tile(12, 10))
    assert next(half.module.parameters()).dtype == torch.float32
    assert np.isfinite(made).all()
    assert made.shape == exact.enlarge(tile(12, 10)).shape


def test_one_that_gives_no_numbers_at_all_is_told(tmp_path: Path) -> None:
    network = esrgan()
    network.model[0].weight.data[:] = torch.nan
    loaded = load_network(save(network, tmp_path / "nan.safetensors"), CPU, nothing)
    with pytest.raises(ModelError, match=r"nan\.safetensors gave a picture without numbers: use another upscaler"):
        loaded.enlarge(tile(8, 8))


def test_one_for_faces_enlarges_nothing(tmp_path: Path) -> None:
    weights = {"stylegan_decoder.style_mlp.1.weight": torch.zeros(1), "toRGB.0.weight": torch.zeros(1)}
    torch.save(weights, tmp_path / "GFPGAN.pth")
    with pytest.raises(ModelError, match="does not hold the network that its names say"):
        load_network(tmp_path / "GFPGAN.pth", CPU, nothing)
