"""Do something at a chosen moment of a job, on the thread that draws it."""

from collections.abc import Callable

from torch import nn

from tests.engine.conftest import Engine


def at_step(engine: Engine, step: int, act: Callable[[], object], image: int = 0) -> None:
    """Call `act` once, on the drawing thread, as soon as `step` steps of `image` are done."""
    tell, state = engine.parts.previews.step_done, engine.state
    done: list[int] = []

    def step_done() -> None:
        tell()
        if (state.image_index, state.sampling_step) == (image, step) and not done:
            done.append(step)
            act()

    engine.parts.previews.step_done = step_done  # type: ignore[method-assign]


def before_decoding(engine: Engine, act: Callable[[], object]) -> None:
    """Call `act` once, inside the decoder."""
    vae = engine.parts.model_cache.loaded.pipeline.vae  # type: ignore[union-attr]
    called: list[int] = []

    def hook(module: nn.Module, inputs: object) -> None:
        if not called:
            called.append(1)
            act()

    vae.decoder.mid_block.register_forward_pre_hook(hook)
