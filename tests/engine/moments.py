"""Do something at a chosen moment of a job, on the thread that draws it."""

from collections.abc import Callable
from typing import Any

from torch import nn

from tests.engine.conftest import Engine


def at_step(engine: Engine, step: int, act: Callable[[], object], image: int = 0) -> None:
    """Call `act` once, on the drawing thread, as soon as `step` steps of `image` are done."""
    offer = engine.studio.previews.offer_step
    done: list[int] = []

    def offer_step(token: int, index: int, now: int, *rest: Any) -> None:
        offer(token, index, now, *rest)
        if now == step and index == image and not done:
            done.append(now)
            act()

    engine.studio.previews.offer_step = offer_step  # type: ignore[assignment,method-assign]


def before_decoding(engine: Engine, act: Callable[[], object]) -> None:
    """Call `act` once, inside the decoder."""
    vae = engine.studio.shelf.loaded.pipeline.vae  # type: ignore[union-attr]
    called: list[int] = []

    def hook(module: nn.Module, inputs: object) -> None:
        if not called:
            called.append(1)
            act()

    vae.decoder.mid_block.register_forward_pre_hook(hook)
