"""An upscaler in memory: a network of any architecture that spandrel knows, as it is shown a tile."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from modules.engine.models.devices import Device
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.models.weights_file import read_weights
from modules.engine.upscaling.tiling import Bytes, Floats
from modules.errors import ModelError
from modules.jobs.models.face_restorers import PACKAGE_OF_CODEFORMER

_COLOURS = 3


class UpscalerNetwork:
    """A network that makes a picture `scale` times larger, or cleaner where that is 1.

    `multiple` is what the sides of a tile should be multiples of, since smaller ones are filled up.
    """

    def __init__(self, path: Path, descriptor: Any, device: Device) -> None:
        self.path = path
        self.scale: int = descriptor.scale
        self.multiple: int = max(1, descriptor.size_requirements.multiple_of)
        self._descriptor = descriptor
        self._device = device.torch_name
        self._channels: int = descriptor.input_channels
        self.module.requires_grad_(False).eval()
        if self._device != "cpu":
            self.module.to(_half_of(descriptor))

    @property
    def module(self) -> nn.Module:
        """The network itself."""
        module: nn.Module = self._descriptor.model
        return module

    def bytes_held(self) -> int:
        """Return what its weights take of the memory."""
        return sum(one.numel() * one.element_size() for one in (*self.module.parameters(), *self.module.buffers()))

    def enlarge(self, tile: Bytes) -> Floats:
        """Return a tile, (height, width, 3), so many times larger, from 0 to 255.

        Where half precision is too small for the network, it goes on in float32 from then on.

        Raises:
            Interrupted: the job was stopped between two layers.
            ModelError: it gives no numbers.
        """
        made = self._run(tile)
        if not np.isfinite(made).all():
            if self._dtype == torch.float32:
                raise ModelError(f"{self.path.name} gave a picture without numbers: use another upscaler.")
            self.module.float()
            return self.enlarge(tile)
        return made

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.module.parameters()).dtype

    @torch.inference_mode()
    def _run(self, tile: Bytes) -> Floats:
        # A copy, since a tile is a part of a picture, and a picture of PIL's may not be written to.
        shown = torch.from_numpy(np.array(tile)).to(self._device).permute(2, 0, 1)[None].to(self._dtype) / 255
        made: torch.Tensor
        if self._channels == 1:  # It knows brightness alone: each colour is one.
            made = torch.cat([self._descriptor(shown[:, number : number + 1]) for number in range(_COLOURS)], dim=1)
        else:
            if self._channels > _COLOURS:
                opaque = shown.new_ones((1, self._channels - _COLOURS, *shown.shape[2:]))
                shown = torch.cat([shown, opaque], dim=1)
            made = self._descriptor(shown)
        values: Floats = made[0, :_COLOURS].float().mul_(255).permute(1, 2, 0).cpu().numpy()
        return values


def load_network(path: Path, device: Device, progress: Callable[[float], None]) -> UpscalerNetwork:
    """Return the upscaler in a file, on the CPU; `progress` gets 0..1 and may raise.

    Raises:
        ModelError: it cannot be read, or is of no architecture that is known.
    """
    descriptor = describe(path, read_weights(path, progress))
    if descriptor.purpose not in ("SR", "Restoration"):
        raise ModelError(
            f"{path} is a {descriptor.architecture.name} model, which does not enlarge pictures: "
            "choose an upscaler, such as an ESRGAN."
        )
    return UpscalerNetwork(path, descriptor, device)


def describe(path: Path, weights: Mapping[str, Any]) -> Any:
    """Return spandrel's descriptor of a network with these weights.

    Raises:
        ModelError: it is of no architecture that is known, or does not fit it.
    """
    # Here, since it takes a second, and most jobs need none of it.
    import spandrel

    if importlib.util.find_spec(PACKAGE_OF_CODEFORMER) is not None:
        importlib.import_module(PACKAGE_OF_CODEFORMER).install(ignore_duplicates=True)
    loader = spandrel.ModelLoader(torch.device("cpu"))
    try:
        descriptor = loader.load_from_state_dict(dict(weights))
    except spandrel.UnsupportedModelError as error:
        raise ModelError(f"{path} is of no architecture that is known: use an ESRGAN, SwinIR, DAT or HAT.") from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = (str(error) or type(error).__name__).strip().splitlines()[0][:200]
        raise ModelError(f"{path} does not hold the network that its names say ({reason}): fetch it again.") from error
    if isinstance(descriptor, spandrel.MaskedImageModelDescriptor) or (
        descriptor.input_channels == 2 or descriptor.input_channels > 4 or descriptor.output_channels not in (1, 3, 4)
    ):
        raise ModelError(
            f"{path} is a {descriptor.architecture.name} model that does not take and make pictures in colour: "
            "choose another upscaler."
        )
    return descriptor


def _half_of(descriptor: Any) -> torch.dtype:
    """Return the number format for an accelerator."""
    if descriptor.supports_half:
        return torch.float16
    return torch.bfloat16 if descriptor.supports_bfloat16 else torch.float32
