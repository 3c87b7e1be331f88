"""Which of a LoRA's adapters fit a model: by name and by shape, before any of its numbers is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from modules.engine.networks.kinds import UnknownKind, change_of_bias, change_of_weight
from modules.engine.networks.lora_file import Adapter, LoraFile
from modules.engine.networks.module_names import ModuleNames, Target

_NAMED_AT_MOST = 2
# The layers of a UNet whose width is that of the words.
_READS_WORDS = ("attn2_to_k", "attn2_to_v")


@dataclass(frozen=True)
class Fitting:
    """What of a file can be used with a model: its adapters with what they change. `told` is what is not, in words."""

    adapters: tuple[tuple[Target, Adapter], ...]
    told: str | None


def fit(name: str, file: LoraFile, model: str, names: ModuleNames, networks: Mapping[str, nn.Module]) -> Fitting:
    """Return what of a file, called `name`, fits the `networks` of a model, by the pipeline's names for them.

    A file whose shapes are mostly others than the model's, or that is for words of another width, is for another kind
    of model, even where some names and shapes are by chance the same: nothing of it is used.
    """
    fitting: list[tuple[Target, Adapter]] = []
    foreign, unlike, unknown = list[str](), list[str](), list(file.unknown)
    for adapter in file.adapters:
        target = names.find(adapter.network, adapter.path)
        if target is None:
            foreign.append(adapter.path)
            continue
        try:
            _try(adapter, target, networks[target.network])
        except UnknownKind:
            unknown.append(adapter.path)
        except (RuntimeError, IndexError, ValueError, KeyError, ArithmeticError):
            unlike.append(adapter.path)
        else:
            fitting.append((target, adapter))
    all_of_them = len(file.adapters) + len(file.unknown)
    if len(unlike) > len(fitting) or any(path.endswith(_READS_WORDS) for path in unlike):
        fitting = []
    if not fitting:
        return Fitting((), _nothing_fits(name, model, all_of_them, unlike, unknown))
    return Fitting(tuple(fitting), _some_fit(name, model, all_of_them, foreign, unlike, unknown))


def rows_of(target: Target, network: nn.Module) -> list[int]:
    """Return how many rows the weight of each module of a target has."""
    return [int(_weight(network, path).shape[0]) for path in target.modules]


def _try(adapter: Adapter, target: Target, network: nn.Module) -> None:
    """Compute with shapes alone what the adapter does.

    Raises:
        UnknownKind, RuntimeError, IndexError, ValueError, KeyError, ArithmeticError: it cannot be done.
    """
    first = _weight(network, target.modules[0])
    shape = (sum(rows_of(target, network)), *first.shape[1:])
    shapes = adapter.shapes()
    with torch.device("meta"):
        changed = change_of_weight(shapes, adapter.settings, torch.empty(shape))
        biases = [network.get_submodule(path).bias for path in target.modules if _has_bias(network, path)]
        on_bias = len(biases) == len(target.modules)
        bias = change_of_bias(shapes, adapter.settings, torch.empty(shape[0])) if on_bias else None
    if changed is None and bias is None:
        raise ValueError("there is no bias to change")


def _weight(network: nn.Module, path: str) -> nn.Parameter:
    weight = network.get_submodule(path).weight
    assert isinstance(weight, nn.Parameter)
    return weight


def _has_bias(network: nn.Module, path: str) -> bool:
    return isinstance(getattr(network.get_submodule(path), "bias", None), nn.Parameter)


def _nothing_fits(name: str, model: str, count: int, unlike: Sequence[str], unknown: Sequence[str]) -> str:
    if len(unknown) == count:
        why = f"its tensors are of a kind that this version does not know ({_some(unknown)})"
    elif unlike:
        why = f"its layers have other shapes than the model's ({_some(unlike)})"
    else:
        why = f"none of its {count} layers is one of the model's"
    return f"LoRA {name} does nothing with {model}: {why}. It was made for models of another kind."


def _some_fit(
    name: str, model: str, count: int, foreign: Sequence[str], unlike: Sequence[str], unknown: Sequence[str]
) -> str | None:
    reasons = [
        f"{len(which)} {what} ({_some(which)})"
        for which, what in (
            (foreign, "that this model does not have"),
            (unlike, "of other shapes than the model's"),
            (unknown, "of a kind that this version does not know"),
        )
        if which
    ]
    if not reasons:
        return None
    left = len(foreign) + len(unlike) + len(unknown)
    return f"LoRA {name} is used with {model} without {left} of its {count} layers: {', '.join(reasons)}."


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(one[:80] for one in names[:_NAMED_AT_MOST]) + more
