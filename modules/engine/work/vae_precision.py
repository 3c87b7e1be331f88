"""Once more in float32, where a VAE in half precision gave no numbers: the first one of SDXL in float16 does so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import torch
from torch import nn

from modules.engine.families.base import NotNumbers, vae_of
from modules.engine.models.loaded_model import LoadedModel
from modules.errors import ModelError

Made = TypeVar("Made")
Verb = Literal["decoded", "encoded"]


def with_numbers(
    model: LoadedModel,
    make: Callable[[], Made],
    verb: Verb,
    once_more: Callable[[str], None] | None = None,
    given_numbers: bool = True,
) -> Made:
    """Return what `make` makes with a model's VAE; where that has no numbers, what it makes in float32.

    `once_more` is told of that; None: it is not tried. Without `given_numbers` it would not help.

    Raises:
        Interrupted: the job was stopped between two blocks of the VAE.
        ModelError: there are no numbers in it.
    """
    vae = vae_of(model.pipeline)
    try:
        return make()
    except NotNumbers as error:
        half = vae is not None and vae.dtype != torch.float32 and given_numbers
        if not half:
            remedy = "set the number format to float32 in the settings and restart the engine"
            raise _no_numbers(model, remedy, verb) from error
        if once_more is None:
            remedy = "turn on in the settings that it decodes once more in float32"
            raise _no_numbers(model, remedy, verb) from error
    half_precision = str(vae.dtype).removeprefix("torch.")
    with _in_float32(vae):
        try:
            made = make()
        except NotNumbers as error:
            raise _no_numbers(model, "choose another VAE", verb) from error
    once_more(f"The VAE gave no numbers in {half_precision}, so it {verb} once more in float32.")
    return made


@contextmanager
def _in_float32(vae: nn.Module) -> Iterator[None]:
    """Let a VAE work in float32. Its weights come back as they were: all of half precision are numbers of float32."""
    before = {name: one.dtype for name, one in (*vae.named_parameters(), *vae.named_buffers())}
    # The plain method: diffusers' own warns about a dtype.
    nn.Module.to(vae, dtype=torch.float32)
    try:
        yield
    finally:
        for name, one in (*vae.named_parameters(), *vae.named_buffers()):
            one.data = one.data.to(before[name])


def _no_numbers(model: LoadedModel, remedy: str, verb: Verb) -> ModelError:
    what = "a picture" if verb == "decoded" else "latents of a picture"
    return ModelError(f"{model.key.path.name} gave {what} without numbers in {model.key.dtype}: {remedy}.")
