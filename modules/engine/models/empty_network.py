"""Make a network without numbers, for those of a file to be put into."""

from __future__ import annotations

from collections.abc import Callable

from accelerate import init_empty_weights
from torch import nn
from transformers.initialization import no_init_weights


def build_empty(make: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that `make` makes, without numbers in its parameters; buffers have theirs.

    Nothing is drawn at random for what holds no numbers: that was 2 s of a load of SDXL.
    """
    with init_empty_weights(include_buffers=False), no_init_weights():
        return make()
