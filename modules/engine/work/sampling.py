"""One batch: noise to finished latents, through the pipeline of the model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch

from modules.engine.models.model_cache import LoadedModel
from modules.engine.samplers.denoised import Step
from modules.engine.samplers.resumable import Resumed, SamplingState, generators_from, take_state
from modules.engine.samplers.table import build_scheduler
from modules.engine.work.encoding import PromptEmbeddings
from modules.jobs.kinds.base import ResolvedJob

OnStep = Callable[[int, int, Step], None]
Content = Literal["Prompt", "Negative prompt", "Combined"]


class Batch:
    """The pictures that one call of the pipeline draws. `latest` and `steps_done` say how far it came when stopped.

    With `resume` it goes on from there, to the same bits as if it had never stopped.
    """

    def __init__(
        self,
        model: LoadedModel,
        prompts: PromptEmbeddings,
        resolved: ResolvedJob,
        indices: Sequence[int],
        resume: SamplingState | None = None,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._resolved = resolved
        self._pass = resolved.passes[0]
        self._indices = tuple(indices)
        self._resume = resume
        self._done = 0 if resume is None else resume.done
        self._scheduler_steps = 0 if resume is None else resume.steps
        self._latents: torch.Tensor | None = None
        self._scheduler: Any = None
        self._generators: list[torch.Generator] = []
        self._both: torch.Tensor | None = None
        self.latest: Step | None = None if resume is None else resume.scheduler.get("latest")

    @property
    def indices(self) -> tuple[int, ...]:
        """Which pictures of the job these are."""
        return self._indices

    @property
    def standing(self) -> tuple[int, int]:
        """How many steps of how many the scheduler has done; (0, 0): it has not begun."""
        return self._done, self._scheduler_steps

    @property
    def steps_done(self) -> int:
        """How many of the steps that were asked for are done. Some samplers call the denoiser twice a step."""
        if self._scheduler_steps == 0:
            return 0
        return self._done * self._pass.steps // self._scheduler_steps

    def shown(self, content: Content) -> Step | None:
        """Return the latest step as it is with guidance, or as it would be by the prompt or the negative one alone."""
        latest, both = self.latest, self._both
        if latest is None or both is None or content == "Combined" or len(both) != 2 * len(latest.sample):
            return latest
        negative, positive = both.chunk(2)
        return dataclasses.replace(latest, model_output=positive if content == "Prompt" else negative)

    def state(self) -> SamplingState | None:
        """Return where the batch was when its last whole step ended; None: there is nothing yet that could be kept.

        On the thread that samples: inside `on_step`, or after `sample` has ended, also by `Interrupted`, which comes
        while the denoiser works and so leaves the sampler as the last step left it.
        """
        if self._latents is None:
            return self._resume
        return take_state(self._done, self._scheduler_steps, self._latents, self._scheduler, self._generators)

    def sample(self, on_step: OnStep) -> torch.Tensor:
        """Return the latents: (batch, channels, height / 8, width / 8), float32.

        `on_step(done, steps, step)` is called after each step, on this thread, and must return at once.

        Raises:
            Interrupted: the job was stopped before one of the denoiser's blocks.
        """
        drawn, pipeline, resume = self._pass, self._model.pipeline, self._resume
        if resume is not None and resume.done == resume.steps:
            return resume.latents
        scheduler = self._scheduler = build_scheduler(
            drawn.sampler_name, drawn.scheduler, self._model.scheduler_config, drawn.steps
        )
        before = self._done

        def step_ended(pipe: Any, index: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            self._done, self._scheduler_steps = before + index + 1, before + pipe.num_timesteps
            self._latents, self.latest = tensors["latents"], scheduler.latest
            on_step(self._done, self._scheduler_steps, scheduler.latest)
            return tensors

        if resume is None:
            seeds = [self._resolved.seed_of(index) for index in self._indices]
            self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
            start = self._noise(self._generators)
        else:
            self._generators = generators_from(resume.generators)
            start = resume.latents
        own = pipeline.scheduler
        watched = self._model.denoiser.register_forward_hook(self._keep_both)
        pipeline.scheduler = scheduler if resume is None else Resumed(scheduler, resume)
        try:
            latents: torch.Tensor = pipeline(
                prompt_embeds=self._prompts.positive,
                negative_prompt_embeds=self._prompts.negative,
                num_images_per_prompt=len(self._generators),
                num_inference_steps=drawn.steps,
                guidance_scale=drawn.cfg_scale,
                width=drawn.width,
                height=drawn.height,
                generator=self._generators,
                latents=start,
                output_type="latent",
                callback_on_step_end=step_ended,
            ).images
        finally:
            # The pipeline's last line, which an exception passes by.
            pipeline.maybe_free_model_hooks()
            pipeline.scheduler = own
            watched.remove()
        return latents

    def _keep_both(self, _denoiser: Any, _inputs: Any, output: Any) -> None:
        """Keep what the denoiser said to both prompts, before the pipeline weighs them against each other."""
        self._both = output[0]

    def _noise(self, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """Draw each picture's noise from its own generator on the CPU, in float32: the same on every device.

        A side that is no whole number of latents gets one more, and the picture is cut to its size.
        """
        scale = self._model.pipeline.vae_scale_factor
        channels = self._model.denoiser.config.in_channels
        shape = (1, channels, math.ceil(self._pass.height / scale), math.ceil(self._pass.width / scale))
        return torch.cat([torch.randn(shape, generator=generator) for generator in generators])
