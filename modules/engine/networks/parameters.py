"""Where the numbers of a network's parameters are: in themselves, or where what brings them to a device keeps them."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
from torch import nn


class Parameters:
    """The parameters of a network by name, wherever their numbers are at the moment.

    With offload by layers accelerate keeps them in a dictionary, and with that by blocks diffusers may: the parameter
    itself holds a copy, or nothing, and is filled anew each time.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._modules = dict(network.named_modules())
        self._grouped = _grouped(network)

    def of(self, module: str) -> dict[str, nn.Parameter]:
        """Return the parameters of one module itself, by their short names."""
        return dict(self._modules[module].named_parameters(recurse=False))

    def get(self, module: str, name: str) -> torch.Tensor:
        """Return the numbers of a parameter, as they are kept."""
        kept = self._kept(module, name)
        if kept is not None:
            held: torch.Tensor = kept[0][kept[1]]
            return held.data
        return self.of(module)[name].data

    def put(self, module: str, name: str, numbers: torch.Tensor) -> None:
        """Have a parameter hold these numbers: this tensor, where it is on the same device."""
        kept, parameter = self._kept(module, name), self.of(module)[name]
        if kept is not None:
            kept[0][kept[1]] = numbers.to(kept[0][kept[1]].device)
        if parameter.device.type != "meta":
            parameter.data = numbers.to(parameter.device)

    def _kept(self, module: str, name: str) -> tuple[MutableMapping[Any, torch.Tensor], Any] | None:
        """Return the dictionary that holds the numbers of a parameter, and under what; None: it holds them itself."""
        parameter = self.of(module)[name]
        if parameter in self._grouped:
            return self._grouped[parameter], parameter
        kept = getattr(_hook(self._modules[module]), "weights_map", None)
        return None if kept is None else (kept.dataset, f"{kept.prefix}{name}")


def _hook(module: nn.Module) -> Any:
    """Return the hook of accelerate that fills a module before it works; None: there is none."""
    hook = getattr(module, "_hf_hook", None)
    hooks = getattr(hook, "hooks", (hook,))
    return next((one for one in hooks if getattr(one, "weights_map", None) is not None), None)


def _grouped(network: nn.Module) -> dict[nn.Parameter, MutableMapping[Any, torch.Tensor]]:
    """Return, for each parameter that comes with its block, where its block keeps it."""
    found: dict[nn.Parameter, MutableMapping[Any, torch.Tensor]] = {}
    for module in network.modules():
        registry = getattr(module, "_diffusers_hook", None)
        hook = None if registry is None else registry.get_hook("group_offloading")
        if hook is not None:
            found |= dict.fromkeys(hook.group.cpu_param_dict, hook.group.cpu_param_dict)
    return found
