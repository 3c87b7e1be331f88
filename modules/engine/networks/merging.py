"""LoRAs worked into weights: W' = W + w · (alpha / rank) · up @ down, and what other kinds have in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from modules.engine.networks.kinds import Parts, Settings, change_of_bias, change_of_weight
from modules.engine.networks.lora_file import Adapter
from modules.engine.networks.module_names import Target

# Weights and biases by the path of their module, float32.
Values = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Use:
    """An adapter as a prompt uses it: the LoRA's name there, what it changes, how, and how much of it."""

    name: str
    target: Target
    adapter: Adapter
    settings: Settings
    strength: float


@dataclass(frozen=True)
class Unit:
    """What has to be changed at once: `modules` of one component, and the `uses` that change some of them, in order."""

    component: str
    modules: tuple[str, ...]
    uses: tuple[Use, ...]

    @property
    def names(self) -> str:
        """The LoRAs that change it, in words."""
        return ", ".join(dict.fromkeys(one.name for one in self.uses))


def units_of(uses: Sequence[Use]) -> list[Unit]:
    """Return the uses by what they change: each module alone, or several where one adapter is for these together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for target in (use.target for use in uses):
        joined: list[str] = []
        for path in target.modules:
            joined += [one for one in groups.get((target.network, path), [path]) if one not in joined]
        groups |= dict.fromkeys(((target.network, path) for path in joined), joined)
    by_group: dict[int, list[Use]] = {}
    for use in uses:
        by_group.setdefault(id(groups[use.target.network, use.target.modules[0]]), []).append(use)
    return [
        Unit(its[0].target.network, tuple(groups[its[0].target.network, its[0].target.modules[0]]), tuple(its))
        for its in by_group.values()
    ]


def work_in(use: Use, parts: Parts, weights: Values, biases: Values) -> None:
    """Change weights, and biases of the modules that have one, as an adapter says. Both are as they are by now.

    Raises:
        RuntimeError: it does not fit.
    """
    target, settings = use.target, use.settings
    whole = _joined(weights, target)
    change = change_of_weight(parts, settings, whole)
    if change is not None:
        _add(weights, target, change, use.strength)
    if all(path in biases for path in target.modules):
        change = change_of_bias(parts, settings, _joined(biases, target))
        if change is not None:
            _add(biases, target, change, use.strength)


def _joined(values: Values, target: Target) -> torch.Tensor:
    """Return the rows of a target's modules in the order of the file."""
    rows = [values[path] for path in target.modules]
    whole = rows[0] if len(rows) == 1 else torch.cat(rows)
    return _turned(whole) if target.swapped else whole


def _add(values: Values, target: Target, change: torch.Tensor, strength: float) -> None:
    rows = _turned(change) if target.swapped else change
    pieces = torch.split(rows, [len(values[path]) for path in target.modules])
    for path, piece in zip(target.modules, pieces, strict=True):
        values[path] = torch.add(values[path], piece, alpha=strength)


def _turned(rows: torch.Tensor) -> torch.Tensor:
    """Return the rows with the lower half first."""
    return torch.cat(rows.chunk(2)[::-1])
