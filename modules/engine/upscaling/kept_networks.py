"""The upscalers in memory: those that were used last, as long as nothing else needs their room."""

from __future__ import annotations

import threading

from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.model_cache import ModelCache, free_memory
from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.upscaling.network import UpscalerNetwork, load_network
from modules.errors import ModelError
from modules.jobs.kinds.base import Source
from modules.jobs.models.hashes import hash_file
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.upscalers import UpscalerCatalogue
from modules.jobs.models.vae_file import stamp_of_file

# Two, since two may be blended for each picture of a job.
_KEPT = 2
# What a file in half precision takes in float32.
_BYTES_OF_FILE = 2


class KeptNetworks:
    """Loads upscalers and keeps the last two. On the thread that draws."""

    def __init__(self, device: Device, cancel: Cancel, catalogue: UpscalerCatalogue, model_cache: ModelCache) -> None:
        self._device = device
        self._cancel = cancel
        self._catalogue = catalogue
        self._model_cache = model_cache
        self._kept: dict[str, UpscalerNetwork] = {}  # by hash; the one that was used last is last

    @property
    def keys(self) -> frozenset[str]:
        """Which are in memory, by hash."""
        return frozenset(self._kept)

    def get(self, source: Source) -> UpscalerNetwork:
        """Return an upscaler, loading it if it is not in memory.

        Raises:
            Interrupted: the job was stopped meanwhile.
            ModelError: it is gone, was changed since it was hashed, or cannot be loaded.
        """
        network = self._kept.pop(source.hash, None)
        if network is None:
            file = self._catalogue.of_source(source.name, source.hash)
            file.check_usable()
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._model_cache.make_room_beside(file.size_bytes * _BYTES_OF_FILE)
            network = self._load(file, source)
        self._kept[source.hash] = network
        return network

    def forget(self) -> None:
        """Give their memory back."""
        if self._kept:
            self._kept.clear()
            free_memory(self._device)

    def _load(self, file: ModelFile, source: Source) -> UpscalerNetwork:
        stamp = stamp_of_file(file.path)
        left = threading.Event()

        def getting_on(_fraction: float) -> None:
            if left.is_set():
                raise InterruptedError("Nobody waits for this upscaler any more.")
            self._cancel.heartbeat.beat()

        def load() -> UpscalerNetwork:
            digest = file.sha256 or hash_file(file.path, left.is_set)
            if digest != source.hash or stamp_of_file(file.path) != stamp:
                raise ModelError(f"The upscaler {source.name} was changed since this job was sent: submit it again.")
            return load_network(file.path, self._device, getting_on)

        try:
            network = wait_for(load, self._cancel.check_waiting)
        finally:
            left.set()
        if stamp_of_file(file.path) != stamp:
            raise ModelError(f"The upscaler {source.name} was changed while it was loaded: submit the job again.")
        key = ModelKey(file.path, source.hash, "float32")
        self._model_cache.place_network(network.module, key)
        return network
