"""Which models a request is drawn with: chosen when it is sent, and kept in its row, whatever settings say later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, overload

from pydantic import Field, ValidationError

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import facts_of
from modules.jobs.models.family_facts import LATENT_CHANNELS
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.upscalers import Upscaler
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.models.vae_file import VaeFile, stamp_of_file
from modules.prompts.styles.style import Style

# Where a row's request holds it, beside the fields that were sent.
CHOSEN = "chosen"
# Where a request names text encoders and a VAE, as Forge calls them.
MODULES = "forge_additional_modules"


@dataclass(frozen=True)
class Models:
    """The models of a job, as they are on disk. `vae` None: the checkpoint's own; `refiner` None: none takes over.

    `hires` draws the second pass of hires fix, None: the checkpoint does; `upscaler` enlarges before that.

    `parts`, `refiner_parts` and `hires_parts` are the files beside these models that they are drawn with, by the part
    that each does; `modules` the names of those that somebody chose by hand. `told` is what people are to know of the
    choice. `styles` are put into the prompts, in their order. `networks` are LoRAs by the names that prompts call them
    by, `embeddings` by the words that stand for them.
    """

    checkpoint: Checkpoint
    vae: VaeFile | None = None
    refiner: Checkpoint | None = None
    clip_skip: int = 1
    told: tuple[str, ...] = ()
    parts: Mapping[str, ModelFile] = field(default_factory=dict)
    refiner_parts: Mapping[str, ModelFile] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    hires: Checkpoint | None = None
    hires_parts: Mapping[str, ModelFile] = field(default_factory=dict)
    upscaler: Upscaler | None = None
    styles: tuple[Style, ...] = ()
    networks: Mapping[str, ModelFile] = field(default_factory=dict)
    embeddings: Mapping[str, ModelFile] = field(default_factory=dict)

    @property
    def drawing(self) -> tuple[Checkpoint, ...]:
        """The models that run a denoiser, the one that reads the prompt first."""
        return tuple(one for one in (self.checkpoint, self.hires, self.refiner) if one is not None)


class ChosenModel(Frozen):
    """A model by name, and by hash where that was known then."""

    name: str
    hash: str | None = None


class ChosenFile(ChosenModel):
    """A file beside a model. Where its hash was not known, `stamp` tells the state that it was in; "" is unknown."""

    stamp: str = ""


class ChosenCheckpoint(ChosenModel):
    """A model and the files beside it, by the part that each does; None: the row leaves them open until then."""

    parts: dict[str, ChosenFile] | None = None


class Choice(Frozen):
    """What was chosen, as a row holds it."""

    checkpoint: ChosenCheckpoint
    vae: ChosenModel | None = None
    refiner: ChosenCheckpoint | None = None
    clip_skip: int = 1
    told: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    hires: ChosenCheckpoint | None = None
    upscaler: ChosenFile | None = None
    styles: tuple[Style, ...] = ()
    networks: dict[str, ChosenFile] = Field(default_factory=dict)
    embeddings: dict[str, ChosenFile] = Field(default_factory=dict)

    @classmethod
    def of(cls, models: Models) -> Self:
        """Return the choice of these models."""
        return cls(
            checkpoint=_chosen_checkpoint(models.checkpoint, models.parts),
            vae=None if models.vae is None else ChosenModel(name=models.vae.name, hash=models.vae.sha256),
            refiner=_chosen_checkpoint(models.refiner, models.refiner_parts),
            clip_skip=models.clip_skip,
            told=models.told,
            modules=models.modules,
            hires=_chosen_checkpoint(models.hires, models.hires_parts),
            upscaler=None if models.upscaler is None else chosen_upscaler(models.upscaler),
            styles=models.styles,
            networks=_chosen_files(models.networks),
            embeddings=_chosen_files(models.embeddings),
        )

    @classmethod
    def in_row(cls, request: Mapping[str, Any]) -> Self | None:
        """Return what a row's request holds, None where a version wrote it that left the choice open until then."""
        try:
            return cls.model_validate(request[CHOSEN])
        except (KeyError, ValidationError):
            return None


def choose_by_hand(
    checkpoint: Checkpoint, names: Sequence[str], catalogue: CheckpointCatalogue
) -> tuple[Checkpoint, tuple[ModelFile, ...]]:
    """Return a model that is drawn with the text encoders and the VAE of these names, and those files.

    Raises:
        InvalidRequest: there is none of such a name, or it does not go with the model.
    """
    try:
        files = tuple(catalogue.find_companion(name) for name in names)
        return catalogue.with_parts(checkpoint, names) if names else checkpoint, files
    except InvalidRequest as error:
        raise InvalidRequest(str(error), MODULES) from error


