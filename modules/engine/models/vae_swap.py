"""Another VAE in the place of a model's own, without loading the rest anew; and back."""

from __future__ import annotations

import json
import logging
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from modules.engine.families.base import vae_name
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.vae_weights import load_vae
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError
from modules.jobs.models.vae_file import VaeFile, stamp_of_file

logger = logging.getLogger(__name__)


class VaeSwap:
    """Keeps the VAE that was loaded last, and knows the own one of each model."""

    def __init__(self, cache: ModelCache, cancel: Cancel) -> None:
        self._cache = cache
        self._cancel = cancel
        self._own: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # by pipeline
        self._kept: tuple[str, nn.Module] | None = None

    def use(self, model: LoadedModel, vae: VaeFile | None) -> None:
        """Let a model decode with this VAE; None: with its own.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: it does not go with the model, or cannot be loaded.
        """
        pipeline, name = model.pipeline, vae_name(model.pipeline)
        if name is None:
            if vae is None:
                return
            raise ModelError(f"{model.key.path.name} works without a VAE: choose None for it.")
        own = self._own.setdefault(pipeline, getattr(pipeline, name))
        wanted = own if vae is None else self._loaded(model, own, vae)
        if getattr(pipeline, name) is not wanted:
            setattr(pipeline, name, wanted)
            self._cache.placed_anew(model)
            logger.info("%s decodes with %s", model.key.path.name, "its own VAE" if vae is None else vae.name)

    def forget(self) -> None:
        """Drop the VAE that is kept; for when memory is to be given back."""
        self._kept = None

    def _loaded(self, model: LoadedModel, own: Any, vae: VaeFile) -> nn.Module:
        """Return the VAE with the configuration of the model's own: the scale of latents belongs to the model."""
        config = json.dumps(dict(own.config), sort_keys=True, default=str)
        key = json.dumps([str(vae.path), vae.sha256, model.key.dtype, model.key.offload, type(own).__name__, config])
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # Before the next one is loaded, so that there are never two.
            dtype = getattr(torch, model.key.dtype)
            loaded = load_vae(vae.path, own, dtype, lambda read: self._cancel.check())
            if stamp_of_file(vae.path) != vae.stamp:
                raise ModelError(f"The VAE {vae.name} was changed while it was loaded: submit the job again.")
            self._cache.place_network(loaded, model.key)
            self._kept = key, loaded
        return self._kept[1]
