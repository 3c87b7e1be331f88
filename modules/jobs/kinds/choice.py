"""Which models a request is drawn with: chosen when it is sent, and kept in its row, whatever settings say later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import Frozen
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import facts_of
from modules.jobs.models.family_facts import LATENT_CHANNELS
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.models.vae_file import VaeFile

# Where a row's request holds it, beside the fields that were sent.
CHOSEN = "chosen"


@dataclass(frozen=True)
class Models:
    """The models of a job, as they are on disk. `vae` None: the checkpoint's own; `refiner` None: none takes over.

    `told` is what people are to know of the choice.
    """

    checkpoint: Checkpoint
    vae: VaeFile | None = None
    refiner: Checkpoint | None = None
    clip_skip: int = 1
    told: tuple[str, ...] = ()


class ChosenModel(Frozen):
    """A model by name, and by hash where that was known then."""

    name: str
    hash: str | None = None


class Choice(Frozen):
    """What was chosen, as a row holds it."""

    checkpoint: ChosenModel
    vae: ChosenModel | None = None
    refiner: ChosenModel | None = None
    clip_skip: int = 1
    told: tuple[str, ...] = ()

    @classmethod
    def of(cls, models: Models) -> Self:
        """Return the choice of these models."""
        return cls(
            checkpoint=_chosen(models.checkpoint),
            vae=None if models.vae is None else _chosen(models.vae),
            refiner=None if models.refiner is None else _chosen(models.refiner),
            clip_skip=models.clip_skip,
            told=models.told,
        )

    @classmethod
    def in_row(cls, request: Mapping[str, Any]) -> Self | None:
        """Return what a row's request holds, None where a version wrote it that left the choice open until then."""
        try:
            return cls.model_validate(request[CHOSEN])
        except (KeyError, ValidationError):
            return None


def choose(
    checkpoint: Checkpoint, sd_vae: str, refiner: str | None, clip_skip: int, catalogue: CheckpointCatalogue
) -> Models:
    """Return the models that a request with these wishes is drawn with.

    Raises:
        InvalidRequest: there is none of that name, or they do not go together.
        ModelError: one cannot be used.
    """
    vae, passed_over = _choose_vae(sd_vae, checkpoint, catalogue)
    told = [passed_over] if passed_over else []
    if clip_skip > 1 and checkpoint.family not in _READ_WITH_CLIP_SKIP:
        told.append(f"Clip skip {clip_skip} changes nothing here: {checkpoint.name} is not of Stable Diffusion 1.")
        clip_skip = 1
    second = None if refiner is None else _choose_refiner(refiner, checkpoint, catalogue)
    return Models(checkpoint, vae, second, clip_skip, tuple(told))


# "" is a model of which nothing is known but that it draws.
_READ_WITH_CLIP_SKIP = ("sd1", "")


def _chosen(model: Checkpoint | VaeFile) -> ChosenModel:
    return ChosenModel(name=model.name, hash=model.sha256)


def _choose_vae(wish: str, checkpoint: Checkpoint, catalogue: CheckpointCatalogue) -> tuple[VaeFile | None, str]:
    """Return the VAE, None for the checkpoint's own, and what is to be told of it."""
    if wish == NONE:
        return None, ""
    if wish == AUTOMATIC:
        vae = catalogue.vaes.of_checkpoint(checkpoint)
        fault = None if vae is None else vae.problem or _misfit(vae, checkpoint)
        if vae is None or fault is None:
            return vae, ""
        return None, f"The VAE {vae.name}, which has the name of {checkpoint.name}, is not used: {fault}"
    vae = catalogue.vaes.find(wish)
    try:
        vae.check_usable()
    except ModelError as error:
        raise InvalidRequest(str(error), "sd_vae") from error
    if (fault := _misfit(vae, checkpoint)) is not None:
        raise InvalidRequest(f"VAE {vae.name} does not go with {checkpoint.name}: {fault}", "sd_vae")
    return vae, ""


def _misfit(vae: VaeFile, checkpoint: Checkpoint) -> str | None:
    facts = facts_of(checkpoint.family)
    if facts is None or vae.latent_channels is None:
        return None
    needed = LATENT_CHANNELS[facts.vae]
    if needed == vae.latent_channels:
        return None
    return (
        f"it is for latents of {vae.latent_channels} channels, and {facts.label} has {needed}: "
        f"use one of that family, or {AUTOMATIC}."
    )


def _choose_refiner(name: str, checkpoint: Checkpoint, catalogue: CheckpointCatalogue) -> Checkpoint | None:
    try:
        refiner = catalogue.find(name)
        refiner.check_usable()
    except (InvalidRequest, ModelError) as error:
        message = str(error).replace("Checkpoint", "Refiner", 1)
        raise InvalidRequest(message, "refiner_checkpoint") from error
    if refiner.path == checkpoint.path:
        return None  # It would go on with itself.
    ours, its = facts_of(checkpoint.family), facts_of(refiner.family)
    if ours is not None and its is not None and (ours.vae, ours.flow) != (its.vae, its.flow):
        raise InvalidRequest(
            f"Refiner {refiner.name} does not go with {checkpoint.name}: {its.label} cannot go on with latents of "
            f"{ours.label}; use a model of the same family.",
            "refiner_checkpoint",
        )
    return refiner
