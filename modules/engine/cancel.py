"""Stop what runs, at the next cancel point: before every block of a network, and between the phases of a job."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from torch import nn

from modules.errors import Interrupted
from modules.shared_state import State


class Cancel:
    """What a running job must obey, looked at so often that it only reads attributes.

    `exit` says that the engine is to end; it may be set from any thread, also from a signal handler.
    """

    def __init__(self, state: State, exit: threading.Event | None = None) -> None:
        self._state = state
        self.exit = exit or threading.Event()
        # A partial picture is decoded although the job was interrupted: then only a new reason stops it.
        self._obeyed = False

    def check(self) -> None:
        """Raise if the job was told to stop.

        Raises:
            Interrupted: with what was asked for; the end of the engine before an interrupt before a skip.
        """
        if self.exit.is_set():
            raise Interrupted("exit")
        if self._obeyed:
            return
        if self._state.interrupted:
            raise Interrupted("interrupt")
        if self._state.skipped:
            raise Interrupted("skip")

    def obeyed(self, obeyed: bool) -> None:
        """Say whether skip and interrupt are known already, so that what the job keeps can be finished."""
        self._obeyed = obeyed


def add_cancel_points(module: nn.Module, cancel: Cancel) -> int:
    """Check for a stop before every block of `module`; return how many blocks that is.

    A block is what a list or sequence of the module holds and what itself has parts: residual blocks, attention
    layers, transformer blocks. Put in once, when the model is loaded.
    """

    def check(_module: nn.Module, _inputs: Any) -> None:
        cancel.check()

    blocks = list(_blocks(module))
    for block in blocks:
        block.register_forward_pre_hook(check)
    return len(blocks)


def _blocks(module: nn.Module) -> Iterable[nn.Module]:
    for parent in module.modules():
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            yield from (child for child in parent if any(True for _ in child.children()))