def choose(
    checkpoint: Checkpoint,
    sd_vae: str,
    refiner: str | None,
    clip_skip: int,
    catalogue: CheckpointCatalogue,
    by_hand: Sequence[ModelFile] = (),
) -> Models:
    """Return the models that a request with these wishes is drawn with.

    `by_hand` are those of the checkpoint's parts that were chosen so.

    Raises:
        InvalidRequest: there is none of that name, or they do not go together.
        ModelError: one cannot be used.
    """
    vae, passed_over = _choose_vae(sd_vae, checkpoint, catalogue)
    told = [passed_over] if passed_over else []
    if clip_skip > 1 and checkpoint.family not in READ_WITH_CLIP_SKIP:
        told.append(f"Clip skip {clip_skip} changes nothing here: {checkpoint.name} is not of Stable Diffusion 1.")
        clip_skip = 1
    second = None if refiner is None else _choose_refiner(refiner, checkpoint, catalogue)
    return Models(
        checkpoint,
        vae,
        second,
        clip_skip,
        tuple(told),
        parts=catalogue.companions_of(checkpoint),
        refiner_parts={} if second is None else catalogue.companions_of(second),
        modules=tuple(file.name for file in by_hand),
    )


# "" is a model of which nothing is known but that it draws.
READ_WITH_CLIP_SKIP = ("sd1", "")


def chosen_upscaler(upscaler: Upscaler) -> ChosenFile:
    """Return the choice of an upscaler: by the name that people see, and of the file if it needs one."""
    if upscaler.file is None:
        return ChosenFile(name=upscaler.name)
    return ChosenFile(name=upscaler.name, hash=upscaler.file.sha256, stamp=stamp_of_file(upscaler.file.path))


@overload
def _chosen_checkpoint(model: Checkpoint, parts: Mapping[str, ModelFile]) -> ChosenCheckpoint: ...
@overload
def _chosen_checkpoint(model: Checkpoint | None, parts: Mapping[str, ModelFile]) -> ChosenCheckpoint | None: ...


def _chosen_checkpoint(model: Checkpoint | None, parts: Mapping[str, ModelFile]) -> ChosenCheckpoint | None:
    if model is None:
        return None
    return ChosenCheckpoint(name=model.name, hash=model.sha256, parts=_chosen_files(parts))


def _chosen_files(files: Mapping[str, ModelFile]) -> dict[str, ChosenFile]:
    return {
        name: ChosenFile(name=file.name, hash=file.content_hash, stamp=stamp_of_file(file.path))
        for name, file in files.items()
    }


def _choose_vae(wish: str, checkpoint: Checkpoint, catalogue: CheckpointCatalogue) -> tuple[VaeFile | None, str]:
    """Return the VAE, None for the checkpoint's own, and what is to be told of it."""
    if wish == NONE:
        return None, ""
    if wish == AUTOMATIC:
        vae = catalogue.vaes.of_checkpoint(checkpoint)
        fault = None if vae is None else vae.problem or misfit(vae, checkpoint)
        if vae is None or fault is None:
            return vae, ""
        return None, f"The VAE {vae.name}, which has the name of {checkpoint.name}, is not used: {fault}"
    vae = catalogue.vaes.find(wish)
    try:
        vae.check_usable()
    except ModelError as error:
        raise InvalidRequest(str(error), "sd_vae") from error
    if (fault := misfit(vae, checkpoint)) is not None:
        raise InvalidRequest(f"VAE {vae.name} does not go with {checkpoint.name}: {fault}", "sd_vae")
    return vae, ""


def misfit(vae: VaeFile, checkpoint: Checkpoint) -> str | None:
    """Return why a VAE does not go with a model; None: it may."""
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
    if (fault := cannot_go_on(refiner, checkpoint)) is not None:
        message = f"Refiner {refiner.name} does not go with {checkpoint.name}: {fault}; use a model of the same family."
        raise InvalidRequest(message, "refiner_checkpoint")
    return refiner


def cannot_go_on(model: Checkpoint, before: Checkpoint) -> str | None:
    """Return why a model cannot go on with latents that another has left; None: it may."""
    ours, its = facts_of(before.family), facts_of(model.family)
    if ours is None or its is None or (ours.vae, ours.flow) == (its.vae, its.flow):
        return None
    return f"{its.label} cannot go on with latents of {ours.label}"
