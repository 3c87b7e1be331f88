"""Load a model as the engine does and as diffusers does, and compare the two."""

from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from torch import nn

from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.shared_state import State

# What differs in the configurations and changes no picture.
_NO_MATTER = {
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "sample_size",
    "penultimate",
    "identity_projection",
}


def load(file: Path, family: str = "sd1", dtype: str = "float32", **more: Any) -> LoadedModel:
    """Load a file as the engine does."""
    key = ModelKey(file, "x", dtype, family=family, **more)
    return ModelCache(best_device(), Cancel(State())).get(key, lambda fraction: None)


def stock_of(folder: Path) -> Any:
    """Load a folder as diffusers does; its weights in memory of their own, since mapped ones have other last bits."""
    none = {} if any(folder.glob("tokenizer*")) else {"tokenizer": None}
    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True, **none)
    for network in networks_of(pipeline).values():
        for parameter in network.parameters():
            parameter.data = parameter.data.clone()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def networks_of(pipeline: Any) -> dict[str, nn.Module]:
    """Return the parts of a pipeline that have weights."""
    return {name: one for name, one in pipeline.components.items() if isinstance(one, nn.Module)}


def settings_of(part: Any) -> dict[str, Any]:
    """Return the configuration of a part, as far as it changes a picture."""
    config = part.config if hasattr(part.config, "items") else part.config.to_dict()
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in config.items()
        if name not in _NO_MATTER and not name.startswith("_")
    }


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Tell whether two networks have the same tensors, to the bit."""
    state = other.state_dict()
    return state.keys() == one.state_dict().keys() and all(
        torch.equal(tensor, state[name]) for name, tensor in one.state_dict().items()
    )
