"""What is done after memory ran out: all of it is given back, and what may help is tried once more."""

from __future__ import annotations

import logging
from typing import Protocol

from modules.engine.engine_parts import EngineParts
from modules.engine.work.economy import Economy, cheaper
from modules.engine.work.failures import describe_size
from modules.jobs.kinds.base import ResolvedJob

logger = logging.getLogger(__name__)


class KeepsSnapshots(Protocol):
    """What draws and can go on later."""

    def keep_snapshot(self, amid: bool) -> None:
        """Write down where it stands; if it is not to be `amid` a pass, else not."""


def keep_steps(drawing: KeepsSnapshots, amid: bool) -> None:
    """Keep the steps that were done with the memory there is; where it does not suffice for that, do not.

    Not those `amid` a pass whose next one failed: it is drawn in another way then, and that from its beginning.
    """
    try:
        drawing.keep_snapshot(amid)
    except Exception as error:
        logger.warning("The steps of a picture could not be kept: %s", error)


def release_device(parts: EngineParts) -> None:
    """Forget the models and whatever belongs to them."""
    parts.encoder.forget()
    parts.vae_swap.forget()
    parts.lora_weights.forget()
    parts.upscalers.forget()
    parts.captioner.forget()
    parts.model_cache.drop()
    parts.status.forget_checkpoint()
    parts.status.refresh()


def release_for_another_try(parts: EngineParts, resolved: ResolvedJob, phase: str) -> Economy | None:
    """Give all memory back; return the settings to try again with what ran out of it in `phase`, None: none helps."""
    model = parts.model_cache.loaded
    can_tile = draws_in_tiles = False
    if model is not None:
        can_tile = model.family.can_tile(model.pipeline, resolved.largest)
        draws_in_tiles = model.family.draws_in_tiles
    del model  # It is not to live on in this frame.
    others = len(parts.model_cache.keys) > 1
    release_device(parts)
    # Without the models that were kept beside it there is more room, whatever else helps.
    return cheaper(resolved, parts.device, phase, can_tile, draws_in_tiles) or (Economy() if others else None)


def describe_second_try(what: str, resolved: ResolvedJob, economy: Economy) -> str:
    """Return what people are told: `what` happened, and with what it is tried again."""
    return f"{what} at {describe_size(resolved)}: tried again with {str(economy) or 'no other model in memory'}."
