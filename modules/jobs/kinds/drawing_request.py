"""What clients may ask for in a job that draws: A1111's fields, checked, and how they are closed.

A request may leave things open (None = the model's or the settings' own); `resolve` closes them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from pydantic import Field, model_validator

from modules.errors import InvalidRequest
from modules.jobs.kinds import fields
from modules.jobs.kinds.base import Pass, PictureWords, ResolvedJob, Saving, Source, Sources
from modules.jobs.kinds.choice import MODULES, Choice, Models, choose, choose_by_hand
from modules.jobs.kinds.faults import fault_at
from modules.jobs.kinds.network_texts import texts_sent
from modules.jobs.kinds.networks import find_networks, only_settled
from modules.jobs.kinds.own_words import all_prompts, with_own_words
from modules.jobs.kinds.seeding import SeedingRequest
from modules.jobs.kinds.starts import FindInput, no_input
from modules.jobs.kinds.unavailable import check_available
from modules.jobs.kinds.writing import words_of, written
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import facts_of, predicts_flow
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.models.vae_file import VaeFile
from modules.jobs.samplers import check_pair, find_sampler, find_schedule, split_sampler
from modules.jobs.version import VERSION
from modules.options import Settings
from modules.prompts.dynamic.values import NO_WILDCARDS, Lookup

# Where A1111's page has it.
SWITCH_AT = 0.8
# The part of a step that is taken for none: a switch is written with four digits.
_ALMOST_NONE = 0.01


class DrawingRequest(SeedingRequest):
    """The fields that all kinds share which draw. None means the model's own default, for the size its native one."""

    prompt: fields.Prompt = ""
    negative_prompt: fields.NegativePrompt = ""
    styles: fields.Styles = Field((), description="Names of GET prompt-styles, whose texts are put into the prompts.")
    combinatorial: fields.Combinatorial = Field(
        False, description="Draw all that the prompt's variants and wildcards can become, not one for each picture."
    )
    seed: fields.Seed = -1
    sampler_name: fields.SamplerName = None
    scheduler: fields.Scheduler = None
    sampler_index: fields.SamplerName = Field(
        None, description="An older name of sampler_name, used when that is left out."
    )
    steps: fields.Steps = None
    cfg_scale: fields.CfgScale = None
    distilled_cfg_scale: fields.DistilledCfgScale = Field(
        None, description="What models that were distilled with their guidance, such as Flux, are told as its scale."
    )
    shift: fields.Shift = Field(
        None, description="How far the steps of a flow model lie towards the noise; None is the model's own."
    )
    width: fields.Width = None
    height: fields.Height = None
    batch_size: fields.BatchSize = 1
    n_iter: fields.BatchCount = 1
    refiner_checkpoint: fields.RefinerCheckpoint = Field(
        None, description="A model that goes on from refiner_switch_at; None: there is none."
    )
    refiner_switch_at: fields.RefinerSwitchAt = Field(
        None, description=f"After which part of the steps the refiner takes over, 0 to 1; None is {SWITCH_AT}."
    )
    disable_extra_networks: fields.DisableExtraNetworks = Field(
        False, description="Take the tags of LoRAs out of the prompts and draw without them."
    )
    partial_images: fields.PartialImages = Field(
        None, description="What becomes of a picture that is stopped: discard, keep or mark; None follows the settings."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unavailable(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            try:
                data = cls.understood(data)
                check_available(data, cls.kind)
            except InvalidRequest as error:
                raise fault_at(error) from error
        return data

    @classmethod
    def understood(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what was sent, with fields of this kind in place of what says the same in another form."""
        return data

    @model_validator(mode="after")
    def _settle_sampler(self) -> Self:
        """Split the sampler's name. A schedule type that was sent wins over the one in the name, as with A1111."""
        name = self.sampler_name or self.sampler_index
        if name is None:
            return self
        sampler_name, from_name = split_sampler(name)
        sampler = find_sampler(sampler_name)
        schedule = find_schedule(self.scheduler or from_name or "Automatic")
        try:
            check_pair(sampler, schedule)
        except InvalidRequest as error:
            raise fault_at(error) from error
        # A frozen model is complete only once its validators have run.
        object.__setattr__(self, "sampler_name", sampler.name)
        object.__setattr__(self, "scheduler", schedule.label)
        object.__setattr__(self, "sampler_index", None)
        return self

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        batch_size, n_iter = self.batches
        return batch_size * n_iter

    @property
    def batches(self) -> tuple[int, int]:
        """How many pictures are drawn at once, and how often."""
        return self.batch_size, self.n_iter

    def chosen(self, catalogue: CheckpointCatalogue, settings: Settings) -> Choice:
        """Return the models that it draws with, for its row to keep, and the networks that its words call for.

        Raises:
            InvalidRequest, ModelError: as `find_models`.
            InvalidRequest: a network is missing or does not fit, and the settings want to be told so.
        """
        models, wanted = self.find_models(catalogue, settings), self.settings_over(settings)
        prompts = [written(text, models.styles, wanted) for text in self.texts()]
        texts = texts_sent(prompts, calls=not self.disable_extra_networks)
        found = only_settled(texts, find_networks(texts, models.drawing, catalogue))
        if wanted.networks_missing == "refuse":
            found.check()
        return Choice.of(replace(models, networks=found.loras, embeddings=found.embeddings))

    def find_models(self, catalogue: CheckpointCatalogue, settings: Settings) -> Models:
        """Return the models that the request draws with.

        Raises:
            InvalidRequest: there is none of that name, or the request does not go with the model's own sampler.
            ModelError: it lacks a file.
        """
        wanted = self.settings_over(settings)
        names = self.override_settings.get(MODULES, ())
        checkpoint, by_hand = choose_by_hand(catalogue.find(wanted.sd_model_checkpoint), names, catalogue)
        checkpoint.check_usable()
        self.check_noise(self.sampler_for(checkpoint)[0], checkpoint)
        sd_vae = self._vae_beside(by_hand) or wanted.sd_vae
        skip = wanted.CLIP_stop_at_last_layers
        models = choose(checkpoint, sd_vae, self.refiner_checkpoint, skip, catalogue, by_hand)
        styles = catalogue.library.styles.find(self.styles)
        texts = [written(text, styles, wanted) for text in self.texts()]
        if self.combinatorial and wanted.dynamic_prompts:
            all_prompts(texts[0].prompt, catalogue.library.wildcards.now(), self.batches[1])
        return replace(models, styles=styles)

    def texts(self) -> tuple[PictureWords, ...]:
        """Return the prompts of each pass that has its own, as they were sent."""
        return (PictureWords(prompt=self.prompt, negative_prompt=self.negative_prompt),)

    def resolve(
        self,
        models: Models,
        settings: Settings,
        draw_seed: Callable[[], int],
        dtype: str,
        threads: int,
        environment: dict[str, str] | None = None,
        find_input: FindInput = no_input,
        wildcards: Lookup = NO_WILDCARDS,
        get_on: Callable[[], None] = lambda: None,
    ) -> ResolvedJob:
        """Close everything that the request leaves open. Pure but for `draw_seed`, which is called for seed -1 only.

        `get_on` is called now and then where there is much to do, and may raise.

        Raises:
            InvalidRequest: the schedule type that was sent does not go with the model's own sampler, or all
                combinations are too many.
            InputGone: a picture that it begins with is not there any more.
            ValueError: a model has no hash yet (`CheckpointCatalogue.hashed` gives it one).
        """
        wanted = self.settings_over(settings)
        words = words_of(written(self.texts()[0], models.styles, wanted), models.clip_skip, wanted)
        batch_size, n_iter = self.batches
        dynamic = wanted.dynamic_prompts
        of_all = all_prompts(words.prompt, wildcards, n_iter) if self.combinatorial and dynamic else ()
        resolved = ResolvedJob(
            kind=self.kind,
            words=words,
            sources=Sources(
                checkpoint=source_of(models.checkpoint, models.parts),
                vae=None if models.vae is None else source_of(models.vae),
                modules=models.modules,
            ),
            passes=self.passes(models, wanted, find_input),
            seed=draw_seed() if self.seed == -1 else self.seed,
            variation=self.variation(draw_seed),
            resized_from=self.resized_from,
            noise_seed_delta=wanted.eta_noise_seed_delta,
            tiling=self.tiling,
            batch_size=batch_size,
            n_iter=n_iter * max(1, len(of_all)),
            dtype=dtype,
            threads=threads,
            version=VERSION,
            saving=self.saving(wanted),
            environment=environment,
        )
        return with_own_words(resolved, wildcards, of_all, get_on) if dynamic else resolved

    @abstractmethod
    def passes(self, models: Models, settings: Settings, find_input: FindInput) -> tuple[Pass, ...]:
        """Return what the denoiser does for each picture, in order; `settings` are those that hold for this request."""

    def first_pass(self, checkpoint: Checkpoint, settings: Settings) -> Pass:
        """Return the pass that the shared fields describe, from noise; `settings` are those of this request."""
        defaults = checkpoint.defaults
        sampler_name, scheduler = self.sampler_for(checkpoint)
        return Pass(
            width=checkpoint.native_width if self.width is None else self.width,
            height=checkpoint.native_height if self.height is None else self.height,
            steps=defaults.steps if self.steps is None else self.steps,
            sampler_name=sampler_name,
            scheduler=scheduler,
            cfg_scale=defaults.cfg_scale if self.cfg_scale is None else self.cfg_scale,
            distilled_cfg_scale=self.distilled_for(checkpoint, self.distilled_cfg_scale),
            shift=self.shift_for(checkpoint),
            noise=self.noise_of(sampler_name, checkpoint, settings),
            guidance_rescale=self.rescale_for(checkpoint),
        )

    def distilled_for(self, checkpoint: Checkpoint, asked: float | None) -> float | None:
        """Return what a model is told as its scale; most know none, though clients send it to all."""
        facts = facts_of(checkpoint.family, checkpoint.variant)
        if facts is None or facts.guidance != "distilled":
            return None
        return facts.distilled_cfg_scale if asked is None else asked

    def shift_for(self, checkpoint: Checkpoint) -> float | None:
        """Return how far a model's steps lie towards the noise; most know nothing of that."""
        return self.shift if predicts_flow(checkpoint.family, checkpoint.prediction) else None

    def with_refiner(self, whole: Pass, models: Models) -> tuple[Pass, ...]:
        """Return a pass, and that of the refiner, which goes on with what it leaves at the switch.

        Raises:
            ValueError: the refiner has no hash yet.
        """
        if models.refiner is None:
            return (whole,)
        at = SWITCH_AT if self.refiner_switch_at is None else self.refiner_switch_at
        # As with A1111 it does the first step before which so much is done. With pictures another one has begun.
        of_others = 0 if whole.start is None and whole.enlarging is None else 1
        begin = whole.begin + max(math.ceil(at * whole.step_count - _ALMOST_NONE), of_others)
        if begin >= whole.steps:
            return (whole,)
        refiner = source_of(models.refiner, models.refiner_parts)
        own = {"begin": begin, "checkpoint": refiner}
        second = whole.model_copy(update=own | dict.fromkeys(("start", "enlarging", "resizing", "denoising_strength")))
        return (second,) if begin == whole.begin else (whole.model_copy(update={"end": begin}), second)

    def _vae_beside(self, by_hand: Sequence[ModelFile]) -> str | None:
        """Return what is chosen as VAE where one is among the parts chosen by hand: none in its place.

        Raises:
            InvalidRequest: the request names two.
        """
        beside = next((file for file in by_hand if file.role == "vae"), None)
        if beside is None:
            return None
        named = self.override_settings.get("sd_vae", AUTOMATIC)
        if named not in (AUTOMATIC, NONE):
            message = f"Two VAEs are chosen, {named} (sd_vae) and {beside.name} ({MODULES}): send one of them."
            raise InvalidRequest(message, MODULES)
        return NONE

    def sampler_for(self, checkpoint: Checkpoint) -> tuple[str, str]:
        """Return sampler and schedule type; what the request leaves open is the model's own."""
        if self.sampler_name is not None:
            return self.sampler_name, self.scheduler or "Automatic"
        sampler = find_sampler(checkpoint.defaults.sampler_name)
        schedule = find_schedule(self.scheduler or checkpoint.defaults.scheduler)
        check_pair(sampler, schedule)
        return sampler.name, schedule.label

    def saving(self, settings: Settings) -> Saving:
        """Return what becomes of the pictures, and of those that are stopped."""
        save_partial, mark_partial = settings.save_incomplete_images, settings.mark_incomplete_images
        if self.partial_images is not None:
            save_partial, mark_partial = self.partial_images != "discard", self.partial_images == "mark"
        return super().saving(settings).model_copy(update={"save_partial": save_partial, "mark_partial": mark_partial})


def source_of(model: Checkpoint | VaeFile | ModelFile, parts: Mapping[str, ModelFile] | None = None) -> Source:
    """Return what a job keeps of a model, and of the files beside it.

    Raises:
        ValueError: it is not hashed yet.
    """
    digest = model.content_hash if isinstance(model, ModelFile) else model.sha256
    if digest is None:
        raise ValueError(f"{model.name} is not hashed")
    beside = None if parts is None else {part: source_of(file) for part, file in parts.items()}
    return Source(name=model.name, hash=digest, parts=beside)
