"""Stop what runs, at the next cancel point: before every block of a network, and between the phases of a job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import nn

from modules.engine.stopping.heartbeat import Heartbeat
from modules.engine.stopping.kernel_pacing import Pacer
from modules.errors import Interrupted
from modules.shared_state import State

_own_check: ContextVar[Callable[[], None] | None] = ContextVar("own_check", default=None)


@contextmanager
def checked_by(check: Callable[[], None]) -> Iterator[None]:
    """Have the cancel points that this thread passes call `check` alone: it uses a network for work of its own."""
    token = _own_check.set(check)
    try:
        yield
    finally:
        _own_check.reset(token)


class Cancel:
    """What a running job must obey, looked at so often that it only reads attributes.

    `exit` says that the engine is to end; it may be set from any thread, also from a signal handler.
    """

    def __init__(self, state: State, exit: threading.Event | None = None, heartbeat: Heartbeat | None = None) -> None:
        self._state = state
        self.exit = exit or threading.Event()
        self.heartbeat = heartbeat or Heartbeat()
        # A partial picture is decoded although the job was interrupted: then only a new reason stops it.
        self._obeyed = False
        self._skips_wait = False

    def check(self) -> None:
        """Give a sign of life, and raise if the job was told to stop. For places where the work gets on.

        Raises:
            Interrupted: with what was asked for: the end of the engine before an interrupt before a pause before a
                skip.
        """
        self.heartbeat.beat()
        self.check_waiting()

    def check_waiting(self) -> None:
        """Raise as `check` does, without a sign of life. For places that wait for work which may never end.

        Raises:
            Interrupted: as `check`.
        """
        if self.exit.is_set():
            raise Interrupted("exit")
        if self._obeyed:
            return
        state = self._state
        if state.interrupted:
            raise Interrupted("interrupt")
        if state.pausing:
            raise Interrupted("pause")
        if state.skipped and not self._skips_wait:
            raise Interrupted("skip")

    @contextmanager
    def obeying(self) -> Iterator[None]:
        """Pass over interrupt, pause and skip inside: they are known, and what the job keeps is to be finished."""
        self._obeyed = True
        try:
            yield
        finally:
            self._obeyed = False

    @contextmanager
    def keeping_skips(self, keep: bool = True) -> Iterator[None]:
        """Pass over a skip inside, since what is done serves other pictures too: it is for when its picture begins."""
        self._skips_wait = keep
        try:
            yield
        finally:
            self._skips_wait = False


def add_cancel_points(module: nn.Module, cancel: Cancel | None, pacer: Pacer | None = None, fine: bool = False) -> int:
    """Check for a stop before every block of `module`; return how many points that makes.

    A block is what a list or sequence of the module holds and what itself has parts: residual blocks, attention
    layers, transformer blocks. Put in once, when the model is loaded. `pacer` is for devices that run behind. `fine`
    checks before every layer too: one block of a large decoder takes a second on a processor. `cancel` is what the
    thread of the job obeys; None: no job uses this module, and others say what they obey with `checked_by`.
    """

    def check(_module: nn.Module, _inputs: Any) -> None:
        own = _own_check.get()
        if own is not None:
            own()
        elif cancel is not None:
            if pacer is not None:
                pacer.before_block()
            cancel.check()

    blocks = list(_blocks(module))
    if fine:
        blocks += [layer for layer in module.modules() if not any(True for _ in layer.children())]
    for block in blocks:
        block.register_forward_pre_hook(check)
    if pacer is not None:
        ended = pacer.ended
        module.register_forward_hook(lambda _module, _inputs, _output: ended())
    return len(blocks)


def _blocks(module: nn.Module) -> Iterable[nn.Module]:
    for parent in module.modules():
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            yield from (child for child in parent if any(True for _ in child.children()))
