"""The weights of a model that LoRAs have changed, and what they were before, to the bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch


class Place(NamedTuple):
    """A parameter: the component of the pipeline, the module in it, and the parameter's short name."""

    component: str
    module: str
    name: str


class Applied(NamedTuple):
    """What LoRAs were asked for a component, which of it its weights hold, and what people are told of the rest.

    `useless` is what of this is told of LoRAs that change nothing in the whole model.
    """

    asked: str = ""
    held: str = ""
    told: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()


@dataclass(eq=False)
class ChangedWeights:
    """What was done to one model. `originals` are the weights before, of all that differ or may differ from them.

    They take memory beside the model's own, as much as what is changed: on the device where that has room, else in the
    machine's. `applied` is by component; None: something ended amid a change, and nobody knows what the weights are.
    """

    originals: dict[Place, torch.Tensor] = field(default_factory=dict)
    applied: dict[str, Applied | None] = field(default_factory=dict)

    @property
    def read_with(self) -> str:
        """What the text encoders hold of LoRAs; "": nothing. Words mean the same as long as it is the same."""
        encoders = [(name, one) for name, one in sorted(self.applied.items()) if name.startswith("text_encoder")]
        return "|".join(f"{name} {one and one.held}" for name, one in encoders if one is None or one.held)

    def bytes_in(self, device: str) -> int:
        """Return how many bytes the originals take in a device's memory, "cpu" or "cuda"."""
        return sum(one.nbytes for one in self.originals.values() if one.device.type == device)
