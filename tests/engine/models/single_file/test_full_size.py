"""Models of full size, without their numbers: every tensor that the published files have finds its place.

The networks are those of the published configurations, on the meta device, under the names of the original files; only
Stable Diffusion 3 knows fewer places than it does, whose values take seconds to work out.
"""

from collections.abc import Callable, Mapping
from typing import Any

import diffusers
import pytest
import torch
from accelerate import init_empty_weights

from modules.engine.models.single_file.family_config import config_of
from modules.engine.models.single_file.networks import prepare_network
from modules.engine.models.single_file.recorded import Recorded
from modules.engine.models.single_file.stored import Stored
from tests.engine import original_flow_keys, original_keys
from tests.engine.original_keys import Tensors

_DOWN, _CROSS_DOWN = "DownBlock2D", "CrossAttnDownBlock2D"
_UP, _CROSS_UP = "UpBlock2D", "CrossAttnUpBlock2D"
_SDXL: Mapping[str, Any] = {
    "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
}  # fmt: skip
_SD1: Mapping[str, Any] = {
    "block_out_channels": (320, 640, 1280, 1280), "down_block_types": (_CROSS_DOWN,) * 3 + (_DOWN,),
    "up_block_types": (_UP,) + (_CROSS_UP,) * 3,
}  # fmt: skip
_KL: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512), "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4, "layers_per_block": 2,
}  # fmt: skip
_SD3: Mapping[str, Any] = {"joint_attention_dim": 4096, "pooled_projection_dim": 2048, "out_channels": 16}

# Family, part, the network's configuration, the names of the file, and its parameters in millions where published.
Case = tuple[str, str, Mapping[str, Any], Callable[[Tensors], Tensors], float]
CASES: Mapping[str, Case] = {
    "sd1": ("sd1", "unet", {**_SD1, "cross_attention_dim": 768}, original_keys.unet, 859.5),
    "sdxl": (
        "sdxl", "unet",
        {**_SDXL, "block_out_channels": (320, 640, 1280), "down_block_types": (_DOWN, _CROSS_DOWN, _CROSS_DOWN),
         "up_block_types": (_CROSS_UP, _CROSS_UP, _UP), "transformer_layers_per_block": (1, 2, 10),
         "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
         "projection_class_embeddings_input_dim": 2816},
        original_keys.unet, 2567.5,
    ),
    "refiner": (
        "sdxl-refiner", "unet",
        {**_SDXL, "block_out_channels": (384, 768, 1536, 1536), "transformer_layers_per_block": 4,
         "down_block_types": (_DOWN, _CROSS_DOWN, _CROSS_DOWN, _DOWN), "attention_head_dim": (6, 12, 24, 24),
         "up_block_types": (_UP, _CROSS_UP, _CROSS_UP, _UP), "cross_attention_dim": 1280,
         "projection_class_embeddings_input_dim": 2560},
        original_keys.unet, 2259.5,
    ),
    "vae": ("sdxl", "vae", {**_KL, "latent_channels": 4}, original_keys.vae, 83.65),
    "vae of flux2": ("flux2-klein", "vae", {}, original_flow_keys.flux2_vae, 84.05),
    "vae of qwen-image": ("qwen-image", "vae", {}, original_flow_keys.wan_vae, 126.9),
    "sd3 medium": (
        "sd3", "transformer",
        {**_SD3, "num_layers": 24, "num_attention_heads": 24, "caption_projection_dim": 1536,
         "pos_embed_max_size": 12},
        original_flow_keys.sd3, 2028,
    ),
    "sd3.5 medium": (
        "sd3", "transformer",
        {**_SD3, "num_layers": 24, "num_attention_heads": 24, "caption_projection_dim": 1536,
         "pos_embed_max_size": 24, "qk_norm": "rms_norm", "dual_attention_layers": tuple(range(13))},
        original_flow_keys.sd3, 2243,
    ),
    "flux dev": ("flux", "transformer", {"guidance_embeds": True}, original_flow_keys.flux, 11901),
    "sd2": (
        "sd2", "unet",
        {**_SD1, "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True},
        original_keys.unet, 865.9,
    ),
    "chroma": ("chroma", "transformer", {}, original_flow_keys.flux, 8900),
    "z-image": ("z-image", "transformer", {}, original_flow_keys.z_image, 6155),
    "qwen-image": ("qwen-image", "transformer", {}, dict, 20430),
    "klein 4b": (
        "flux2-klein", "transformer",
        {"num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24, "joint_attention_dim": 7680,
         "guidance_embeds": False},
        original_flow_keys.flux, 3876,
    ),
}  # fmt: skip


class _Named(Stored):
    """Stands for a tensor in a file."""

    def __init__(self, shape: torch.Size, dtype: torch.dtype) -> None:
        self.__dict__.update(_shape=tuple(shape), _dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        found: tuple[int, ...] = self.__dict__["_shape"]
        return found

    @property
    def dtype(self) -> torch.dtype:
        found: torch.dtype = self.__dict__["_dtype"]
        return found


@pytest.mark.parametrize("case", CASES)
def test_every_tensor_of_a_published_file_finds_its_place(case: str) -> None:
    family, part, config, original, millions = CASES[case]
    told = config_of(family).networks[part]
    with init_empty_weights():
        published: Any = getattr(diffusers, told.class_name)(**config)
    named = original({name: one.to("meta") for name, one in published.state_dict().items()})
    file: Any = {name: Recorded.of(_Named(one.shape, one.dtype)) for name, one in named.items()}
    made, fitting = prepare_network(told, file)
    network: Any = made
    wanted = {name: one.shape for name, one in published.state_dict().items() if "num_batches" not in name}
    assert {name: one.shape for name, one in network.state_dict().items() if "num_batches" not in name} == wanted
    assert fitting.keys() == wanted.keys()
    # Nothing of the file is left over.
    used = {id(one) for tensor in fitting.values() for one in tensor.stored()}
    assert len(used) == len([name for name in named if "num_batches" not in name])
    assert sum(one.numel() for one in published.parameters()) / 1e6 == pytest.approx(millions, rel=0.005)
    heads = ("num_attention_heads", "attention_head_dim", "n_heads", "transformer_layers_per_block")
    for name in heads:
        expected: Any = published.config.get(name)
        found: Any = network.config.get(name)
        assert _listed(found) == _listed(expected), name


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
