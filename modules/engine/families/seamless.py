"""Pictures that tile: each convolution sees the opposite edge beyond an edge."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Literal

from torch import nn

_JOINED: weakref.WeakSet[nn.Module] = weakref.WeakSet()
_PLAIN: Literal["zeros"] = "zeros"
_JOINING: Literal["circular"] = "circular"


def join_edges(networks: Iterable[nn.Module | None], *, joined: bool) -> None:
    """Let networks take opposite edges of what they see for neighbours, or not; what they are at first is not."""
    for network in networks:
        if network is None or (network in _JOINED) == joined:
            continue
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d) and layer.padding_mode == (_PLAIN if joined else _JOINING):
                layer.padding_mode = _JOINING if joined else _PLAIN
        (_JOINED.add if joined else _JOINED.discard)(network)
