"""Make the networks of a model from recorded tensors: renamed, with the configuration that their shapes say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import diffusers
import transformers
from torch import nn

from modules.engine.models.empty_network import build_empty
from modules.engine.models.single_file.family_config import NetworkConfig
from modules.engine.models.single_file.filling import UnfitTensors, check_fit, wanted_by
from modules.engine.models.single_file.names_of_clip import clip_config, convert_clip
from modules.engine.models.single_file.names_of_flux import chroma_config, convert_flux, flux_config
from modules.engine.models.single_file.names_of_language_models import (
    convert_qwen3,
    convert_qwen25_vl,
    convert_t5,
    qwen3_config,
    qwen25_vl_config,
    t5_config,
)
from modules.engine.models.single_file.names_of_transformers import (
    convert_flux2,
    convert_qwen_image,
    convert_sd3,
    convert_z_image,
    flux2_config,
    qwen_image_config,
    sd3_config,
    z_image_config,
)
from modules.engine.models.single_file.names_of_unet import convert_unet, unet_config
from modules.engine.models.single_file.names_of_vae import (
    convert_flux2_vae,
    convert_qwen_image_vae,
    convert_vae,
    flux2_vae_config,
    qwen_image_vae_config,
    vae_config,
)
from modules.engine.models.single_file.recorded import Recorded, Tensors


class _Kind(NamedTuple):
    """How the tensors of a network are renamed, and how its configuration is read from their shapes then."""

    convert: Callable[[Tensors, Mapping[str, Any]], Tensors]
    config: Callable[[Tensors], dict[str, Any]]


_KINDS: Mapping[str, _Kind] = {
    "unet": _Kind(convert_unet, unet_config),
    "vae": _Kind(convert_vae, vae_config),
    "flux2-vae": _Kind(convert_flux2_vae, flux2_vae_config),
    "qwen-image-vae": _Kind(convert_qwen_image_vae, qwen_image_vae_config),
    "clip": _Kind(convert_clip, clip_config),
    "t5": _Kind(convert_t5, t5_config),
    "qwen3": _Kind(convert_qwen3, qwen3_config),
    "qwen25-vl": _Kind(convert_qwen25_vl, qwen25_vl_config),
    "sd3": _Kind(convert_sd3, sd3_config),
    "flux": _Kind(convert_flux, flux_config),
    "chroma": _Kind(convert_flux, chroma_config),
    "z-image": _Kind(convert_z_image, z_image_config),
    "qwen-image": _Kind(convert_qwen_image, qwen_image_config),
    "flux2": _Kind(convert_flux2, flux2_config),
}


def prepare_network(part: NetworkConfig, tensors: Tensors) -> tuple[nn.Module, dict[str, Recorded]]:
    """Return the network of a part, still without numbers, and the tensors for it under its own names.

    Raises:
        UnfitTensors: they are not those of such a network.
    """
    kind = _KINDS[part.kind]
    try:
        renamed = kind.convert(tensors, part.config)
        config = {**part.config, **kind.config(renamed)}
    except (KeyError, IndexError, StopIteration, ValueError, AttributeError, RuntimeError, TypeError) as error:
        raise UnfitTensors(
            f"its tensors are not those of a {part.class_name} ({type(error).__name__}: {error})"
        ) from error
    network = build_empty(lambda: _make(part, config))
    fitting = _named_as_wanted(network, renamed)
    check_fit(network, fitting)
    return network, fitting


def _make(part: NetworkConfig, config: Mapping[str, Any]) -> nn.Module:
    made: nn.Module
    if part.library == "diffusers":
        made = getattr(diffusers, part.class_name).from_config(dict(config))
    else:
        network = getattr(transformers, part.class_name)
        made = network(network.config_class(**config))
    if part.kind == "qwen25-vl":
        made.get_submodule("model").register_module("visual", None)  # What sees pictures is not loaded.
    return made


def _named_as_wanted(network: nn.Module, tensors: Tensors) -> dict[str, Recorded]:
    """Put the name of its inner network before a text encoder's tensors, where the class has one."""
    wanted = wanted_by(network)
    found = ((name, tensors[short]) for name in wanted if (short := _short(name, tensors)) is not None)
    return {name: one for name, one in found if isinstance(one, Recorded)}


def _short(name: str, tensors: Tensors) -> str | None:
    if name in tensors:
        return name
    bare = name.removeprefix("text_model.")
    return bare if bare in tensors else None
