"""Which model draws the second pass of hires fix, and what enlarges before it: chosen as the checkpoint is."""

from __future__ import annotations

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.choice import Models, cannot_go_on, misfit
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.upscalers import Upscaler

# What A1111 enlarges with when nothing is named.
DEFAULT_UPSCALER = "Latent"


def find_upscaler(name: str, catalogue: CheckpointCatalogue, field: str) -> Upscaler:
    """Return an upscaler of pixels that can be used.

    Raises:
        InvalidRequest: there is none of that name, or something is wrong with its file.
    """
    try:
        upscaler = catalogue.upscalers.find(name)
        upscaler.check_usable()
    except (InvalidRequest, ModelError) as error:
        raise InvalidRequest(str(error), field) from error
    return upscaler


def find_hires_upscaler(name: str | None, catalogue: CheckpointCatalogue) -> Upscaler:
    """Return what enlarges before the second pass: latents, under A1111's names, or pixels.

    Raises:
        InvalidRequest: there is none of that name, or something is wrong with its file.
    """
    wanted = name or DEFAULT_UPSCALER
    mode = next((one for one in LATENT_MODES if one.casefold() == wanted.casefold()), None)
    if mode is not None:
        return Upscaler(mode)
    try:
        return find_upscaler(wanted, catalogue, "hr_upscaler")
    except InvalidRequest as error:
        # What is known besides are the modes of latents.
        message = str(error).replace("use one of ", f"use one of {DEFAULT_UPSCALER}, ", 1)
        raise InvalidRequest(message, error.field) from error


def find_hires_checkpoint(
    name: str, models: Models, upscaler: Upscaler, catalogue: CheckpointCatalogue
) -> Checkpoint | None:
    """Return the model of the second pass, None where that is the first one's.

    Raises:
        InvalidRequest: there is none of that name, it cannot be used, or it does not go with the others.
    """
    field = "hr_checkpoint_name"
    try:
        found = catalogue.find(name)
        found.check_usable()
    except (InvalidRequest, ModelError) as error:
        raise InvalidRequest(str(error).replace("Checkpoint", "Hires checkpoint", 1), field) from error
    if found.path == models.checkpoint.path:
        return None
    fault = cannot_go_on(found, models.checkpoint)
    if fault is not None and upscaler.name in LATENT_MODES:
        remedy = "use a model of the same family, or an upscaler of pixels such as Lanczos"
        raise InvalidRequest(f"{found.name} does not go with {models.checkpoint.name}: {fault}; {remedy}.", field)
    if models.vae is not None and (fault := misfit(models.vae, found)) is not None:
        raise InvalidRequest(f"VAE {models.vae.name} does not go with {found.name}: {fault}", field)
    return found


def check_refiner(models: Models) -> None:
    """Check that the refiner, which takes over in the second pass, goes with the model of that.

    Raises:
        InvalidRequest: it does not.
    """
    if models.refiner is None or models.hires is None:
        return
    if (fault := cannot_go_on(models.refiner, models.hires)) is not None:
        raise InvalidRequest(
            f"Refiner {models.refiner.name} does not go with {models.hires.name}: {fault}; leave one of them out, or "
            "set hires_fix_refiner_pass to first pass.",
            "refiner_checkpoint",
        )
