"""The modules of a model by every name that a file may call them: names with underscores are looked up, never cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from modules.engine.families.base import Family
from modules.engine.networks.block_weights import block_of
from modules.engine.networks.file_names import path_in_encoder
from modules.engine.networks.original_names import Original, original_names

# The text encoders as files call them, and as pipelines do, in the order in which they are tried.
_ENCODERS = {
    "te1": ("text_encoder", "text_encoder_2"),  # A refiner has the second one alone.
    "te2": ("text_encoder_2",),
    "te3": ("text_encoder_3", "text_encoder_2"),
}
# What the attention of an encoder was called by the first LoRAs of diffusers.
_OLD_IN_ENCODER = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}


@dataclass(frozen=True)
class Target:
    """What an adapter changes: `modules` of the `network`, a component of the pipeline, one below the other.

    `swapped`: the upper half of its rows is the lower one in the model.
    """

    network: str
    modules: tuple[str, ...]
    swapped: bool = False


class ModuleNames:
    """The modules of one pipeline that have weights."""

    def __init__(self, pipeline: Any, family: Family) -> None:
        self._denoiser = family.denoiser
        self._tables = {
            name: _table(name, part, name != family.denoiser)
            for name, part in pipeline.components.items()
            if isinstance(part, nn.Module) and (name == family.denoiser or name.startswith("text_encoder"))
        }
        originals = original_names(getattr(pipeline, family.denoiser))
        self._blocks = {one.modules[0]: block_of(one.name) for one in originals if len(one.modules) == 1}

    @property
    def components(self) -> tuple[str, ...]:
        """The pipeline's names of the networks that LoRAs change."""
        return tuple(self._tables)

    def find(self, network: str, path: str) -> Target | None:
        """Return what a file means by the path of a module, with _ for dots, in "denoiser" or "te1" to "te3"."""
        name = self.component(network)
        return None if name is None else self._tables[name].get(path)

    def block(self, target: Target) -> str:
        """Return the block of a UNet that a module lies in ("IN04", "M00"), "BASE" in an encoder; "": in none."""
        return self._blocks.get(target.modules[0], "") if target.network == self._denoiser else "BASE"

    def component(self, network: str) -> str | None:
        """Return the pipeline's name of a network that a file calls "denoiser" or "te1" to "te3"."""
        names = (self._denoiser,) if network == "denoiser" else _ENCODERS[network]
        return next((name for name in names if name in self._tables), None)


def _table(name: str, network: nn.Module, is_encoder: bool) -> dict[str, Target]:
    """Return what each path means; diffusers' own names before others."""
    table: dict[str, Target] = {}
    others: list[Original] = []
    for path in _with_weights(network):
        underscored = path.replace(".", "_")
        table[path_in_encoder(underscored) if is_encoder else underscored] = Target(name, (path,))
        stem, _, last = path.rpartition(".")
        if is_encoder and last in _OLD_IN_ENCODER:
            others.append(Original(path_in_encoder(f"{stem}_{_OLD_IN_ENCODER[last]}".replace(".", "_")), (path,)))
        elif path.endswith(".to_out.0"):
            others.append(Original(path.removesuffix(".0"), (path,)))
    if not is_encoder:
        others += original_names(network)
    for one in others:
        table.setdefault(one.name.replace(".", "_"), Target(name, one.modules, one.swapped))
    return table


def _with_weights(network: nn.Module) -> Iterator[str]:
    for path, module in network.named_modules():
        if isinstance(getattr(module, "weight", None), nn.Parameter):
            yield path
